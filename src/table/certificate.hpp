// Is this exactly what the filter forbids, no part too many? A rule is certified when its components alone are blocked, and are no
// longer blocked once any of them lacks its first or its last character: at most 2 m + 1 messages for m components. Under the
// model that a message is blocked when it holds all components of some rule, no component can then be shortened or left out.
// It does not prove that a component is not two that stand side by side, which a further test of each shows, nor that no longer text is an exception.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "table/rule.hpp"
#include "table/trial_book.hpp"

namespace unveil::filter {

enum class CertificateState {
    certified,
    not_blocked,   // the components alone pass: it is no rule by itself
    not_minimal,   // something less is blocked too, or a component is two words
    open,          // a test is missing, or its answers do not suffice
};
std::string_view certificate_state_name(CertificateState state);

struct Certificate {
    CertificateState state = CertificateState::open;
    double confidence = 0;       // that every test would come out the same once more: the product of their probabilities
    std::uint32_t tests_made = 0;
    std::uint32_t tests = 0;
    Locator whole;               // where the components alone were first sent
};

/// Each answer must be sure at `confidence` together: the product over all tests. Further ones need not be there.
Certificate check_certificate(std::span<const CertificateTest> tests, const std::string& context, const TrialBook& book,
                              double confidence);

}  // namespace unveil::filter
