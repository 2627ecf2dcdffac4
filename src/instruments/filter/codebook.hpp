// Which category of a codebook does a label of a list name? Lists spell the same category in many ways; the table in docs/instruments/filter.md
// says which spellings are one. The categories themselves are those of the user's lists.
#pragma once

#include <string>
#include <string_view>

namespace unveil::filter {

/// One key for all spellings of a category: lower case, without years and brackets, merged by the table. Empty for what is no category, such as
/// "context unclear" or a bare "general".
std::string category_key(std::string_view label);

/// The same for a theme: "Event " and "Events" are one.
std::string theme_key(std::string_view label);

}  // namespace unveil::filter
