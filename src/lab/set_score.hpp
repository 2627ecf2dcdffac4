// How well do the sets that an instrument found agree with those that a world planted?
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "instruments/finding.hpp"
#include "lab/score.hpp"

namespace unveil {

struct SetScore {
    struct Row {
        std::string what;      // "certified rules", "rules in abroad", "folds"
        Rate precision;        // of what was found, how much is there
        Rate recall;           // of what is there, how much was found
        std::vector<std::string> wrong;    // found, but not there
        std::vector<std::string> missed;
    };
    std::vector<Row> rows;
};

SetScore::Row set_score_row(std::string what, const std::vector<std::string>& found, const std::set<std::string>& there);
/// The same where some of it showed too rarely to be found: right when found, not missed otherwise.
SetScore::Row set_score_row(std::string what, const std::vector<std::string>& found, const std::set<std::string>& there, const std::set<std::string>& to_be_found);

/// The findings of the folder itself, or of the first run below it that says something of `metric`. Throws Error(input) when there is none.
Findings findings_with(const std::string& folder, std::string_view metric, std::string_view instrument);

}  // namespace unveil
