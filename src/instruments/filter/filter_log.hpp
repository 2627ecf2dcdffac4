// What stands in the logs of a filter experiment, before anything is judged: answers by message, and which rules they were about.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/progress.hpp"
#include "instruments/filter/trial_book.hpp"

namespace unveil::filter {

/// What the logs say about one rule before anything is judged.
struct Subject {
    std::vector<std::string> components;
    std::map<std::string, std::map<std::string, std::string>> probes;   // context, fold -> the variant that was sent
    std::map<std::string, std::map<std::string, std::string>> shapes;   // context, "letter before" or "letter behind" -> the message
    std::map<std::string, std::set<std::string>> exceptions;            // context -> notations that were sent beside the rule
};

struct FilterLog {
    TrialBook book;
    std::map<std::string, Subject> subjects;   // by notation
    std::string separator;
};

/// Reads all sources to their end. Throws Error(input) for a log of another experiment, or with another separator than the one before.
FilterLog read_filter_logs(const std::vector<TrialSource*>& sources, double confidence, Progress& progress);

}  // namespace unveil::filter
