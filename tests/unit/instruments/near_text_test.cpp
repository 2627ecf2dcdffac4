// Goal: near texts are found as defined, whatever the script, the order and the number of threads; hostile texts
// cost no more than the stated limits, and what the limits cut is counted. Method: texts by hand; small worlds
// against all pairs.

#include "instruments/coordination/near_text.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "core/error.hpp"
#include "instruments/coordination/shingles.hpp"
#include "near_text_oracle.hpp"

namespace unveil::testing {
namespace {

using namespace coordination;

NearTextClusters clusters_of(const std::vector<std::string>& texts, const NearTextOptions& options = {},
                             const std::vector<std::uint32_t>& weights = {}, const NearTextLimits& limits = {}) {
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    SilentProgress progress;
    return cluster_near_texts(views, weights, options, progress, limits);
}

std::vector<std::string> encoded_all(const std::vector<std::u32string>& texts) {
    std::vector<std::string> out;
    for (const auto& text : texts) out.push_back(encoded(text));
    return out;
}

/// The answer in terms of the texts themselves.
using Named = std::pair<std::map<std::string, std::string>, std::set<std::tuple<std::string, std::string, double>>>;
Named named(const std::vector<std::string>& texts, const NearTextClusters& found) {
    Named out;
    for (std::size_t i = 0; i < texts.size(); ++i) out.first[texts[i]] = texts[found.cluster[i]];
    for (const auto& match : found.matches) {
        const auto [a, b] = std::minmax(texts[match.a], texts[match.b]);
        out.second.insert({a, b, match.jaccard});
    }
    return out;
}

/// The header's cluster rule on all pairs.
std::vector<std::uint32_t> naive_clusters(const std::vector<std::string>& texts, const std::vector<std::uint32_t>& weights,
                                          const std::vector<std::u32string>& characters, double jaccard_min) {
    std::vector<std::uint32_t> order(texts.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) {
        return std::pair(-std::int64_t{weights[a]}, texts[a]) < std::pair(-std::int64_t{weights[b]}, texts[b]);
    });
    std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;
    for (std::size_t j = 0; j < order.size(); ++j)
        for (std::size_t i = 0; i < j; ++i) {
            const double jaccard = naive_jaccard(characters[order[i]], characters[order[j]]);
            if (jaccard + 1e-9 >= jaccard_min) pairs.push_back({-jaccard, i, j});
        }
    std::sort(pairs.begin(), pairs.end());
    std::vector<std::size_t> stands(order.size());
    std::iota(stands.begin(), stands.end(), std::size_t{0});
    for (const auto& [jaccard, i, j] : pairs) {
        const std::size_t first = std::min(stands[i], stands[j]);
        const auto is_of_both = [&, a = stands[i], b = stands[j]](std::size_t k) { return stands[k] == a || stands[k] == b; };
        std::vector<std::size_t> members;
        for (std::size_t k = 0; k < order.size(); ++k)
            if (is_of_both(k)) members.push_back(k);
        if (std::all_of(members.begin(), members.end(), [&](std::size_t k) {
                return naive_jaccard(characters[order[k]], characters[order[first]]) + 1e-9 >= representative_share * jaccard_min;
            }))
            for (const auto k : members) stands[k] = first;
    }
    std::vector<std::uint32_t> cluster(texts.size());
    for (std::size_t k = 0; k < order.size(); ++k) cluster[order[k]] = order[stands[k]];
    return cluster;
}

TEST(Shingles, SimilarityIsTheDefinitionInEveryScript) {
    for (const auto& writing : writings) {
        Writer writer(writing, 5, 200);
        TextComparison comparison(9, Shingler::Han::as_written);
        for (int round = 0; round < 60; ++round) {
            const auto a = writer.post(1, 70);
            const auto b = writer.random().chance(0.8) ? writer.edited(a, writer.random().below(8)) : writer.post(1, 70);
            comparison.hold(encoded(a));
            EXPECT_DOUBLE_EQ(comparison.jaccard(encoded(b)), naive_jaccard(a, b)) << writing.name << "\n" << encoded(a) << "\n" << encoded(b);
        }
    }
}

TEST(Shingles, ScriptsWithoutBlanksAreDense) {
    for (const char32_t c : U"漢かカー한ไລខမ𠀀") {
        if (c != 0) EXPECT_TRUE(is_dense_character(c)) << static_cast<unsigned>(c);
    }
    for (const char32_t c : U"aжع 1,。") EXPECT_FALSE(is_dense_character(c)) << static_cast<unsigned>(c);
}

TEST(Shingles, NobodyFallsBetweenShortAndLong) {
    // 40 characters against 41 and 50: the longer decides by which shingles both are read.
    Writer writer(writings[0], 3);
    auto text = writer.post(50, 50);
    text.resize(50);
    TextComparison comparison(0, Shingler::Han::as_written);
    comparison.hold(encoded(text.substr(0, 40)));
    EXPECT_DOUBLE_EQ(comparison.jaccard(encoded(text.substr(0, 41))), naive_jaccard(text.substr(0, 40), text.substr(0, 41)));
    EXPECT_GT(comparison.jaccard(encoded(text.substr(0, 41))), 0.9);
    const auto found = clusters_of({encoded(text.substr(0, 40)), encoded(text.substr(0, 41)), encoded(text.substr(0, 36))});
    EXPECT_EQ(found.matches.size(), 3u);
}

TEST(NearText, EveryPairIsFoundInEveryScript) {
    for (const auto& writing : writings)
        for (const double jaccard_min : {0.6, 0.8, 0.95}) {
            Writer writer(writing, 11);
            const auto characters = near_text_world(writer, 70, 15, 75);
            const auto texts = encoded_all(characters);
            NearTextOptions options;
            options.jaccard_min = jaccard_min;
            std::set<std::tuple<std::string, std::string, double>> expected;
            for (std::size_t i = 0; i < texts.size(); ++i)
                for (std::size_t j = 0; j < i; ++j) {
                    const double jaccard = naive_jaccard(characters[i], characters[j]);
                    if (jaccard + 1e-9 < jaccard_min) continue;
                    const auto [a, b] = std::minmax(texts[i], texts[j]);
                    expected.insert({a, b, jaccard});
                }
            EXPECT_EQ(named(texts, clusters_of(texts, options)).second, expected) << writing.name << " at " << jaccard_min;
            if (jaccard_min <= 0.8) EXPECT_GT(expected.size(), 5u) << writing.name;
        }
}

TEST(NearText, ClustersFollowTheRule) {
    for (const std::uint64_t seed : {1, 2, 3, 4}) {
        Writer writer(writings[seed * 2], seed);
        const auto characters = near_text_world(writer, 80, 20, 60);
        const auto texts = encoded_all(characters);
        std::vector<std::uint32_t> weights;
        for (std::size_t i = 0; i < texts.size(); ++i) weights.push_back(static_cast<std::uint32_t>(1 + writer.random().below(3)));
        EXPECT_EQ(clusters_of(texts, {}, weights).cluster, naive_clusters(texts, weights, characters, 0.8));
    }
}

TEST(NearText, OrderThreadsAndSeedChangeNothing) {
    std::vector<std::u32string> characters;
    for (const auto& writing : writings) {
        Writer writer(writing, 21);
        for (auto& text : near_text_world(writer, 500, 20, 70)) characters.push_back(text);
    }
    auto texts = encoded_all(characters);
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    const auto expected = named(texts, clusters_of(texts));
    EXPECT_GT(expected.second.size(), 1000u);
    NearTextOptions options;
    options.threads = 3;
    const auto threaded = clusters_of(texts, options);
    EXPECT_EQ(named(texts, threaded), expected);
    EXPECT_EQ(threaded.counts.compared, clusters_of(texts).counts.compared);
    options.seed = 77;
    EXPECT_EQ(named(texts, clusters_of(texts, options)), expected);
    Random random(4);
    for (std::size_t i = texts.size(); i > 1; --i) std::swap(texts[i - 1], texts[random.below(i)]);
    EXPECT_EQ(named(texts, clusters_of(texts)), expected);
}

TEST(NearText, TheMostPostedTextStandsForItsCluster) {
    const std::vector<std::string> texts = {"the bridge will be closed on monday for repairs #a", "the bridge will be closed on monday for repairs #b",
                                            "the bridge will be closed on monday for repairs #c", "something else altogether, says the mayor"};
    EXPECT_EQ(clusters_of(texts, {}, {1, 5, 2, 9}).cluster, (std::vector<std::uint32_t>{1, 1, 1, 3}));
    const auto found = clusters_of(texts);
    EXPECT_EQ(found.cluster, (std::vector<std::uint32_t>{0, 0, 0, 3}));
    EXPECT_EQ(found.counts.clusters, 1u);
    EXPECT_EQ(found.counts.texts_clustered, 3u);
}

TEST(NearText, ChainsEndBeforeTheyHaveNothingInCommon) {
    // Each text moves a window of 60 characters one further over a long one: neighbours are near, the ends share
    // nothing.
    Writer writer(writings[9], 8);
    const auto line = writer.post(400, 400);
    std::vector<std::u32string> characters;
    for (std::size_t i = 0; i < 300; ++i) characters.push_back(line.substr(i, 60));
    const auto texts = encoded_all(characters);
    const auto found = clusters_of(texts);
    std::set<std::uint32_t> stand(found.cluster.begin(), found.cluster.end());
    EXPECT_GT(stand.size(), 5u);
    for (std::size_t i = 0; i < texts.size(); ++i)
        EXPECT_GE(naive_jaccard(characters[i], characters[found.cluster[i]]) + 1e-9, representative_share * 0.8);
}

TEST(NearText, TraditionalAndSimplifiedMeetWhenAsked) {
    const std::vector<std::string> texts = {"中国国务院发言人今天在北京说两岸关系会继续发展", "中國國務院發言人今天在北京說兩岸關係會繼續發展"};
    EXPECT_TRUE(clusters_of(texts).matches.empty());
    NearTextOptions options;
    options.fold_chinese = true;
    const auto found = clusters_of(texts, options);
    ASSERT_EQ(found.matches.size(), 1u);
    EXPECT_EQ(found.matches[0].jaccard, 1.0);
}

TEST(NearText, HostileTextsAreHarmless) {
    std::string enormous;
    while (enormous.size() < 100'000) enormous += "word" + std::to_string(enormous.size()) + " ";
    const std::vector<std::string> texts = {"", "a", "ab", "\xff\xfe\xff\xfe\xff", "\xe4\xb8", std::string(50'000, 'x'), std::string(49'999, 'x'),
                                            enormous, enormous + "!", std::string(30, '\0'), "\xed\xa0\x80\xed\xa0\x80"};
    const auto found = clusters_of(texts);
    EXPECT_EQ(found.counts.texts_cut, 4u);
    EXPECT_EQ(found.cluster[0], 0u);
    EXPECT_EQ(found.cluster[8], found.cluster[7]);
    EXPECT_EQ(found.cluster[5], found.cluster[6]);
    EXPECT_TRUE(clusters_of({}).cluster.empty());
    EXPECT_EQ(clusters_of({"only one text"}).cluster, std::vector<std::uint32_t>{0});
}

TEST(NearText, LimitsAreKeptAndCounted) {
    // All are near all.
    std::vector<std::string> flood;
    for (int i = 0; i < 400; ++i) flood.push_back("vote for the one who will make all of it great again, today and tomorrow " + std::to_string(i));
    const auto flooded = clusters_of(flood);
    EXPECT_EQ(flooded.counts.clusters, 1u);
    EXPECT_EQ(flooded.counts.texts_clustered, 400u);
    EXPECT_GT(flooded.counts.texts_matches_full, 300u);
    EXPECT_LE(flooded.matches.size(), 400u * NearTextLimits{}.matches_max);

    // Half of each text is the same, so that all meet and none is near.
    Writer writer(writings[9], 6);
    const auto common = writer.post(60, 60);
    std::vector<std::string> same_half;
    for (int i = 0; i < 400; ++i) same_half.push_back(encoded(common + writer.post(15, 25)));
    NearTextLimits limits;
    limits.postings_max = 50;
    const auto limited = clusters_of(same_half, {}, {}, limits);
    EXPECT_GT(limited.counts.texts_postings_full, 10u);
    EXPECT_LE(limited.counts.postings, 400u * 50u);
    limits = {};
    limits.comparisons_max = 1;
    NearTextOptions options;
    options.jaccard_min = 0.6;
    const auto compared = clusters_of(same_half, options, {}, limits);
    EXPECT_LE(compared.counts.compared, 400u);
    EXPECT_GT(compared.counts.texts_comparisons_full, 10u);
    limits = {};
    limits.joining_comparisons_each = 0;
    const auto apart = clusters_of(flood, {}, {}, limits);
    EXPECT_EQ(apart.counts.clusters, 0u);
    EXPECT_GT(apart.counts.joins_not_tried, 399u);
}

TEST(NearText, CancellingEndsTheWork) {
    class Cancelled final : public Progress {
        void update(std::string_view, std::uint64_t, std::uint64_t) override {}
        bool is_cancelled() const override { return true; }
    } progress;
    const std::vector<std::string_view> texts = {"one text", "another text"};
    EXPECT_THROW(cluster_near_texts(texts, {}, {}, progress), Error);
}

}  // namespace
}  // namespace unveil::testing
