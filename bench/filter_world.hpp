// Lists that platforms had, and texts that hold their rules: what the benches of filter campaigns share.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/random.hpp"
#include "core/text.hpp"
#include "evidence/byte_stream.hpp"
#include "experiment/filter/characters.hpp"

namespace unveil::bench {

using Rule = std::vector<std::string>;

inline std::string read_file(const std::string& path) {
    ByteStream stream(open_file_input(path), path, EvidenceLimits{});
    std::string bytes;
    std::vector<char> piece(1 << 16);
    while (const std::size_t count = stream.read(piece.data(), piece.size())) bytes.append(piece.data(), count);
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
    return bytes;
}

inline std::vector<std::vector<std::string>> read_csv(const std::string& text) {
    std::vector<std::vector<std::string>> rows{{""}};
    bool is_quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"' && is_quoted && i + 1 < text.size() && text[i + 1] == '"') rows.back().back() += text[++i];
        else if (c == '"') is_quoted = !is_quoted;
        else if (c == ',' && !is_quoted) rows.back().emplace_back();
        else if (c == '\n' && !is_quoted) rows.push_back({""});
        else if (c != '\r') rows.back().back() += c;
    }
    return rows;
}

inline Rule components_of(std::string_view cell) {
    Rule rule;
    for (std::size_t at = 0; at <= cell.size();) {
        const auto end = std::min(cell.find('+', at), cell.size());
        if (const auto one = trimmed(cell.substr(at, end - at)); !one.empty()) rule.emplace_back(one);
        at = end + 1;
    }
    std::sort(rule.begin(), rule.end());
    rule.erase(std::unique(rule.begin(), rule.end()), rule.end());
    return rule;
}

/// "2020-1-21 9:05:07" as numbers, so that days sort.
inline std::vector<int> date_of(const std::string& text) {
    std::vector<int> numbers{0};
    for (const char c : text)
        if (c >= '0' && c <= '9') numbers.back() = numbers.back() * 10 + (c - '0');
        else numbers.push_back(0);
    return numbers;
}

inline std::vector<Rule> read_rules(const std::string& folder, const std::vector<int>& from = {}, const std::vector<int>& until = {9999}) {
    const auto rows = read_csv(read_file(folder + "/wechat_covid19_combos_2020.csv.gz"));
    const auto column = [&](std::string_view name) { return static_cast<std::size_t>(std::find(rows[0].begin(), rows[0].end(), name) - rows[0].begin()); };
    const std::size_t rule_column = column("keyword_combination");
    const std::size_t date_column = column("detected_on");
    std::vector<std::pair<std::vector<int>, Rule>> dated;
    for (std::size_t i = 1; i < rows.size(); ++i)
        if (rows[i].size() > std::max(rule_column, date_column)) dated.emplace_back(date_of(rows[i][date_column]), components_of(rows[i][rule_column]));
    std::stable_sort(dated.begin(), dated.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
    std::vector<Rule> rules;
    std::set<Rule> seen;
    for (auto& [date, rule] : dated)
        if (!rule.empty() && seen.insert(rule).second && date >= from && date < until) rules.push_back(rule);
    return rules;
}

inline std::vector<std::string> read_lexicon(const std::string& folder) {
    std::set<std::string> words;
    for (const auto& [file, name] : {std::pair{"june4_keywords_multiplatform.csv.gz", "word"},
                                     {"tomskype_sinauc_keywords_coded.csv.gz", "word"},
                                     {"livestream_keywords_2015-02_2015-05_coded.csv.gz", "word"},
                                     {"wechat_709crackdown_combos_2016-2017.csv.gz", "Keyword"}}) {
        const auto rows = read_csv(read_file(folder + "/" + file));
        const auto column = static_cast<std::size_t>(std::find(rows[0].begin(), rows[0].end(), name) - rows[0].begin());
        for (std::size_t i = 1; i < rows.size(); ++i)
            if (rows[i].size() > column)
                for (const auto& word : components_of(rows[i][column])) {
                    const std::size_t characters = characters_of(word).size();
                    if (characters >= 2 && characters <= 8) words.insert(word);
                }
    }
    return {words.begin(), words.end()};
}

inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        if (const auto line = trimmed(std::string_view(text).substr(at, end - at)); !line.empty()) lines.emplace_back(line);
        at = end + 1;
    }
    return lines;
}

inline bool fires(const Rule& rule, std::string_view text) {
    return std::all_of(rule.begin(), rule.end(), [&](const auto& component) { return text.find(component) != std::string_view::npos; });
}

struct Job {
    const Rule* rule = nullptr;
    std::string text;
    std::vector<const Rule*> can_fire;   // rules whose components all stand in the text
};

/// Sentences in random order, cut to so many characters; none of the rules fires.
inline std::string carrier(const std::vector<std::string>& sentences, std::size_t characters, const std::vector<Rule>& rules, Random& random) {
    for (;;) {
        std::u32string text;
        while (text.size() < characters) text += characters_of(sentences[random.below(sentences.size())]);
        text.resize(characters);
        const std::string bytes = bytes_of(text);
        if (std::none_of(rules.begin(), rules.end(), [&](const Rule& rule) { return fires(rule, bytes); })) return bytes;
    }
}

inline std::vector<Job> make_jobs(const std::vector<Rule>& rules, const std::vector<std::string>& sentences, std::size_t characters, bool is_repeated,
                           std::size_t every, Random& random) {
    std::vector<Job> jobs;
    for (std::size_t r = 0; r < rules.size(); r += every) {
        std::vector<std::string> planted;
        for (const auto& component : rules[r]) {
            planted.push_back(component);
            while (is_repeated && random.chance(0.5)) planted.push_back(component);
        }
        for (std::size_t i = planted.size(); i > 1; --i) std::swap(planted[i - 1], planted[random.below(i)]);
        std::size_t taken = 0;
        for (const auto& component : planted) taken += characters_of(component).size();
        const std::u32string base = characters_of(carrier(sentences, characters - std::min(characters, taken), rules, random));
        // Never inside one another: all go between characters of the carrier.
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < planted.size(); ++i) places.push_back(random.below(base.size() + 1));
        std::sort(places.begin(), places.end());
        Job job{&rules[r], {}, {}};
        std::size_t at = 0;
        for (std::size_t i = 0; i < planted.size(); ++i) {
            job.text += bytes_of(base.substr(at, places[i] - at)) + planted[i];
            at = places[i];
        }
        job.text += bytes_of(base.substr(at));
        for (const auto& rule : rules)
            if (fires(rule, job.text)) job.can_fire.push_back(&rule);
        jobs.push_back(std::move(job));
    }
    return jobs;
}

}  // namespace unveil::bench
