#include "instruments/coordination/fusion.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "statistics/multiple_testing.hpp"

namespace unveil::coordination {

std::vector<FusedEdge> fuse(std::vector<FusionInput> inputs, std::uint32_t tests_each, double pairs_of_accounts) {
    std::sort(inputs.begin(), inputs.end(), [](const FusionInput& x, const FusionInput& y) {
        return std::make_tuple(x.a, x.b, x.trace, x.p) < std::make_tuple(y.a, y.b, y.trace, y.p);
    });
    std::vector<FusedEdge> edges;
    for (std::size_t begin = 0; begin < inputs.size();) {
        FusedEdge edge{inputs[begin].a, inputs[begin].b, 0, false, false, 1, 1, {}};
        std::map<std::uint32_t, std::uint32_t> weight_of;
        std::map<std::uint32_t, double> part_of;
        double total = 0;
        std::size_t end = begin;
        for (; end < inputs.size() && inputs[end].a == edge.a && inputs[end].b == edge.b; ++end) {
            const FusionInput& input = inputs[end];
            edge.p = std::min(edge.p, input.p);
            edge.is_kept_somewhere |= input.is_kept;
            edge.is_found_somewhere |= input.is_found;
            weight_of[input.trace] = std::max(weight_of[input.trace], input.weight);
            // A weighted p may lie below the smallest number that can be inverted.
            const double part = 1 / std::max(input.p, 1e-306);
            part_of[input.trace] += part;
            total += part;
        }
        for (const auto& [trace, weight] : weight_of) edge.weight += weight;
        for (const auto& [trace, part] : part_of) edge.shares.emplace_back(trace, part / total);
        std::stable_sort(edge.shares.begin(), edge.shares.end(), [](const auto& x, const auto& y) { return x.second > y.second; });
        edge.p = std::min(1.0, edge.p * tests_each);
        edges.push_back(std::move(edge));
        begin = end;
    }
    std::vector<double> merged(edges.size());
    std::transform(edges.begin(), edges.end(), merged.begin(), [](const FusedEdge& edge) { return edge.p; });
    const auto q = benjamini_hochberg(merged, std::max(pairs_of_accounts, static_cast<double>(merged.size())));
    for (std::size_t i = 0; i < edges.size(); ++i) edges[i].q = q[i];
    return edges;
}

}  // namespace unveil::coordination
