#include "instruments/filter/certificate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace unveil::filter {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t first_character_bytes(std::string_view text) {
    std::size_t bytes = 1;
    while (bytes < text.size() && is_continuation(text[bytes])) ++bytes;
    return bytes;
}

std::size_t last_character_begin(std::string_view text) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && is_continuation(text[begin])) --begin;
    return begin;
}

}  // namespace

std::vector<CertificateTest> certificate_tests(std::span<const std::string> components, std::string_view separator) {
    const auto message = [&](std::size_t changed, std::string_view in_its_place) {
        std::string text;
        bool is_first = true;
        for (std::size_t i = 0; i < components.size(); ++i) {
            const std::string_view piece = i == changed ? in_its_place : std::string_view(components[i]);
            if (piece.empty()) continue;
            if (!is_first) text += separator;
            is_first = false;
            text += piece;
        }
        return text;
    };
    std::vector<CertificateTest> tests;
    tests.push_back({"nothing", message(components.size(), {}), true});
    for (std::size_t i = 0; i < components.size(); ++i) {
        const std::string_view component = components[i];
        if (component.empty()) continue;
        const std::size_t first = first_character_bytes(component);
        if (first == component.size()) {
            // Alone, it leaves an empty message, which is no test.
            if (components.size() > 1) tests.push_back({fmt::format("all of {}", i + 1), message(i, {}), false});
            continue;
        }
        tests.push_back({fmt::format("first of {}", i + 1), message(i, component.substr(first)), false});
        tests.push_back({fmt::format("last of {}", i + 1), message(i, component.substr(0, last_character_begin(component))), false});
    }
    return tests;
}

std::string_view certificate_state_name(CertificateState state) {
    switch (state) {
        case CertificateState::certified: return "certified";
        case CertificateState::not_blocked: return "not blocked";
        case CertificateState::not_minimal: return "not minimal";
        case CertificateState::open: return "open";
    }
    UNVEIL_ASSERT(false);
    return {};
}

Certificate check_certificate(std::span<const CertificateTest> tests, const std::string& context, const TrialBook& book,
                              double confidence) {
    Certificate certificate;
    certificate.tests = static_cast<std::uint32_t>(tests.size());
    certificate.confidence = 1;
    bool is_shorter_blocked = false;
    for (const CertificateTest& test : tests) {
        const Answers& answers = book.answers(context, test.message);
        certificate.tests_made += answers.tries() > 0;
        const double blocked = book.noise().probability_blocked(answers);
        certificate.confidence *= test.is_blocked_expected ? blocked : 1 - blocked;
        if (test.is_blocked_expected) certificate.whole = answers.first;
        if (answers.tries() == 0) continue;
        if (test.is_blocked_expected && 1 - blocked >= confidence) certificate.state = CertificateState::not_blocked;
        if (!test.is_blocked_expected && blocked >= confidence) is_shorter_blocked = true;
    }
    if (certificate.state == CertificateState::not_blocked) return certificate;
    if (is_shorter_blocked) certificate.state = CertificateState::not_minimal;
    else if (certificate.tests_made == certificate.tests && certificate.confidence >= confidence)
        certificate.state = CertificateState::certified;
    return certificate;
}

}  // namespace unveil::filter
