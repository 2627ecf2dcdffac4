#include <algorithm>
#include <cstring>

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

}  // namespace

FingerprintSet::FingerprintSet(std::vector<Fingerprint> fingerprints) : m_all(std::move(fingerprints)) {
    for (std::uint32_t i = 0; i < m_all.size(); ++i) {
        const auto& fingerprint = m_all[i];
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
        }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace unveil::interference
