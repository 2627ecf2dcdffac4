// Do forged addresses come in turn? Some boxes go through one list of addresses again and again, in several processes at once; resolvers and hosts do not.
#pragma once

#include <cstdint>
#include <span>

namespace unveil {

struct AddressOrder {
    std::uint64_t addresses = 0;   // different ones
    std::uint64_t compared = 0;    // answers whose address had come before
    std::uint64_t alike = 0;       // of them, those after which one of the addresses comes that came after it then, within five answers
    double p_value = 1;            // that so many are alike in any order
};

/// Addresses in the order of their answers, by number; the first 4,096 count. Against 999 orders at random (seeded), so that p is 0.001 at least; 1 where fewer
/// than 20 can be compared. O(answers).
AddressOrder address_order(std::span<const std::uint32_t> answers);

}  // namespace unveil
