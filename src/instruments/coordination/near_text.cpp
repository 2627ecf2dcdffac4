#include "instruments/coordination/near_text.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "instruments/coordination/shingles.hpp"

namespace unveil::coordination {
namespace {

constexpr double rounding_slack = 1e-9;
constexpr std::size_t part_texts = 2048;
// What looking at a text again costs, beside reading its posting.
constexpr std::uint32_t candidate_postings = 32;
constexpr std::size_t parts_between_updates = 16;

/// As what a text is indexed. The dense length of a comparison follows both texts, so some texts are indexed twice.
enum Kind : std::uint32_t {
    without_dense = 0,    // the same under both lengths
    short_dense = 1,      // at most dense_short_max dense characters, by short shingles
    short_as_long = 2,    // the same text by long ones, for its longer neighbours
    long_dense = 3,
};

/// Whether two kinds are the ones by which TextComparison compares two such texts.
constexpr bool may_compare[4][4] = {
    {true, true, false, true},
    {true, true, false, false},
    {false, false, false, true},
    {true, false, true, true},
};

/// One text in the list of a bucket of shingles.
struct Posting {
    std::uint32_t place;      // in the order in which texts are taken
    std::uint32_t size : 14;  // different shingles of the text
    std::uint32_t kind : 2;
    std::uint32_t position : 16;  // of the bucket among the text's shingles, rare ones first
};
static_assert(sizeof(Posting) == 8 && shingle_characters_max < (1 << 14));

/// One text under one kind: its first shingles, rare ones first, as buckets.
struct View {
    std::uint32_t place;
    std::uint32_t size : 14;
    std::uint32_t kind : 2;
    std::uint32_t prefix_end;  // in the part's buckets
};

struct Part {
    std::vector<View> views;
    std::vector<std::uint32_t> buckets;
};

/// Bits of the buckets of one prefix.
using Sketch = std::array<std::uint64_t, 2>;

/// How many buckets of `a` are missing in `b`, at least.
double missing(const Sketch& a, const Sketch& b) { return std::popcount(a[0] & ~b[0]) + std::popcount(a[1] & ~b[1]); }

/// The buckets of one prefix, roughly: says yes for all of them and rarely for others.
class BucketFilter {
  public:
    BucketFilter() : m_bits(size / 64, 0) {}
    void fill(std::span<const std::uint32_t> buckets) {
        for (const auto bucket : m_held) m_bits[bucket % size / 64] = 0;
        m_held = buckets;
        for (const auto bucket : m_held) m_bits[bucket % size / 64] |= std::uint64_t{1} << (bucket % 64);
    }
    std::size_t count_in(std::span<const std::uint32_t> buckets) const {
        std::size_t count = 0;
        for (const auto bucket : buckets) count += (m_bits[bucket % size / 64] >> (bucket % 64)) & 1;
        return count;
    }

  private:
    static constexpr std::size_t size = 1 << 15;
    std::vector<std::uint64_t> m_bits;
    std::span<const std::uint32_t> m_held;
};

/// A set of small numbers that is emptied in O(1).
class PlaceSet {
  public:
    explicit PlaceSet(std::size_t places_max) {
        while (std::size_t{1} << m_bits < places_max * 2) ++m_bits;
        m_slots.assign(std::size_t{1} << m_bits, 0);
    }
    void clear() {
        if (++m_epoch != 0) return;
        std::fill(m_slots.begin(), m_slots.end(), 0);
        m_epoch = 1;
    }
    bool insert(std::uint32_t place) {
        const std::size_t mask = m_slots.size() - 1;
        std::size_t slot = (place * std::uint64_t{0x9E3779B97F4A7C15}) >> (64 - m_bits);
        const std::uint64_t wanted = (std::uint64_t{m_epoch} << 32) | place;
        for (; m_slots[slot] >> 32 == m_epoch; slot = (slot + 1) & mask)
            if (m_slots[slot] == wanted) return false;
        m_slots[slot] = wanted;
        return true;
    }

  private:
    unsigned m_bits = 6;
    std::vector<std::uint64_t> m_slots;
    std::uint32_t m_epoch = 0;
};

class Join {
  public:
    Join(std::span<const std::string_view> texts, std::span<const std::uint32_t> weights,
         const NearTextOptions& options, const NearTextLimits& limits, Progress& progress)
        : m_texts(texts),
          m_options(options),
          m_limits(limits),
          m_progress(progress),
          m_han(options.fold_chinese ? Shingler::Han::simplified : Shingler::Han::as_written),
          m_overlap_share(options.jaccard_min / (1 + options.jaccard_min)),
          m_order(texts.size()),
          m_parts((texts.size() + part_texts - 1) / part_texts) {
        std::iota(m_order.begin(), m_order.end(), 0u);
        std::sort(m_order.begin(), m_order.end(), [&](std::uint32_t a, std::uint32_t b) {
            if (!weights.empty() && weights[a] != weights[b]) return weights[a] > weights[b];
            return texts[a] != texts[b] ? texts[a] < texts[b] : a < b;
        });
    }

    NearTextClusters run() {
        m_progress.check();
        count_shingles();
        take_prefixes();
        build_index();
        find_matches();
        return gather();
    }

  private:
    struct Found {
        std::vector<NearTextMatch> matches;  // by places: b is the later one
        NearTextCounts counts;
    };

    std::string_view text_at(std::size_t place) const { return m_texts[m_order[place]]; }

    void for_each_part(std::string_view stage, const std::function<void(std::size_t, std::size_t, std::size_t)>& work) {
        const std::size_t parts = m_parts.size();
        for (std::size_t begin = 0; begin < parts; begin += parts_between_updates) {
            const std::size_t count = std::min(parts_between_updates, parts - begin);
            parallel_parts(count, m_options.threads, [&](std::size_t i) {
                const std::size_t part = begin + i;
                work(part, part * part_texts, std::min(m_order.size(), (part + 1) * part_texts));
            });
            m_progress.update(stage, std::min(m_order.size(), (begin + count) * part_texts), m_order.size());
            m_progress.check();
        }
    }

    std::uint32_t bucket_of(std::uint64_t shingle) const {
        return static_cast<std::uint32_t>(shingle >> (64 - m_bucket_bits));
    }

    std::size_t sketch_of(std::uint32_t place, std::uint32_t kind) const {
        return kind == short_as_long ? m_order.size() + place : place;
    }

    /// How often the shingles of each bucket occur: what is rare. Counted by short dense shingles where a text has
    /// few.
    void count_shingles() {
        std::uint64_t bytes = 0;
        for (const auto text : m_texts) bytes += std::min(text.size(), shingle_characters_max);
        m_bucket_bits = 10;
        while (m_bucket_bits < 22 && (std::uint64_t{1} << m_bucket_bits) * 4 < bytes) ++m_bucket_bits;
        m_frequency.assign(std::size_t{1} << m_bucket_bits, 0);
        std::vector<NearTextCounts> counts(m_parts.size());
        for_each_part("counting pieces of text", [&](std::size_t part, std::size_t begin, std::size_t end) {
            Shingler shingler(m_options.seed, m_han);
            for (std::size_t place = begin; place < end; ++place) {
                shingler.read(text_at(place));
                counts[part].texts_cut += shingler.is_cut();
                const bool is_long = shingler.dense_characters() > dense_short_max;
                const auto& shingles = shingler.shingles(is_long ? dense_length_long : dense_length_short);
                counts[part].shingles += shingles.size();
                if (m_options.threads <= 1) {
                    for (const auto shingle : shingles) ++m_frequency[bucket_of(shingle)];
                } else {
                    for (const auto shingle : shingles)
                        std::atomic_ref(m_frequency[bucket_of(shingle)]).fetch_add(1, std::memory_order_relaxed);
                }
            }
        });
        for (const auto& count : counts) {
            m_counts.texts_cut += count.texts_cut;
            m_counts.shingles += count.shingles;
        }
    }

    void take_prefixes() {
        m_first_view.resize(m_order.size());
        m_sketches.assign(m_order.size() * 2, Sketch{});
        for_each_part("ordering pieces of text", [&](std::size_t part, std::size_t begin, std::size_t end) {
            Shingler shingler(m_options.seed, m_han);
            ShingleSet distinct;
            std::vector<std::uint64_t> keys;
            const auto add_view = [&](std::size_t place, Kind kind) {
                const bool is_short = kind == without_dense || kind == short_dense;
                const auto& shingles = shingler.shingles(is_short ? dense_length_short : dense_length_long);
                distinct.start(shingles.size());
                keys.clear();
                for (const auto shingle : shingles)
                    if (distinct.insert(shingle)) keys.push_back(bucket_of(shingle));
                if (keys.empty()) return;
                for (auto& key : keys) key |= std::uint64_t{m_frequency[key]} << 32;
                // Of multisets of buckets: texts that share shingles share at least as many buckets.
                const auto size = keys.size();
                const auto needed = std::ceil(m_options.jaccard_min * static_cast<double>(size) - rounding_slack);
                const auto prefix = size - static_cast<std::size_t>(needed) + 1;
                const auto prefix_end = keys.begin() + static_cast<std::ptrdiff_t>(std::min(prefix, size));
                if (prefix_end != keys.end()) std::nth_element(keys.begin(), prefix_end, keys.end());
                std::sort(keys.begin(), prefix_end);
                auto& own = m_parts[part];
                for (auto key = keys.begin(); key != prefix_end; ++key)
                    own.buckets.push_back(static_cast<std::uint32_t>(*key));
                // A prefix ends with all of its last bucket, so that counting common buckets of two prefixes bounds
                // their rest.
                const auto last = prefix_end[-1];
                own.buckets.insert(own.buckets.end(), static_cast<std::size_t>(std::count(prefix_end, keys.end(), last)),
                                   static_cast<std::uint32_t>(last));
                if (own.views.empty() || own.views.back().place != place)
                    m_first_view[place] = static_cast<std::uint32_t>(own.views.size());
                auto& sketch = m_sketches[sketch_of(static_cast<std::uint32_t>(place), kind)];
                for (auto key = keys.begin(); key != prefix_end; ++key)
                    sketch[*key / 64 % 2] |= std::uint64_t{1} << (*key % 64);
                own.views.push_back({static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(size) & 0x3FFF,
                                     kind & 3u, static_cast<std::uint32_t>(own.buckets.size())});
            };
            for (std::size_t place = begin; place < end; ++place) {
                shingler.read(text_at(place));
                const std::size_t dense = shingler.dense_characters();
                if (dense == 0) add_view(place, without_dense);
                else if (dense > dense_short_max) add_view(place, long_dense);
                else {
                    add_view(place, short_dense);
                    if (dense >= dense_long_min) add_view(place, short_as_long);
                }
            }
            m_parts[part].buckets.shrink_to_fit();
        });
    }

    /// Calls use(view, bucket, position) for the different buckets of each view's prefix.
    template <typename Use>
    static void for_each_bucket(const Part& part, const Use& use) {
        std::uint32_t begin = 0;
        for (const View& view : part.views) {
            for (std::uint32_t i = begin; i < view.prefix_end; ++i)
                if (i == begin || part.buckets[i] != part.buckets[i - 1]) use(view, part.buckets[i], i - begin);
            begin = view.prefix_end;
        }
    }

    /// Whether the bucket stands where it may be the first common one of the text and a text at least as large.
    bool is_early(const View& view, std::uint32_t position) const {
        const double size = view.size;
        return size - position + rounding_slack * size >= 2 * m_overlap_share * size;
    }

    /// Two lists a bucket, early positions and late ones, each in the order of places. Nobody reads further than
    /// postings_max, so nothing is kept beyond.
    void build_index() {
        m_frequency.assign(m_frequency.size() * 2, 0);
        const auto next_free = [&](std::uint32_t list) -> std::uint32_t* {
            auto& count = m_frequency[list];
            return count < m_limits.postings_max ? &count : nullptr;
        };
        const auto list_of = [&](const View& view, std::uint32_t bucket, std::uint32_t position) {
            return bucket * 2 + (is_early(view, position) ? 0u : 1u);
        };
        for (const Part& part : m_parts)
            for_each_bucket(part, [&](const View& view, std::uint32_t bucket, std::uint32_t position) {
                if (auto* count = next_free(list_of(view, bucket, position))) ++*count;
            });
        m_begins.assign(m_frequency.size() + 1, 0);
        for (std::size_t i = 0; i < m_frequency.size(); ++i)
            m_begins[i + 1] = m_begins[i] + std::exchange(m_frequency[i], 0);
        m_postings.resize(m_begins.back());
        for (const Part& part : m_parts)
            for_each_bucket(part, [&](const View& view, std::uint32_t bucket, std::uint32_t position) {
                const auto list = list_of(view, bucket, position);
                if (auto* count = next_free(list))
                    m_postings[m_begins[list] + (*count)++] = {view.place, view.size, view.kind, position & 0xFFFF};
            });
        m_frequency = {};
    }

    void find_matches() {
        m_found.resize(m_parts.size());
        for_each_part("comparing texts", [&](std::size_t part, std::size_t, std::size_t) { find_in(part); });
    }

    void find_in(std::size_t number) {
        const Part& part = m_parts[number];
        Found& found = m_found[number];
        PlaceSet seen(m_limits.postings_max);
        BucketFilter filter;
        TextComparison comparison(m_options.seed, m_han);
        std::vector<std::uint32_t> candidates;
        std::uint32_t left = 0;  // postings that the text may still meet
        const auto finish = [&](std::uint32_t place) {
            found.counts.postings += m_limits.postings_max - left;
            if (left == 0) ++found.counts.texts_postings_full;
            compare(place, candidates, comparison, found);
            candidates.clear();
        };
        std::uint32_t begin = 0;
        for (std::size_t v = 0; v < part.views.size(); ++v) {
            const View& view = part.views[v];
            if (v == 0 || part.views[v - 1].place != view.place) {
                if (v > 0) finish(part.views[v - 1].place);
                seen.clear();
                left = m_limits.postings_max;
            }
            const auto prefix = std::span(part.buckets).subspan(begin, view.prefix_end - begin);
            const std::size_t met_before = candidates.size();
            meet(view, prefix, seen, left, candidates);
            if (candidates.size() > met_before) {
                filter.fill(prefix);
                const auto first = candidates.begin() + static_cast<std::ptrdiff_t>(met_before);
                const auto is_far = [&](std::uint32_t place) { return !may_be_near(view, prefix, filter, place); };
                candidates.erase(std::remove_if(first, candidates.end(), is_far), candidates.end());
            }
            begin = view.prefix_end;
        }
        if (!part.views.empty()) finish(part.views.back().place);
    }

    void meet(const View& view, std::span<const std::uint32_t> prefix, PlaceSet& seen, std::uint32_t& left,
              std::vector<std::uint32_t>& candidates) const {
        const double size = view.size;
        const auto size_min = static_cast<std::uint32_t>(std::ceil(size * m_options.jaccard_min - rounding_slack));
        const auto size_max = static_cast<std::uint32_t>(std::floor(size / m_options.jaccard_min + rounding_slack));
        const bool* const comparable = may_compare[view.kind];
        const Sketch sketch = m_sketches[sketch_of(view.place, view.kind)];
        for (std::uint32_t i = 0; i < prefix.size() && left > 0; ++i) {
            if (i > 0 && prefix[i] == prefix[i - 1]) continue;
            if (i + 1 < prefix.size()) __builtin_prefetch(&m_begins[prefix[i + 1] * std::size_t{2}]);
            // The smaller of two texts has their first common bucket early, so late ones need not meet.
            const std::size_t lists_end = prefix[i] * std::size_t{2} + (is_early(view, i) ? 2 : 1);
            for (std::size_t list = prefix[i] * std::size_t{2}; list < lists_end; ++list) {
                for (std::uint64_t k = m_begins[list]; k < m_begins[list + 1] && left > 0; ++k) {
                    const Posting posting = m_postings[k];
                    if (posting.place >= view.place) break;
                    --left;
                    if (posting.size < size_min || posting.size > size_max || !comparable[posting.kind]) continue;
                    // Nothing before the first common bucket is common, so at most all the rest is; behind later
                    // ones is less, so what fails once fails again.
                    const double overlap_max =
                        std::min(view.size - i, posting.size - std::uint32_t{posting.position});
                    if (overlap_max + rounding_slack * size < m_overlap_share * (size + posting.size)) continue;
                    // What one prefix has and the other has not, the texts do not share, up to the end of the
                    // shorter one.
                    const Sketch& other = m_sketches[sketch_of(posting.place, posting.kind)];
                    const double rest_max =
                        std::max(size - missing(sketch, other), posting.size - missing(other, sketch));
                    if (rest_max + rounding_slack * size < m_overlap_share * (size + posting.size)) continue;
                    if (!seen.insert(posting.place)) continue;
                    candidates.push_back(posting.place);
                    left -= std::min(left, candidate_postings);
                }
            }
        }
    }

    /// What two prefixes have in common, and all behind them, is the most that the texts can share (PPJoin, section 3).
    bool may_be_near(const View& view, std::span<const std::uint32_t> prefix, const BucketFilter& filter,
                     std::uint32_t place) const {
        const Part& part = m_parts[place / part_texts];
        std::size_t other = m_first_view[place];
        if (!may_compare[view.kind][part.views[other].kind]) ++other;
        const View& other_view = part.views[other];
        const std::uint32_t begin = other == 0 ? 0 : part.views[other - 1].prefix_end;
        const auto other_prefix = std::span(part.buckets).subspan(begin, other_view.prefix_end - begin);
        const std::size_t rest = std::max(view.size - prefix.size(), other_view.size - other_prefix.size());
        const double overlap_max = static_cast<double>(filter.count_in(other_prefix) + rest);
        const double sizes = view.size + other_view.size;
        return overlap_max + rounding_slack * sizes >= m_overlap_share * sizes;
    }

    void compare(std::uint32_t place, std::vector<std::uint32_t>& candidates, TextComparison& comparison,
                 Found& found) const {
        if (candidates.empty()) return;
        found.counts.candidates += candidates.size();
        std::sort(candidates.begin(), candidates.end());
        comparison.hold(text_at(place));
        std::uint32_t compared = 0;
        std::uint32_t kept = 0;
        for (const auto candidate : candidates) {
            if (compared == m_limits.comparisons_max || kept == m_limits.matches_max) break;
            ++compared;
            const double jaccard = comparison.jaccard(text_at(candidate));
            if (jaccard + rounding_slack < m_options.jaccard_min) continue;
            ++kept;
            found.matches.push_back({candidate, place, jaccard});
        }
        found.counts.compared += compared;
        if (compared == candidates.size()) return;
        if (kept == m_limits.matches_max) ++found.counts.texts_matches_full;
        else ++found.counts.texts_comparisons_full;
    }

    NearTextClusters gather() {
        std::vector<NearTextMatch> matches;
        for (auto& found : m_found) {
            matches.insert(matches.end(), found.matches.begin(), found.matches.end());
            m_counts.postings += found.counts.postings;
            m_counts.candidates += found.counts.candidates;
            m_counts.compared += found.counts.compared;
            m_counts.texts_postings_full += found.counts.texts_postings_full;
            m_counts.texts_comparisons_full += found.counts.texts_comparisons_full;
            m_counts.texts_matches_full += found.counts.texts_matches_full;
            found = {};
        }
        m_parts = {};
        m_postings = {};
        NearTextClusters result;
        result.cluster = cluster(matches);
        for (auto& match : matches) {
            const auto [a, b] = std::minmax(m_order[match.a], m_order[match.b]);
            match = {a, b, match.jaccard};
        }
        std::sort(matches.begin(), matches.end(), [](const NearTextMatch& x, const NearTextMatch& y) {
            return std::pair(x.a, x.b) < std::pair(y.a, y.b);
        });
        result.matches = std::move(matches);
        result.counts = m_counts;
        return result;
    }

    std::vector<std::uint32_t> cluster(std::vector<NearTextMatch>& matches) {
        std::sort(matches.begin(), matches.end(), [](const NearTextMatch& x, const NearTextMatch& y) {
            return std::tuple(-x.jaccard, x.a, x.b) < std::tuple(-y.jaccard, y.a, y.b);
        });
        std::vector<std::uint32_t> stands(m_order.size());  // place -> place of the text that stands for it
        std::iota(stands.begin(), stands.end(), 0u);
        std::vector<std::uint32_t> next = stands;  // the members of a cluster in a ring
        std::unordered_set<std::uint64_t> refused;
        TextComparison comparison(m_options.seed, m_han);
        const double near_enough = representative_share * m_options.jaccard_min - rounding_slack;
        std::uint64_t left = m_limits.joining_comparisons_each * std::uint64_t{m_order.size()};
        for (std::size_t i = 0; i < matches.size(); ++i) {
            if (i % (1 << 16) == 0) {
                m_progress.update("clustering texts", i, matches.size());
                m_progress.check();
            }
            const std::uint32_t kept = std::min(stands[matches[i].a], stands[matches[i].b]);
            const std::uint32_t moved = std::max(stands[matches[i].a], stands[matches[i].b]);
            const std::uint64_t both = (std::uint64_t{kept} << 32) | moved;
            if (kept == moved || refused.count(both) > 0) continue;
            comparison.hold(text_at(kept));
            std::uint32_t member = moved;
            bool is_near = true;
            do {
                if (left == 0) {
                    ++m_counts.joins_not_tried;
                    is_near = false;
                    break;
                }
                --left;
                is_near = comparison.jaccard(text_at(member)) >= near_enough;
                member = next[member];
            } while (is_near && member != moved);
            if (!is_near) {
                refused.insert(both);
                continue;
            }
            do {
                stands[member] = kept;
                member = next[member];
            } while (member != moved);
            std::swap(next[kept], next[moved]);
        }
        std::vector<std::uint32_t> clusters(m_order.size());
        for (std::uint32_t place = 0; place < stands.size(); ++place) {
            clusters[m_order[place]] = m_order[stands[place]];
            if (next[place] == place) continue;
            m_counts.clusters += stands[place] == place;
            ++m_counts.texts_clustered;
        }
        return clusters;
    }

    std::span<const std::string_view> m_texts;
    NearTextOptions m_options;
    NearTextLimits m_limits;
    Progress& m_progress;
    Shingler::Han m_han;
    double m_overlap_share;               // of both sizes together that near texts have in common
    std::vector<std::uint32_t> m_order;   // place -> text
    std::vector<Part> m_parts;
    std::vector<std::uint32_t> m_first_view;  // place -> its first view in its part
    std::vector<Sketch> m_sketches;    // of each view's prefix: bits of its buckets
    unsigned m_bucket_bits = 0;
    std::vector<std::uint32_t> m_frequency;  // bucket -> occurrences; later, list -> postings so far
    std::vector<std::uint64_t> m_begins;     // list -> begin of its postings
    std::vector<Posting> m_postings;
    std::vector<Found> m_found;
    NearTextCounts m_counts;
};

}  // namespace

NearTextClusters cluster_near_texts(std::span<const std::string_view> texts, std::span<const std::uint32_t> weights,
                                    const NearTextOptions& options, Progress& progress, const NearTextLimits& limits) {
    UNVEIL_ASSERT(options.jaccard_min >= 0.5 && options.jaccard_min <= 1);
    UNVEIL_ASSERT(weights.empty() || weights.size() == texts.size());
    UNVEIL_ASSERT(texts.size() < ~std::uint32_t{0});
    return Join(texts, weights, options, limits, progress).run();
}

}  // namespace unveil::coordination
