#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "instruments/interference/ooni_scorers.hpp"

namespace unveil::interference {
namespace {

std::uint32_t first_four(const char* bytes) {
    std::uint32_t out = 0;
    std::memcpy(&out, bytes, sizeof out);
    return out;
}

/// Which of 2^16 classes a start falls into, so that most places of a body cost one look at a bit.
std::size_t start_class(std::uint32_t four) { return (four * 2654435761u) >> 16; }

constexpr std::size_t start_classes = 1u << 16;

constexpr std::int64_t expression_bytes_max = 1 << 20;  // of memory for each
constexpr std::int64_t set_bytes_max = 64 << 20;        // for all of one location at once

/// The longest text that stands in every match; empty where the expression is more than texts, dots and ".*".
std::string text_of_expression(std::string_view expression) {
    constexpr std::string_view special = "[](){}^$|?*+";
    std::string longest;
    std::string text;
    const auto end_text = [&] {
        if (text.size() > longest.size()) longest = text;
        text.clear();
    };
    for (std::size_t i = 0; i < expression.size(); ++i) {
        const char c = expression[i];
        if (c == '.') {
            end_text();
            i += i + 1 < expression.size() && expression[i + 1] == '*';
        } else if (c == '\\' && i + 1 < expression.size() && (special.find(expression[i + 1]) != std::string_view::npos || expression[i + 1] == '.')) {
            text.push_back(expression[++i]);
        } else if (c == '\\' || special.find(c) != std::string_view::npos) {
            return {};
        } else {
            text.push_back(c);
        }
    }
    end_text();
    return longest;
}

RE2::Options expression_options(std::int64_t bytes_max) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(bytes_max);
    return options;
}

}  // namespace

struct FingerprintSet::Expressions {
    std::string location;
    std::vector<std::uint32_t> places;
    std::vector<std::unique_ptr<RE2>> single;
    std::unique_ptr<RE2::Set> all;  // null where they do not fit into memory together
};

FingerprintSet::FingerprintSet(std::vector<Fingerprint> fingerprints) : m_all(std::move(fingerprints)) {
    std::map<std::string_view, std::shared_ptr<Expressions>> expressions;
    for (std::uint32_t i = 0; i < m_all.size(); ++i) {
        const auto& fingerprint = m_all[i];
        if (fingerprint.match == Fingerprint::Match::regexp) {
            auto expression = std::make_unique<RE2>(fingerprint.pattern, expression_options(expression_bytes_max));
            if (expression->ok()) {
                auto& of_location = expressions[fingerprint.location];
                if (!of_location) of_location = std::make_shared<Expressions>();
                of_location->places.push_back(i);
                of_location->single.push_back(std::move(expression));
                if (auto text = fingerprint.location == "body" ? text_of_expression(fingerprint.pattern) : std::string(); text.size() >= 4) {
                    if (m_starts.empty()) m_starts.resize(start_classes);
                    const auto four = first_four(text.data());
                    m_starts[start_class(four)] = true;
                    m_texts.emplace(four, std::move(text));
                } else {
                    m_has_expression_without_text = m_has_expression_without_text || fingerprint.location == "body";
                }
            } else {
                ++m_expressions_unusable;
            }
        }
        if (fingerprint.location == "dns") m_dns.emplace(fingerprint.pattern, i);
        else if (fingerprint.location == "body") {
            if (fingerprint.pattern.size() < 4) {
                m_short_bodies.push_back(i);
                continue;
            }
            if (m_starts.empty()) m_starts.resize(start_classes);
            const auto four = first_four(fingerprint.pattern.data());
            m_starts[start_class(four)] = true;
            m_bodies.emplace(four, i);
        } else {
            m_headers.emplace(std::string_view(fingerprint.location).substr(std::string_view("header.").size()), i);
        }
    }
    for (auto& [location, of_location] : expressions) {
        of_location->location = location;
        auto all = std::make_unique<RE2::Set>(expression_options(set_bytes_max), RE2::UNANCHORED);
        for (const auto& expression : of_location->single) all->Add(expression->pattern(), nullptr);
        if (all->Compile()) of_location->all = std::move(all);
        m_expressions.push_back(std::move(of_location));
    }
}

std::vector<std::uint32_t> FingerprintSet::of_expressions(std::string_view location, std::string_view text) const {
    std::vector<std::uint32_t> out;
    for (const auto& of_location : m_expressions) {
        if (of_location->location != location) continue;
        std::vector<int> matches;
        RE2::Set::ErrorInfo fault{};
        if (of_location->all && (of_location->all->Match(text, &matches, &fault) || fault.kind == RE2::Set::kNoError)) {
            for (const int match : matches) out.push_back(of_location->places[static_cast<std::size_t>(match)]);
            continue;
        }
        // Together they need more memory than they may have; each alone makes do with less, only slower.
        for (std::size_t i = 0; i < of_location->places.size(); ++i)
            if (RE2::PartialMatch(text, *of_location->single[i])) out.push_back(of_location->places[i]);
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::uint32_t> FingerprintSet::of_answer(const DnsAnswer& answer) const {
    std::vector<std::uint32_t> out;
    const auto [begin, end] = m_dns.equal_range(answer.address.empty() ? answer.name : answer.address);
    for (auto it = begin; it != end; ++it) out.push_back(it->second);
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::uint32_t> FingerprintSet::of_header(std::string_view name_lower, std::string_view value) const {
    std::vector<std::uint32_t> out;
    const auto [begin, end] = m_headers.equal_range(name_lower);
    for (auto it = begin; it != end; ++it) {
        const auto& fingerprint = m_all[it->second];
        const bool is_match = fingerprint.match == Fingerprint::Match::full       ? value == fingerprint.pattern
                              : fingerprint.match == Fingerprint::Match::prefix   ? value.starts_with(fingerprint.pattern)
                              : fingerprint.match == Fingerprint::Match::contains ? value.find(fingerprint.pattern) != std::string_view::npos
                                                                                  : false;
        if (is_match) out.push_back(it->second);
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::uint32_t> FingerprintSet::of_body(std::string_view body) const {
    bool has_text = false;
    return scan(body, has_text);
}

std::vector<std::uint32_t> FingerprintSet::of_page(std::string_view body) const {
    bool has_text = m_has_expression_without_text;
    auto out = scan(body, has_text);
    std::erase_if(out, [&](auto place) { return m_all[place].match == Fingerprint::Match::regexp; });
    if (!has_text) return out;
    const auto expressions = of_expressions("body", body);
    out.insert(out.end(), expressions.begin(), expressions.end());
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::uint32_t> FingerprintSet::scan(std::string_view body, bool& has_text) const {
    std::vector<std::uint32_t> out;
    for (const auto place : m_short_bodies)
        if (body.find(m_all[place].pattern) != std::string_view::npos) out.push_back(place);
    if (!m_starts.empty())
        for (std::size_t i = 0; i + 4 <= body.size(); ++i) {
            const auto four = first_four(body.data() + i);
            if (!m_starts[start_class(four)]) continue;
            const auto [begin, end] = m_bodies.equal_range(four);
            for (auto it = begin; it != end; ++it)
                if (body.substr(i).starts_with(m_all[it->second].pattern) && std::find(out.begin(), out.end(), it->second) == out.end())
                    out.push_back(it->second);
            if (has_text) continue;
            const auto [first, last] = m_texts.equal_range(four);
            has_text = std::any_of(first, last, [&](const auto& text) { return body.substr(i).starts_with(text.second); });
        }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace unveil::interference
