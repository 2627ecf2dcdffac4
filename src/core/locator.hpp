// Where in the evidence a record stands, so that every number leads back to bytes.
#pragma once

#include <compare>
#include <cstdint>

namespace unveil {

/// `evidence` is the position in the run's list of inputs; `row` counts data records from 1 (a CSV header is not
/// counted, skipped records are), so it can be found again with any tool.
struct Locator {
    std::uint32_t evidence = 0;
    std::uint64_t row = 0;
    auto operator<=>(const Locator&) const = default;
};

}  // namespace unveil
