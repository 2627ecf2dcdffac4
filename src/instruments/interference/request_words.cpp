#include "instruments/interference/request_words.hpp"

#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "net/http.hpp"
#include "statistics/binomial.hpp"
#include "statistics/multiple_testing.hpp"

namespace unveil {
namespace {

constexpr std::uint64_t hits_min = 3;

void add_share(FlowShare& sum, const FlowShare& share) {
    sum.hits += share.hits;
    sum.flows += share.flows;
}

}  // namespace

std::string request_text(std::string_view target) {
    if (const auto scheme = target.find("://"); scheme != std::string_view::npos && scheme < target.find_first_of("/?")) {
        const auto path = target.find('/', scheme + 3);
        target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    }
    std::string decoded = percent_decoded(target);
    if (!is_valid_utf8(decoded)) {
        std::string converted;
        icu::UnicodeString(decoded.data(), static_cast<std::int32_t>(decoded.size()), "gb18030").toUTF8String(converted);
        decoded = std::move(converted);
    }
    std::string text = folded(decoded);
    if (text.size() > request_text_bytes_max) {
        std::size_t end = request_text_bytes_max;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
        text.resize(end);
    }
    return text;
}

std::vector<std::string_view> request_words(std::string_view text) {
    constexpr std::size_t in_a_row_min = 2;
    constexpr std::size_t in_a_row_max = 6;
    constexpr std::size_t bytes_min = 2;
    std::vector<std::string_view> words;
    std::vector<std::int32_t> run;   // where its letters begin, and where it ends
    bool is_latin = true;
    const auto end_run = [&] {
        if (run.size() < 2) return run.clear();
        const auto between = [&](std::size_t from, std::size_t to) { return text.substr(static_cast<std::size_t>(run[from]), static_cast<std::size_t>(run[to] - run[from])); };
        const std::size_t letters = run.size() - 1;
        if (is_latin || letters <= in_a_row_min) {
            if (between(0, letters).size() >= bytes_min) words.push_back(between(0, letters));
        } else {
            for (std::size_t from = 0; from < letters; ++from)
                for (std::size_t count = in_a_row_min; count <= in_a_row_max && from + count <= letters; ++count) words.push_back(between(from, from + count));
        }
        run.clear();
    };
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto size = static_cast<std::int32_t>(text.size());
    for (std::int32_t at = 0; at < size;) {
        const std::int32_t begin = at;
        UChar32 c = 0;
        U8_NEXT(bytes, at, size, c);
        const bool is_letter = c >= 0 && u_isalnum(c);
        const bool is_own_latin = c < 0x250;
        if (!is_letter || (!run.empty() && is_own_latin != is_latin)) end_run();
        if (!is_letter) continue;
        is_latin = is_own_latin;
        if (run.empty()) run.push_back(begin);
        run.push_back(at);
    }
    end_run();
    return words;
}

std::vector<WordShare> find_words(std::span<const RequestShare> requests, const std::function<double(const FlowShare&)>& chance_of, double q_value_max) {
    std::map<std::uint32_t, FlowShare> hosts;
    for (const RequestShare& request : requests) add_share(hosts[request.host], request.share);
    std::erase_if(hosts, [](const auto& host) { return host.second.hits == 0 || host.second.hits == host.second.flows; });
    if (hosts.empty()) return {};

    std::unordered_set<std::uint64_t> all_words;
    std::map<std::string_view, std::uint64_t> hits_of;
    for (const RequestShare& request : requests) {
        if (hosts.count(request.host) == 0) continue;
        std::set<std::string_view> own;
        for (const auto word : request_words(request.text)) {
            all_words.insert(hash_bytes(word));
            if (request.share.hits > 0) own.insert(word);
        }
        for (const auto word : own) hits_of[word] += request.share.hits;
    }
    std::vector<std::pair<std::string_view, std::uint64_t>> tried;
    for (const auto& item : hits_of)
        if (item.second >= hits_min) tried.push_back(item);
    constexpr std::size_t tried_max = 200;
    std::stable_sort(tried.begin(), tried.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    if (tried.size() > tried_max) tried.resize(tried_max);
    if (tried.empty()) return {};

    struct Candidate {
        std::string_view word;
        std::vector<std::size_t> requests;
        std::vector<std::string_view> same;   // words of the same requests, shorter or later
    };
    std::vector<Candidate> candidates;
    for (const auto& [word, hits] : tried) {
        Candidate one;
        one.word = word;
        for (std::size_t i = 0; i < requests.size(); ++i)
            if (hosts.count(requests[i].host) > 0 && requests[i].text.find(word) != std::string_view::npos) one.requests.push_back(i);
        candidates.push_back(std::move(one));
    }
    // Of words that say the same the longer one, which says more.
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return std::tuple(b.word.size(), a.word) < std::tuple(a.word.size(), b.word); });
    std::map<std::vector<std::size_t>, std::size_t> first_with;
    std::vector<Candidate> different;
    for (Candidate& one : candidates) {
        const auto [known, is_new] = first_with.try_emplace(one.requests, different.size());
        if (is_new) different.push_back(std::move(one));
        else different[known->second].same.push_back(one.word);
    }

    // One after another the word that parts the requests which are left best; each then takes those that hold it.
    const auto split = [&](const std::vector<std::size_t>& holding, const std::vector<std::uint8_t>& is_taken, const FlowShare& left) {
        FlowShare own;
        for (const std::size_t i : holding)
            if (is_taken[i] == 0) add_share(own, requests[i].share);
        const FlowShare others = {left.hits - own.hits, left.flows - own.flows};
        const bool is_more = own.hits * others.flows > others.hits * own.flows;
        return own.hits >= hits_min && is_more ? log_by_any_rate(own) + log_by_any_rate(others) - log_by_any_rate(left) : 0;
    };
    std::vector<const Candidate*> chosen;
    std::vector<std::uint8_t> is_taken(requests.size());
    FlowShare left;
    for (const auto& [host, share] : hosts) add_share(left, share);
    constexpr std::size_t chosen_max = 50;
    while (chosen.size() < chosen_max) {
        const Candidate* best = nullptr;
        double best_ratio = 0;
        for (const Candidate& one : different)
            if (const double ratio = split(one.requests, is_taken, left); ratio > best_ratio) {
                best = &one;
                best_ratio = ratio;
            }
        if (best == nullptr) break;
        chosen.push_back(best);
        for (const std::size_t i : best->requests) {
            if (is_taken[i] != 0) continue;
            is_taken[i] = 1;
            left.hits -= requests[i].share.hits;
            left.flows -= requests[i].share.flows;
        }
    }
    // Each is tested against what holds none of them; those that fail go back, as they may have taken what is harmless.
    std::vector<WordShare> found;
    while (!chosen.empty()) {
        std::fill(is_taken.begin(), is_taken.end(), std::uint8_t{0});
        std::map<std::uint32_t, FlowShare> harmless = hosts;
        found.clear();
        for (const Candidate* one : chosen) {
            WordShare& share = found.emplace_back();
            share.words.emplace_back(one->word);
            constexpr std::size_t words_max = 4;
            for (const auto word : one->same)
                if (share.words.size() < words_max && std::none_of(share.words.begin(), share.words.end(), [&](const std::string& other) { return other.find(word) != std::string::npos; }))
                    share.words.emplace_back(word);
            for (const std::size_t i : one->requests) {
                if (is_taken[i] != 0) continue;
                is_taken[i] = 1;
                share.requests.push_back(i);
                add_share(share.own, requests[i].share);
                FlowShare& host = harmless[requests[i].host];
                host.hits -= requests[i].share.hits;
                host.flows -= requests[i].share.flows;
            }
        }
        std::vector<double> p_values;
        for (WordShare& share : found) {
            std::set<std::uint32_t> asked;
            for (const std::size_t i : share.requests) asked.insert(requests[i].host);
            for (const std::uint32_t host : asked) add_share(share.controls, harmless[host]);
            p_values.push_back(share.own.hits < hits_min ? 1 : binomial_tail(share.own.hits, share.own.flows, chance_of(share.controls)));
            share.p_value = p_values.back();
        }
        const auto q_values = benjamini_hochberg(p_values, static_cast<double>(all_words.size()));
        std::vector<const Candidate*> kept;
        for (std::size_t i = 0; i < found.size(); ++i) {
            found[i].q_value = q_values[i];
            if (q_values[i] <= q_value_max) kept.push_back(chosen[i]);
        }
        if (kept.size() == chosen.size()) return found;
        chosen = std::move(kept);
    }
    return {};
}

}  // namespace unveil
