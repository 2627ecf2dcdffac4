// Seeded random numbers that are the same on every machine. Standard-library distributions are not, so ours are here.
#pragma once

#include <cmath>
#include <cstdint>

namespace unveil {

/// Mixes 64 bits (splitmix64 finaliser, Steele et al., OOPSLA 2014).
constexpr std::uint64_t mix64(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/// splitmix64: one 64-bit state, passes BigCrush; streams for different (seed, stream) are independent in practice.
class Random {
  public:
    explicit constexpr Random(std::uint64_t seed, std::uint64_t stream = 0)
        : m_state(mix64(seed + 0x9e3779b97f4a7c15ULL) ^ mix64(stream * 0xd1342543de82ef95ULL + 1)) {}

    constexpr std::uint64_t next() { return mix64(m_state += 0x9e3779b97f4a7c15ULL); }
    /// In (0, 1).
    double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1.0p-53; }
    /// In [0, bound); bound > 0. Lemire's multiply-shift; bias below 2^-32 for bounds below 2^32.
    std::uint64_t below(std::uint64_t bound) {
        return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
    }
    bool chance(double probability) { return uniform() < probability; }
    /// Mean `mean`; inversion.
    double exponential(double mean) { return -mean * std::log(uniform()); }

  private:
    __extension__ using Wide = unsigned __int128;
    std::uint64_t m_state;
};

}  // namespace unveil
