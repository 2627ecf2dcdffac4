#include "instruments/coordination/text_difference.hpp"

#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

namespace unveil::coordination {
namespace {

constexpr int differences_max = 512;
constexpr std::uint64_t steps_max = 4'000'000;
constexpr std::size_t common_min = 3;  // characters between two spans

struct Characters {
    std::vector<std::int32_t> values;
    std::vector<std::size_t> begins;  // in bytes, and the end of the text
};

Characters characters_of(std::string_view text) {
    Characters out;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t begin = i;
        UChar32 c;
        U8_NEXT(bytes, i, text.size(), c);
        if (c < 0) {
            c = -1 - bytes[begin];
            i = begin + 1;
        }
        out.begins.push_back(begin);
        out.values.push_back(c);
    }
    out.begins.push_back(text.size());
    return out;
}

/// In characters.
struct Run {
    std::size_t a;
    std::size_t b;
    std::size_t length;
};

/// The runs that a shortest edit script keeps, from the back to the front; nothing when it would take too long.
std::optional<std::vector<Run>> common_runs(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
    const auto size_a = static_cast<int>(a.size());
    const auto size_b = static_cast<int>(b.size());
    // reached[d][(k + d) / 2]: the furthest x on diagonal k = x - y after d edits.
    std::vector<std::vector<int>> reached;
    std::uint64_t steps = 0;
    const auto start_of = [&](int d, int k) {
        if (d == 0) return 0;
        const auto& last = reached[static_cast<std::size_t>(d - 1)];
        const int from_left = k == -d ? -1 : last[static_cast<std::size_t>((k - 1 + d - 1) / 2)] + 1;
        const int from_above = k == d ? -1 : last[static_cast<std::size_t>((k + 1 + d - 1) / 2)];
        return std::max(from_left, from_above);
    };
    for (int d = 0; d <= differences_max; ++d) {
        std::vector<int> now;
        for (int k = -d; k <= d; k += 2) {
            int x = start_of(d, k);
            // A place outside of both texts leads nowhere, yet may stand: it never comes to the end.
            while (x < size_a && x - k < size_b && x - k >= 0 &&
                   a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(x - k)]) {
                ++x;
                ++steps;
            }
            now.push_back(x);
            if (x == size_a && x - k == size_b) {
                reached.push_back(std::move(now));
                std::vector<Run> runs;
                for (int e = d; e >= 0; --e) {
                    const int end = reached[static_cast<std::size_t>(e)][static_cast<std::size_t>((k + e) / 2)];
                    const int begin = start_of(e, k);
                    if (end > begin)
                        runs.push_back({static_cast<std::size_t>(begin), static_cast<std::size_t>(begin - k),
                                        static_cast<std::size_t>(end - begin)});
                    if (e == 0) break;
                    const auto& last = reached[static_cast<std::size_t>(e - 1)];
                    const bool is_from_left =
                        k != -e && last[static_cast<std::size_t>((k - 1 + e - 1) / 2)] + 1 == begin;
                    k += is_from_left ? -1 : 1;
                }
                return runs;
            }
        }
        steps += now.size();
        if (steps > steps_max) break;
        reached.push_back(std::move(now));
    }
    return std::nullopt;
}

}  // namespace

std::vector<DifferingSpan> differing_spans(std::string_view a, std::string_view b) {
    const Characters left = characters_of(a);
    const Characters right = characters_of(b);
    const std::size_t shorter = std::min(left.values.size(), right.values.size());
    std::size_t before = 0;
    while (before < shorter && left.values[before] == right.values[before]) ++before;
    std::size_t behind = 0;
    while (behind < shorter - before && left.values[left.values.size() - 1 - behind] ==
                                            right.values[right.values.size() - 1 - behind])
        ++behind;
    const std::size_t size_a = left.values.size() - before - behind;
    const std::size_t size_b = right.values.size() - before - behind;
    if (size_a == 0 && size_b == 0) return {};

    auto runs = common_runs(std::span(left.values).subspan(before, size_a),
                            std::span(right.values).subspan(before, size_b));
    if (!runs) runs.emplace();
    std::vector<Run> kept;
    for (auto run = runs->rbegin(); run != runs->rend(); ++run) {
        if (!kept.empty() && kept.back().a + kept.back().length == run->a && kept.back().b + kept.back().length == run->b)
            kept.back().length += run->length;
        else kept.push_back(*run);
    }
    std::erase_if(kept, [](const Run& run) { return run.length < common_min; });
    kept.push_back({size_a, size_b, 0});

    std::vector<DifferingSpan> spans;
    std::size_t from_a = 0;
    std::size_t from_b = 0;
    for (const Run& run : kept) {
        if (run.a > from_a || run.b > from_b)
            spans.push_back({left.begins[before + from_a], left.begins[before + run.a], right.begins[before + from_b],
                             right.begins[before + run.b]});
        from_a = run.a + run.length;
        from_b = run.b + run.length;
    }
    return spans;
}

}  // namespace unveil::coordination
