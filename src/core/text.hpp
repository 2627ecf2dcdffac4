// Text of the world: UTF-8 checks, safe printing of hostile bytes, Unicode folding, escaping for our outputs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace unveil {

bool is_valid_utf8(std::string_view bytes);

/// Bytes made fit for a terminal or a log: control bytes and invalid UTF-8 as \xNN, cut with "..." at `bytes_max`.
std::string printable(std::string_view bytes, std::size_t bytes_max);

/// Unicode NFKC_Casefold (UAX #31, DerivedNormalizationProps): compatibility forms and case folded, default
/// ignorable code points (zero-width, variation selectors) removed. Invalid UTF-8 becomes U+FFFD. ASCII is fast.
void append_folded(std::string_view text, std::string& out);
std::string folded(std::string_view text);

/// 1234567 -> "1,234,567".
std::string grouped_digits(std::uint64_t number);

/// White space at both ends removed (ASCII).
std::string_view trimmed(std::string_view text);

/// A CSV cell as RFC 4180 wants it: quoted when it holds a comma, quote, CR or LF, or has outer blanks.
void append_csv_cell(std::string_view text, std::string& out);

/// & < > " ' escaped; C0 control bytes other than tab and newline, and invalid UTF-8, replaced by U+FFFD.
void append_html(std::string_view text, std::string& out);
/// The same for XML 1.0 (GraphML, GEXF).
void append_xml(std::string_view text, std::string& out);

}  // namespace unveil
