// Goal: the finder, the filters and the spilled merge agree with the definitions written down naively.
// Method: thousands of small random worlds, every pair of rows compared with every other.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "../../unit/instruments/memory_posts.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace unveil::testing {
namespace {

constexpr PostFields with_object = static_cast<PostFields>(PostField::object);

std::vector<Post> random_world(Random& random, std::size_t rows) {
    const auto accounts = 1 + random.below(6);
    const auto objects = 1 + random.below(4);
    const auto span = 1 + random.below(40);
    std::vector<Post> posts;
    for (std::size_t i = 0; i < rows; ++i) {
        const auto content = random.chance(0.9) ? std::to_string(i) : std::to_string(random.below(rows));
        posts.push_back({.account = "a" + std::to_string(random.below(accounts)),
                         .content = content,
                         .time_us = static_cast<std::int64_t>(random.below(span)) * 500'000 - 3'000'000,
                         .object = random.chance(0.05) ? content : "o" + std::to_string(random.below(objects))});
    }
    return posts;
}

using Edges = std::map<std::pair<std::string, std::string>, std::vector<std::uint64_t>>;

Edges parse(const std::vector<std::string>& lines, std::size_t name_cell, std::vector<std::size_t> number_cells) {
    Edges edges;
    for (const auto& line : lines) {
        std::vector<std::string> cells(1);
        for (const char c : line) {
            if (c == '|') cells.emplace_back();
            else cells.back() += c;
        }
        auto& numbers = edges[{cells[name_cell], cells[name_cell + 1]}];
        for (const auto cell : number_cells) numbers.push_back(std::stoull(cells[cell]));
    }
    return edges;
}

/// Native: distinct objects, pairs, distinct posts of each side, who was first.
Edges native_by_definition(std::vector<Post> posts, std::int64_t window_us, std::uint64_t participation, std::uint64_t weight_min) {
    std::vector<Post> rows;
    std::set<std::tuple<std::string, std::string, std::string, std::int64_t>> seen;
    for (const auto& p : posts)
        if (p.object != p.content && seen.insert({p.object, p.account, p.content, p.time_us}).second) rows.push_back(p);
    std::map<std::string, std::uint64_t> count;
    for (const auto& p : rows) ++count[p.account];
    std::erase_if(rows, [&](const Post& p) { return count[p.account] < participation; });
    struct Sum {
        std::set<std::string> objects, posts_a, posts_b;
        std::uint64_t pairs = 0, first_a = 0, first_b = 0;
    };
    std::map<std::pair<std::string, std::string>, Sum> sums;
    for (const auto& p : rows)
        for (const auto& q : rows) {
            if (p.account >= q.account || p.object != q.object || p.content == q.content) continue;
            if (std::abs(p.time_us - q.time_us) > window_us) continue;
            auto& sum = sums[{p.account, q.account}];
            ++sum.pairs;
            sum.objects.insert(p.object);
            sum.posts_a.insert(p.content);
            sum.posts_b.insert(q.content);
            sum.first_a += p.time_us < q.time_us;
            sum.first_b += q.time_us < p.time_us;
        }
    Edges edges;
    for (const auto& [key, s] : sums)
        if (s.objects.size() >= weight_min)
            edges[key] = {s.objects.size(), s.pairs, s.posts_a.size(), s.posts_b.size(), s.first_a, s.first_b};
    return edges;
}

/// QUT: for every ordered pair, distinct posts of the first with a match by the second.
Edges qut_by_definition(const std::vector<Post>& rows, std::int64_t window_us, std::uint64_t weight_min, bool loops) {
    std::map<std::pair<std::string, std::string>, std::set<std::string>> matched;
    for (const auto& p : rows)
        for (const auto& q : rows)
            if (p.object == q.object && p.content != q.content && std::abs(p.time_us - q.time_us) <= window_us &&
                (loops || p.account != q.account))
                matched[{p.account, q.account}].insert(p.content);
    Edges edges;
    for (const auto& [key, posts] : matched)
        if (posts.size() >= weight_min) edges[key] = {posts.size()};
    return edges;
}

/// CooRTweet detect_groups and generate_coordinated_network: weight, distinct older posts, distinct newer posts.
Edges coortweet_by_definition(const std::vector<Post>& posts, std::int64_t window_us, std::uint64_t participation, bool loops) {
    std::map<std::string, std::uint64_t> count;
    std::vector<std::string> appearance;
    for (const auto& p : posts)
        if (++count[p.account] == 1) appearance.push_back(p.account);
    std::vector<Post> rows;
    for (const auto& account : appearance)
        for (const auto& p : posts)
            if (p.account == account && count[account] >= participation) rows.push_back(p);
    struct Pair {
        const Post *older, *newer;
    };
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = i + 1; j < rows.size(); ++j) {
            const Post *p = &rows[i], *q = &rows[j];
            if (p->object != q->object || std::abs(p->time_us - q->time_us) > window_us) continue;
            if (p->time_us > q->time_us) std::swap(p, q);
            if (!loops && (p->account == q->account || p->content == q->content || p->object == p->content || p->object == q->content))
                continue;
            pairs.push_back({p, q});
        }
    std::set<std::string> in_pairs, keep;
    for (const auto& pair : pairs) in_pairs.insert({pair.older->content, pair.newer->content});
    std::map<std::string, std::uint64_t> rows_in_pairs;
    for (const auto& p : rows) rows_in_pairs[p.account] += in_pairs.contains(p.content);
    for (const auto& p : rows)
        if (in_pairs.contains(p.content) && rows_in_pairs[p.account] >= participation) keep.insert(p.content);
    std::map<std::pair<std::string, std::string>, std::tuple<std::uint64_t, std::set<std::string>, std::set<std::string>>> sums;
    for (const auto& [older, newer] : pairs) {
        if (!keep.contains(older->content) && !keep.contains(newer->content)) continue;
        auto& [weight, olders, newers] = sums[std::minmax(older->account, newer->account)];
        ++weight;
        olders.insert(older->content);
        newers.insert(newer->content);
    }
    Edges edges;
    for (const auto& [key, sum] : sums)
        edges[key] = {std::get<0>(sum), std::get<1>(sum).size(), std::get<2>(sum).size()};
    return edges;
}

std::string seconds_text(std::int64_t us) { return std::to_string(us) + "us"; }

TEST(CoActions, NativeAgreesWithItsDefinition) {
    Random random(1);
    for (int world = 0; world < 1500; ++world) {
        const auto posts = random_world(random, 1 + random.below(60));
        const std::int64_t window_us = static_cast<std::int64_t>(random.below(12)) * 500'000;
        const auto participation = 1 + random.below(3);
        const auto weight_min = 1 + random.below(2);
        const auto outcome = run_posts("coordination", posts, with_object,
                                       {{"window", seconds_text(window_us)},
                                        {"min-participation", std::to_string(participation)},
                                        {"min-weight", std::to_string(weight_min)}});
        EXPECT_EQ(parse(outcome.edges(), 2, {4, 5, 6, 7, 11, 12}),
                  native_by_definition(posts, window_us, participation, weight_min))
            << "world " << world;
    }
}

TEST(CoActions, QutAgreesWithItsDefinition) {
    Random random(2);
    for (int world = 0; world < 800; ++world) {
        const auto posts = random_world(random, 1 + random.below(50));
        const std::int64_t window_us = static_cast<std::int64_t>(random.below(12)) * 500'000;
        const bool loops = random.chance(0.5);
        const auto weight_min = 1 + random.below(3);
        const auto outcome = run_posts("coordination", posts, with_object,
                                       {{"semantics", "qut"}, {"window", seconds_text(window_us)},
                                        {"keep-loops", loops ? "true" : "false"},
                                        {"min-weight", std::to_string(weight_min)}});
        EXPECT_EQ(parse(outcome.edges(), 0, {2}), qut_by_definition(posts, window_us, weight_min, loops)) << "world " << world;
    }
}

TEST(CoActions, CoortweetAgreesWithItsDefinition) {
    Random random(3);
    for (int world = 0; world < 1500; ++world) {
        const auto posts = random_world(random, 1 + random.below(60));
        const std::int64_t window_us = static_cast<std::int64_t>(random.below(12)) * 500'000;
        const bool loops = random.chance(0.3);
        const auto participation = 1 + random.below(4);
        const auto outcome = run_posts("coordination", posts, with_object,
                                       {{"semantics", "coortweet"}, {"window", seconds_text(window_us)},
                                        {"keep-loops", loops ? "true" : "false"},
                                        {"min-participation", std::to_string(participation)}});
        EXPECT_EQ(parse(outcome.edges(), 0, {2, 4, 5}), coortweet_by_definition(posts, window_us, participation, loops))
            << "world " << world;
    }
}

/// Everything a run gives out, as text.
std::vector<std::string> all_of(const Outcome& outcome) {
    std::vector<std::string> lines;
    for (const std::string table : {"edges", "accounts", "pairs", "excluded_objects"})
        if (outcome.tables.has(table))
            for (const auto& line : outcome.tables.lines(table)) lines.push_back(table + ": " + line);
    lines.push_back(findings_to_json(outcome.findings));
    return lines;
}

TEST(CoActions, SpilledAndThreadedRunsGiveTheSameBytes) {
    Random random(4);
    for (int world = 0; world < 6; ++world) {
        const auto posts = random_world(random, 200 + random.below(300));
        for (const std::string semantics : {"native", "coortweet", "qut"}) {
            Settings settings = {{"semantics", semantics}, {"window", "3s"}, {"pairs", "true"}, {"min-weight", "1"}};
            if (semantics == "native") settings.push_back({"edge-weight", "0.3"});
            const auto plain = all_of(run_posts("coordination", posts, with_object, settings));
            EXPECT_EQ(all_of(run_posts("coordination", posts, with_object, settings, 2)), plain);
            // One byte of memory: everything goes through scratch files.
            EXPECT_EQ(all_of(run_posts("coordination", posts, with_object, settings, 2, 1)), plain);
        }
    }
}

/// Goal: whatever is left out, the truth lies inside the intervals. Method: the same world with and without a limit.
TEST(CoActions, IntervalsHoldWhatWasLeftOut) {
    Random random(6);
    int opened = 0;
    for (int world = 0; world < 1500; ++world) {
        const auto posts = random_world(random, 1 + random.below(80));
        const std::string semantics = std::vector<std::string>{"native", "coortweet", "qut"}[random.below(3)];
        Settings settings = {{"semantics", semantics}, {"window", "3s"}, {"min-weight", std::to_string(1 + random.below(3))}};
        if (semantics == "native" && random.chance(0.5)) settings.push_back({"edge-weight", random.chance(0.5) ? "0.5" : "0.9"});
        if (random.chance(0.3)) settings.push_back({"keep-loops", "true"});
        auto limited = settings;
        settings.push_back({"viral-pairs-max", "0"});
        limited.push_back({"viral-pairs-max", std::to_string(5 + random.below(200))});
        const auto whole = run_posts("coordination", posts, with_object, settings);
        const auto part = run_posts("coordination", posts, with_object, limited);
        if (part.tables.lines("excluded_objects").empty()) continue;
        ++opened;
        for (const auto& finding : part.findings.items) {
            const auto* truth = whole.findings.find(finding.metric);
            if (!truth) continue;
            EXPECT_LE(finding.low, truth->value) << finding.metric << " in world " << world << ", " << semantics;
            EXPECT_GE(finding.high, truth->value) << finding.metric << " in world " << world << ", " << semantics;
        }
    }
    EXPECT_GT(opened, 300);
}

TEST(CoActions, OrderOfRowsDoesNotMatter) {
    Random random(5);
    for (int world = 0; world < 100; ++world) {
        auto posts = random_world(random, 300);
        const Settings settings = {{"window", "3s,10s"}, {"min-weight", "1"}};
        const auto plain = run_posts("coordination", posts, with_object, settings);
        for (std::size_t i = posts.size(); i > 1; --i) std::swap(posts[i - 1], posts[random.below(i)]);
        const auto shuffled = run_posts("coordination", posts, with_object, settings);
        EXPECT_EQ(shuffled.edges(), plain.edges());
        EXPECT_EQ(shuffled.tables.lines("accounts"), plain.tables.lines("accounts"));
        EXPECT_EQ(findings_to_json(shuffled.findings), findings_to_json(plain.findings));
    }
}

}  // namespace
}  // namespace unveil::testing
