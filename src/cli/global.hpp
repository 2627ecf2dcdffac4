// What every command shares: the global options, the size of the terminal, tables of text for people.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/parameter.hpp"

namespace unveil::cli {

/// Options that may stand anywhere on the command line. "threads", "progress" and "color" take part in every
/// run.
std::span<const Parameter> global_options();
/// "-v" for "verbose"; empty when the option has no short form.
std::string_view short_option(std::string_view name);

/// Columns of the terminal behind the descriptor; $COLUMNS counts first; 80 when nobody knows.
std::size_t terminal_columns(int descriptor);
/// How wide text for people may be on stdout: 60 to 100, and 100 when it is not a terminal, so that files are
/// stable.
std::size_t text_width();

/// 75 % of the memory this process may use (physical, or the control group's limit when that is lower).
std::uint64_t memory_bytes_default();

/// Columns that `text` takes on a terminal: wide East Asian characters count two, combining ones none.
std::size_t display_columns(std::string_view text);

/// Cells padded into columns, two blanks between; `is_right` names the right-aligned columns. The last column
/// is not padded. Control bytes in cells are escaped.
std::string text_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& is_right);

/// Text wrapped at blanks to `width`, every line indented; paragraphs are separated by "\n" in `text`.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

/// 16301234 -> "16,301,234"; reals with four significant digits.
std::string human_number(double value);

}  // namespace unveil::cli
