#include "lab/set_score.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.hpp"

namespace unveil {

SetScore::Row set_score_row(std::string what, const std::vector<std::string>& found, const std::set<std::string>& there) {
    return set_score_row(std::move(what), found, there, there);
}

SetScore::Row set_score_row(std::string what, const std::vector<std::string>& found, const std::set<std::string>& there, const std::set<std::string>& to_be_found) {
    SetScore::Row row;
    row.what = std::move(what);
    std::uint64_t right = 0;
    for (const auto& one : found)
        if (there.count(one) > 0) ++right;
        else row.wrong.push_back(one);
    const std::set<std::string> seen(found.begin(), found.end());
    for (const auto& one : to_be_found)
        if (seen.count(one) == 0) row.missed.push_back(one);
    row.precision = wilson_rate(right, found.size());
    row.recall = wilson_rate(to_be_found.size() - row.missed.size(), to_be_found.size());
    return row;
}

Findings findings_with(const std::string& folder, std::string_view metric, std::string_view instrument) {
    std::vector<std::string> paths;
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/runs", failure)) paths.push_back((entry.path() / "findings.json").string());
    std::sort(paths.begin(), paths.end());
    if (paths.empty()) paths.push_back(folder + "/findings.json");
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        if (!file) continue;
        Findings findings = findings_from_json(std::string{std::istreambuf_iterator<char>(file), {}});
        if (findings.find(metric) != nullptr) return findings;
    }
    throw Error(ErrorKind::input, fmt::format("holds no findings of the {} instrument", instrument),
                fmt::format("Give the --out folder of 'unveil {}' or 'unveil investigate'", instrument), folder);
}

}  // namespace unveil
