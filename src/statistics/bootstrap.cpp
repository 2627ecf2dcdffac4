#include "statistics/bootstrap.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace unveil {

Estimate percentile_estimate(std::optional<double> value, std::vector<double> draws, double level) {
    UNVEIL_ASSERT(level > 0 && level < 1);
    Estimate estimate;
    estimate.value = value;
    draws.erase(std::remove_if(draws.begin(), draws.end(), [](double draw) { return std::isnan(draw); }), draws.end());
    estimate.runs = static_cast<std::uint32_t>(draws.size());
    if (!value || draws.empty()) return estimate;
    std::sort(draws.begin(), draws.end());
    // Outward to the next draw, so that the interval holds at least the level.
    const double last = static_cast<double>(draws.size() - 1);
    const auto low = static_cast<std::size_t>(std::floor((1 - level) / 2 * last));
    estimate.low = std::min(*value, draws[low]);
    estimate.high = std::max(*value, draws[draws.size() - 1 - low]);
    return estimate;
}

}  // namespace unveil
