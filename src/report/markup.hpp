// How hostile text and plain numbers become parts of a page: everything a report shows passes through here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace unveil {

/// Valid UTF-8 in which nothing acts: control bytes and invalid UTF-8 become U+FFFD, characters that reorder the text
/// around them (U+202A..U+202E, U+2066..U+2069) become "[U+202E]". At most `characters_max` characters, then an ellipsis.
std::string visible_text(std::string_view bytes, std::size_t characters_max = 2000);

/// visible_text, escaped for HTML and for XML.
void append_text(std::string_view bytes, std::string& out);
/// The same inside <bdi>, for names and ids: their direction of writing cannot reach the words around them.
void append_name(std::string_view bytes, std::string& out);

/// How many columns of a fixed-width font the text takes: 2 for East Asian wide characters and most emoji.
std::size_t text_columns(std::string_view text);
/// The front of `text` (visible_text already) in at most `columns_max` columns, with an ellipsis when it was cut.
std::string shortened(std::string_view text, std::size_t columns_max);

/// "35,125", "0.0312", "-1.5": whole numbers in full, others with four significant digits; never an exponent unless
/// the number is beyond 1e15 or below 1e-6.
std::string number_text(double value);
std::string count_text(std::uint64_t value);
/// "1.2 MB"
std::string bytes_text(std::uint64_t bytes);

/// Base64 of a digest in hex, as content-security policies spell it.
std::string base64_of_hex(std::string_view hex);

}  // namespace unveil
