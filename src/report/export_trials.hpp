// A log of trials of a filter experiment in the forms that others read: a table of messages, and the certified rules in public notation.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.hpp"

namespace unveil {

class Pseudonyms;

struct TrialExportOptions {
    std::string out;                            // a folder
    const Pseudonyms* pseudonyms = nullptr;     // null: aliases of accounts as they are
    bool hashes_texts = false;                  // no message is written, only its digest
    bool withholds_evasions = false;            // the same for changed spellings alone
    double confidence = 0.99;                   // of each certificate
    std::function<void(std::string_view line)> say;   // what was left out; may be empty
};

/// OUT/messages.csv with one row for each trial; OUT/rules.txt with the certified rules, of several spellings one, "a + b" a line, as `unveil probe --rules` reads
/// them back; OUT/rules.csv with one row for each certified rule and context; OUT/model.json, what kind of filter it is. What is certified is decided by the instrument `filter`. With
/// lists of labelled words the rules have topics. Throws Error(input) for logs that the instrument cannot read, Error(run) when writing fails.
void export_trials(const std::vector<std::string>& logs, const std::vector<std::string>& labelled_words, const TrialExportOptions& options, Progress& progress);

}  // namespace unveil
