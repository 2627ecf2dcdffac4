// Which texts are in this file: one a line, the whole file, or a column of a table? For experiments that send texts or try known rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tally.hpp"

namespace unveil {

struct NamedText {
    std::string name;   // "news.txt:12"; for a table "list.csv, record 12"
    std::string text;   // valid UTF-8 without outer blanks, not empty
    /// Of a table that says where and when it was published or seen, and at which place in it: "https://example.org/a 2020-01-31 offset 365". May be empty.
    std::string source = {};
};

struct TextFileOptions {
    bool is_whole = false;    // the file is one text
    std::string column;       // of a table; empty: the first that has a name for texts or rules
};

/// Plain or gz, zst, xz. A file whose name ends in .csv or .tsv, before the ending of its compression, is a table. Empty lines are left
/// out. Throws Error(input) with file:line for text that is not UTF-8, broken records, a file above 64 MiB or without the column.
std::vector<NamedText> read_text_file(const std::string& path, const TextFileOptions& options);

/// The components of a rule in public notation: "a+b" or "a + b". A plus can be no part of a component. None where a part of it is empty.
std::vector<std::string> components_of_public_rule(std::string_view notation);

/// Whether a list is written with wildcards, `*word*`, `*word`, `word*` or `word`: an asterisk at an end for more of the same word, none for the edge
/// of one. A tenth of the lines or more have one; elsewhere an asterisk is a character of its word.
bool has_wildcards(const std::vector<NamedText>& lines);
/// The component without an asterisk at either end; as it is where nothing else would be left.
std::string without_wildcards(std::string_view component);

struct PublicRule {
    std::string name;                      // where it stands, as of NamedText
    std::vector<std::string> components;   // sorted, each once
    std::string source = {};               // as of NamedText
};

struct PublicRules {
    std::vector<PublicRule> rules;
    Tally tally;                           // lines or records
    std::uint64_t with_wildcards = 0;      // rules that had asterisks, which are not in `components`
};

/// Rules to try, one a line or record; those that begin with '#' do not count. Of a list with wildcards the words, which are its rules alone. What is no rule 'a + b' is skipped. Throws as read_text_file(), and
/// where nothing is left.
PublicRules read_public_rules(const std::string& path, const std::string& column);

}  // namespace unveil
