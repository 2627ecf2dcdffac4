// Sums of rates over worlds, and how the lab's long tests print them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "lab/score.hpp"

namespace unveil::test {

struct Sum {
    std::uint64_t hits = 0;
    std::uint64_t trials = 0;
    void add(const Rate& rate) {
        hits += rate.hits;
        trials += rate.trials;
    }
    Rate wilson() const { return wilson_rate(hits, trials); }
    Rate exact() const { return exact_rate(hits, trials); }
};

inline std::string text_of(const Rate& rate) {
    if (!rate.value()) return "-";
    char text[80];
    std::snprintf(text, sizeof text, "%llu/%llu = %.5f (%.5f to %.5f)",
                  static_cast<unsigned long long>(rate.hits), static_cast<unsigned long long>(rate.trials),
                  *rate.value(), rate.low, rate.high);
    return text;
}

}  // namespace unveil::test
