// Lists of words with what they are about: a CSV file with a column for the word and one for its category or topic. docs/formats/labelled-words.md.
#pragma once

#include <memory>
#include <string>

#include "table/labelled_word.hpp"

namespace unveil {

/// Whether the file is a table with both columns; false for one that cannot be read.
bool is_labelled_words_file(const std::string& path);

/// Throws Error(input) when a column is missing. Rows without a word or a label, and text that is not UTF-8, are counted as skipped.
std::unique_ptr<LabelledWordSource> open_labelled_words(const std::string& path);

}  // namespace unveil
