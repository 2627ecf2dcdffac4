// Which different texts say nearly the same? Finds the pairs whose shingle sets have a Jaccard similarity of at
// least `jaccard_min`, and gathers the texts into clusters, each with a text that stands for it.
//
// Pairs come from an exact join, not from sampled signatures: with the shingles of every text in one order, rare
// ones first, two texts that are near share one of their first |x| - ceil(t |x|) + 1 shingles (prefix filter:
// Chaudhuri, Ganti and Kaushik, ICDE 2006; Bayardo, Ma and Srikant, WWW 2007), and the place of the
// first common one bounds the overlap (positional filter: Xiao et al., PPJoin, WWW 2008, section 3). So every
// pair is found unless a limit below cuts in, each of which is counted.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/progress.hpp"

namespace unveil::coordination {

struct NearTextOptions {
    double jaccard_min = 0.8;   // in [0.5, 1]
    bool fold_chinese = false;  // traditional characters count as their simplified ones
    std::uint64_t seed = 0;     // keys the hashes; the answer depends on it only where a limit cuts in
    unsigned threads = 1;
};

/// What one text may cost. They cut in where very many texts share their rarest pieces, as when all follow one
/// template. Each text is compared with those before it, by weight, heaviest first, then in byte order.
struct NearTextLimits {
    std::uint32_t postings_max = 4'096;   // texts met through its rare shingles; one that may be near counts 33 times
    std::uint32_t comparisons_max = 512;  // texts compared with it in full
    std::uint32_t matches_max = 64;       // near texts kept for it
    std::uint32_t joining_comparisons_each = 64;  // on average over all texts, while clusters become one
};

struct NearTextMatch {
    std::uint32_t a;  // a < b
    std::uint32_t b;
    double jaccard;   // counted, not estimated
};

struct NearTextCounts {
    std::uint64_t shingles = 0;             // in all texts, repeats included
    std::uint64_t postings = 0;             // meetings of texts through a rare shingle
    std::uint64_t candidates = 0;           // pairs that passed the filters
    std::uint64_t compared = 0;             // pairs whose similarity was counted
    std::uint64_t texts_cut = 0;            // longer than shingle_characters_max
    std::uint64_t texts_postings_full = 0;  // reached postings_max: near texts of theirs may be missing
    std::uint64_t texts_comparisons_full = 0;
    std::uint64_t texts_matches_full = 0;   // may have more near texts than were kept, yet have those
    std::uint64_t joins_not_tried = 0;      // pairs of clusters that stayed apart because of joining_comparisons_each
    std::uint64_t clusters = 0;             // of at least two texts
    std::uint64_t texts_clustered = 0;      // in those
};

struct NearTextClusters {
    std::vector<std::uint32_t> cluster;  // text -> the text that stands for its cluster; itself when it is alone
    std::vector<NearTextMatch> matches;  // by a, then b
    NearTextCounts counts;
};

/// A text stays in a cluster only if its similarity with the text that stands for it is at least this share of
/// jaccard_min.
constexpr double representative_share = 0.5;

/// `texts` are different texts, made comparable; `weights` tells how many posts each has (empty: all the same).
///
/// Cluster rule. The text with the greatest weight, the first of them in byte order, stands for a cluster. Near
/// pairs are taken by similarity, highest first; the clusters of the two become one if every text in them is within
/// representative_share * jaccard_min of the text that will stand for all. This is single linkage with a leash:
/// plain single linkage would chain, a near b near c ... until a and z have nothing in common, while a star, in
/// which all must be near the text that stands for them, tears variants of one template apart. So two members of a
/// cluster may be dissimilar, but both resemble its text; and near texts may still end in two clusters, at the end
/// of the leash.
///
/// The result does not depend on the order of the texts, on threads, or (but for the limits) on the seed. Time
/// O(characters + postings met + characters compared + matches log matches). Memory: the result, 100 MB of tables
/// at most, 70 bytes a text, and 12 bytes for each of its rare shingles, which are 1 - jaccard_min of all: 355 MB
/// for a million posts of 94 bytes.
NearTextClusters cluster_near_texts(std::span<const std::string_view> texts, std::span<const std::uint32_t> weights,
                                    const NearTextOptions& options, Progress& progress,
                                    const NearTextLimits& limits = {});

}  // namespace unveil::coordination
