// What every page of unveil shares: its head, with a policy that lets nothing in, and its tables.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

/// From the doctype to the opening of the body. The content-security policy allows the style sheet and `script`
/// (empty: none) by their hashes and nothing else. `title` may be hostile.
void append_page_head(std::string_view title, std::string_view script, std::string& out);

/// The first `rows_max` rows, inside a box that scrolls sideways; columns of numbers stand right. Cells may be hostile.
void append_data_table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows,
                       std::size_t rows_max, std::string& out);

}  // namespace unveil
