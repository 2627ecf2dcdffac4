#include "graph/components.hpp"

#include <numeric>

#include "core/error.hpp"

namespace unveil {

std::vector<std::uint32_t> connected_components(
    std::uint32_t vertices, std::span<const std::pair<std::uint32_t, std::uint32_t>> edges) {
    std::vector<std::uint32_t> parent(vertices);
    std::iota(parent.begin(), parent.end(), 0u);
    const auto root = [&](std::uint32_t vertex) {
        while (parent[vertex] != vertex) {
            parent[vertex] = parent[parent[vertex]];
            vertex = parent[vertex];
        }
        return vertex;
    };
    // The smaller root wins, so every root is the smallest vertex of its component.
    for (const auto& [from, to] : edges) {
        UNVEIL_ASSERT(from < vertices && to < vertices);
        const auto a = root(from);
        const auto b = root(to);
        if (a < b) parent[b] = a;
        else parent[a] = b;
    }
    std::vector<std::uint32_t> number(vertices);
    std::uint32_t count = 0;
    for (std::uint32_t vertex = 0; vertex < vertices; ++vertex) {
        const auto r = root(vertex);
        number[vertex] = r == vertex ? count++ : number[r];
    }
    return number;
}

}  // namespace unveil
