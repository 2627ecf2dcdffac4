#include "table/certificate.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace unveil::filter {

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
    certificate.confidence = 1;
    bool is_shorter_blocked = false;
    for (const CertificateTest& test : tests) {
        const Answers& answers = book.answers(context, test.message);
        if (test.is_further) {
            const double blocked = book.noise().probability_blocked(answers);
            is_shorter_blocked |= answers.tries() > 0 && (test.is_blocked_expected ? 1 - blocked : blocked) >= confidence;
            continue;
        }
        ++certificate.tests;
        certificate.tests_made += answers.tries() > 0;
        double blocked = book.noise().probability_blocked(answers);
        if (!test.is_blocked_expected && !test.as_longer_word.empty())
            if (const Answers& longer = book.answers(context, test.as_longer_word); longer.tries() > 0)
                blocked = std::min(blocked, book.noise().probability_blocked(longer));
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
