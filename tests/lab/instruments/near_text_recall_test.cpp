// Goal: at least 0.95 of all pairs with a Jaccard similarity of 0.8 are found, in every script, and most of them
// end in one cluster. Method: 3,000 made-up posts for each way of writing, half of them edited copies of others;
// all 4.5 million pairs by their shingles as strings. Prints the recall of pairs and of clusters.

#include <gtest/gtest.h>

#include <cstdio>

#include "../../unit/instruments/near_text_oracle.hpp"
#include "instruments/coordination/near_text.hpp"

namespace unveil::testing {
namespace {

using namespace coordination;

/// The shingles of all texts as numbers, in order, by both dense lengths.
struct NumberedShingles {
    std::map<std::u32string, std::uint32_t> numbers;
    std::vector<std::vector<std::uint32_t>> by_short;
    std::vector<std::vector<std::uint32_t>> by_long;
    std::vector<std::size_t> dense;

    explicit NumberedShingles(const std::vector<std::u32string>& texts) {
        const auto numbered = [&](const std::u32string& text, std::size_t length) {
            std::vector<std::uint32_t> out;
            for (const auto& shingle : naive_shingles(text, length))
                out.push_back(numbers.try_emplace(shingle, static_cast<std::uint32_t>(numbers.size())).first->second);
            std::sort(out.begin(), out.end());
            return out;
        };
        for (const auto& text : texts) {
            by_short.push_back(numbered(text, 2));
            by_long.push_back(numbered(text, 3));
            dense.push_back(count_dense(text));
        }
    }
    double jaccard(std::size_t i, std::size_t j) const {
        const std::size_t fewer = std::min(dense[i], dense[j]);
        const bool is_long = std::max(dense[i], dense[j]) > 40;
        if (is_long && fewer > 0 && fewer < 27) return 0;
        const auto& a = is_long ? by_long[i] : by_short[i];
        const auto& b = is_long ? by_long[j] : by_short[j];
        std::size_t both = 0;
        for (std::size_t x = 0, y = 0; x < a.size() && y < b.size();) {
            if (a[x] == b[y]) ++both, ++x, ++y;
            else if (a[x] < b[y]) ++x;
            else ++y;
        }
        return static_cast<double>(both) / static_cast<double>(a.size() + b.size() - both);
    }
};

TEST(NearTextRecall, InEveryScript) {
    std::printf("%-22s %8s %8s %8s %12s %22s\n", "writing", "texts", "pairs", "found", "wrong", "in one cluster");
    for (const auto& writing : writings) {
        Writer writer(writing, 2024);
        const auto characters = near_text_world(writer, 3000, 20, 140);
        std::vector<std::string> texts;
        for (const auto& text : characters) texts.push_back(encoded(text));
        const std::vector<std::string_view> views(texts.begin(), texts.end());
        SilentProgress progress;
        const auto found = cluster_near_texts(views, {}, {}, progress);
        std::set<std::pair<std::uint32_t, std::uint32_t>> matched;
        for (const auto& match : found.matches) matched.insert({match.a, match.b});

        const NumberedShingles shingles(characters);
        std::size_t pairs = 0;
        std::size_t pairs_found = 0;
        std::size_t pairs_joined = 0;
        for (std::uint32_t i = 0; i < texts.size(); ++i)
            for (std::uint32_t j = i + 1; j < texts.size(); ++j) {
                if (shingles.jaccard(i, j) + 1e-9 < 0.8) continue;
                ++pairs;
                pairs_found += matched.count({i, j});
                pairs_joined += found.cluster[i] == found.cluster[j];
            }
        const auto share = [&](std::size_t count) { return static_cast<double>(count) / static_cast<double>(pairs); };
        std::printf("%-22s %8zu %8zu %8.4f %12zu %22.4f\n", std::string(writing.name).c_str(), texts.size(), pairs,
                    share(pairs_found), matched.size() - pairs_found, share(pairs_joined));
        EXPECT_GT(pairs, 500u) << writing.name;
        EXPECT_GE(share(pairs_found), 0.95) << writing.name;
        EXPECT_GE(share(pairs_joined), 0.95) << writing.name;
        EXPECT_EQ(matched.size(), pairs_found) << writing.name;
    }
}

}  // namespace
}  // namespace unveil::testing
