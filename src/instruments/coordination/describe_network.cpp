#include "instruments/coordination/describe_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/parameter.hpp"
#include "core/text.hpp"
#include "statistics/proportion.hpp"

namespace unveil::coordination {
namespace {

Finding exact_count(std::string metric, std::string subject, std::uint64_t value, std::string unit, std::string sentence) {
    Finding finding;
    finding.metric = std::move(metric);
    finding.subject = std::move(subject);
    finding.value = finding.low = finding.high = static_cast<double>(value);
    finding.level = 1;
    finding.unit = std::move(unit);
    finding.strength = StrengthKind::exact;
    finding.sentence = std::move(sentence);
    return finding;
}

Finding share(std::string metric, std::string subject, std::uint64_t hits, std::uint64_t trials, std::string sentence) {
    Finding finding;
    finding.metric = std::move(metric);
    finding.subject = std::move(subject);
    finding.value = trials == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(trials);
    const auto interval = wilson_interval(hits, trials, 0.95);
    finding.low = interval.low;
    finding.high = interval.high;
    finding.unit = "share";
    finding.strength = StrengthKind::interval;
    finding.sentence = std::move(sentence);
    return finding;
}

/// Median with the order-statistic interval of Conover, Practical Nonparametric Statistics, section 3.2, normal
/// approximation to the ranks; widened by what the times of the evidence, or the rounding of the delays, leave open.
Finding median_delay(const std::string& metric, const DelayCounts& delays, std::int64_t time_resolution_us) {
    Finding finding;
    finding.metric = metric;
    finding.subject = "co-actions on kept edges";
    finding.unit = "seconds";
    finding.strength = StrengthKind::interval;
    const std::uint64_t count = delays.total();
    const auto at = [&](double rank) {
        const double last = static_cast<double>(count - 1);
        return static_cast<double>(delays.nth(static_cast<std::uint64_t>(std::clamp(rank, 0.0, last)))) / 1e6;
    };
    const double n = static_cast<double>(count);
    const double half_width = normal_quantile(0.975) * std::sqrt(n) / 2;
    finding.value = (at(std::floor((n - 1) / 2)) + at(std::ceil((n - 1) / 2))) / 2;
    finding.low = at(std::floor(n / 2 - half_width) - 1);
    finding.high = at(std::ceil(n / 2 + half_width));
    // Two times cut to whole ticks are off by less than a tick each, their difference by less than a tick either way.
    const double open_seconds = static_cast<double>(time_resolution_us) / 1e6;
    finding.low = std::max(0.0, finding.low - open_seconds);
    finding.high += open_seconds;
    if (delays.tick_us() > 1) finding.high += static_cast<double>(delays.tick_us()) / 1e6;
    finding.sentence = fmt::format("Half of the {} co-actions on kept edges follow each other within {:g} seconds.",
                                   grouped_digits(count), finding.value);
    finding.caveat = "Delays are at most the window by construction; compare them with the window, not with zero.";
    return finding;
}

Figure weight_figure(const WindowResult& result) {
    Figure figure;
    figure.kind = FigureKind::histogram;
    figure.title = "Edges by weight";
    figure.x_label = "weight";
    figure.y_label = "edges";
    // Bins that double: weights have a heavy tail.
    std::uint64_t low = 1;
    std::uint64_t high = 1;
    auto next = result.weights.begin();
    while (next != result.weights.end()) {
        FigureRow row;
        row.label = low == high ? std::to_string(low) : fmt::format("{}-{}", low, high);
        for (; next != result.weights.end() && next->first <= high; ++next) row.value += static_cast<double>(next->second);
        row.low = row.high = row.value;
        figure.rows.push_back(row);
        low = high + 1;
        high = high < 4 ? high + 1 : low * 2 - 1;
    }
    figure.caption = "All pairs of accounts with at least one co-action, before any threshold.";
    return figure;
}

Figure delay_figure(const WindowResult& result) {
    constexpr std::int64_t bins = 30;
    Figure figure;
    figure.kind = FigureKind::histogram;
    figure.title = "Delay between co-actions";
    figure.x_label = "seconds";
    figure.y_label = "co-actions";
    const std::int64_t width_us = std::max<std::int64_t>(1, result.window_us / bins);
    std::vector<double> counts(static_cast<std::size_t>(result.window_us / width_us) + 1, 0);
    for (const auto& [delay_us, count] : result.delays.by_delay_us())
        counts[static_cast<std::size_t>(delay_us / width_us)] += static_cast<double>(count);
    for (std::size_t i = 0; i < counts.size(); ++i)
        figure.rows.push_back({fmt::format("{:g}", static_cast<double>(width_us) * static_cast<double>(i) / 1e6), counts[i],
                               counts[i], counts[i]});
    figure.caption = "Co-actions on kept edges; each bar is labelled by its lower end.";
    return figure;
}

Figure network_figure(const WindowResult& result, const NetworkNames& names) {
    constexpr std::size_t edges_max = 3000;
    constexpr std::size_t nodes_max = 1500;
    Figure figure;
    figure.kind = FigureKind::network;
    figure.title = "Who acts together";
    std::unordered_map<std::uint32_t, std::uint32_t> position;
    for (const Edge& edge : result.strongest) {
        if (figure.edges.size() == edges_max) break;
        if (edge.a == edge.b || position.size() + 2 > nodes_max) continue;
        const auto place = [&](std::uint32_t account) {
            const auto [found, is_new] = position.emplace(account, static_cast<std::uint32_t>(figure.nodes.size()));
            if (is_new)
                figure.nodes.push_back({std::string(names.account(account)), {}, result.group_of[account],
                                        static_cast<double>(result.degree[account])});
            return found->second;
        };
        const std::uint32_t from = place(edge.a);
        figure.edges.push_back({from, place(edge.b), static_cast<double>(edge.weight)});
    }
    figure.caption = figure.edges.size() == result.edges
                         ? fmt::format("All {} kept edges.", grouped_digits(result.edges))
                         : fmt::format("{} of the strongest of {} kept edges; all are in edges.csv.",
                                       grouped_digits(figure.edges.size()), grouped_digits(result.edges));
    return figure;
}

Figure group_figure(const WindowResult& result) {
    constexpr std::size_t groups_max = 15;
    Figure figure;
    figure.kind = FigureKind::bars;
    figure.title = "Largest groups";
    figure.x_label = "accounts";
    for (std::size_t i = 0; i < std::min(groups_max, result.groups.size()); ++i) {
        const auto accounts = static_cast<double>(result.groups[i].accounts);
        figure.rows.push_back({fmt::format("group {}", i + 1), accounts, accounts, accounts});
    }
    figure.caption = fmt::format("{} of {} groups (connected components of kept edges).", grouped_digits(figure.rows.size()),
                                 grouped_digits(result.groups.size()));
    return figure;
}

FindingTable strongest_table(const WindowResult& result, const NetworkNames& names) {
    constexpr std::size_t rows_max = 20;
    FindingTable table;
    table.columns = {"account", "account", "weight", "pairs", "median delay, s"};
    for (const Edge& edge : result.strongest) {
        if (table.rows.size() == rows_max) break;
        table.rows.push_back({std::string(names.account(edge.a)), std::string(names.account(edge.b)),
                              std::to_string(edge.weight), std::to_string(edge.pairs),
                              fmt::format("{:g}", edge.delay_median_seconds)});
    }
    return table;
}

void add_locators(const WindowResult& result, const NetworkNames& names, Finding& finding) {
    for (const Edge& edge : result.strongest) {
        if (finding.locators.size() + 2 > Finding::locators_max) break;
        finding.locators.push_back(names.posts.locator(edge.example_post_a));
        finding.locators.push_back(names.posts.locator(edge.example_post_b));
    }
    std::sort(finding.locators.begin(), finding.locators.end());
    finding.locators.erase(std::unique(finding.locators.begin(), finding.locators.end()), finding.locators.end());
    finding.locators_total = result.pairs_kept * 2;
}

/// With objects left out, what was counted is not the whole: opens every interval to what they could add or, with a
/// quantile that they could raise, take away, so that no claim is decided by what was not looked at.
void open_intervals(const std::string& trace, const NetworkRules& rules, const FilterResult& filtered,
                    const WindowResult& widest, Findings& findings) {
    const bool is_directed = rules.semantics == Semantics::qut;
    double pairs = 0;
    for (const auto& excluded : filtered.excluded)
        pairs += static_cast<double>(rules.keep_loops ? excluded.pairs_any : excluded.pairs) * (is_directed ? 2 : 1);
    const auto active = static_cast<double>(filtered.accounts_active);
    const double edges_max = active * (active - 1) / (is_directed ? 1 : 2) + (rules.keep_loops ? active : 0);
    const double groups_max = rules.keep_loops ? active : std::floor(active / 2);
    const double delay_max_seconds = static_cast<double>(widest.window_us + rules.time_resolution_us) / 1e6;
    if (rules.semantics == Semantics::coortweet) {
        // Its second filter also drops pairs of other objects for want of those left out: only the crudest bound is sure.
        const auto rows = static_cast<double>(filtered.rows);
        pairs += rows * (rows - 1) / 2;
    }
    const double weight_more = rules.semantics == Semantics::native ? static_cast<double>(filtered.excluded.size()) : pairs;
    const bool may_fall = widest.threshold && rules.semantics == Semantics::native;
    for (auto& finding : findings.items) {
        if (!finding.metric.starts_with(trace + ".")) continue;
        const auto is = [&](std::string_view name) { return finding.metric.ends_with(name); };
        const bool is_kept = is(".edges") || is(".accounts") || is(".groups") || is("_share") || is(".largest_group.share");
        const double low = finding.low;
        const double high = finding.high;
        if (is(".pairs")) finding.high += pairs;
        else if (is(".edges") || is(".edges_found"))
            finding.high = std::max(finding.value, std::min(edges_max, finding.value + pairs));
        else if (is(".accounts")) finding.high = std::max(finding.value, active);
        else if (is(".account_share") || is(".largest_group.share")) finding.high = 1;
        else if (is(".weight_max")) finding.high += weight_more;
        else if (is(".groups")) finding.high = std::max(finding.value, groups_max);
        else if (is(".median_delay_seconds")) finding.high = std::max(finding.high, delay_max_seconds);
        if (is_kept && may_fall) finding.low = 0;
        // Even without a quantile, more edges can join groups, shrink a share or pull a median down.
        if (is(".groups")) finding.low = std::min(finding.low, 1.0);
        if (is(".largest_group.share") || is(".median_delay_seconds")) finding.low = 0;
        if (finding.low == low && finding.high == high) continue;
        finding.strength = StrengthKind::interval;
        finding.sentence += " Objects left out are not counted here.";
        finding.caveat += finding.caveat.empty() ? "" : " ";
        finding.caveat +=
            "Objects too viral to enumerate were left out; the interval holds all that they could change. A higher "
            "viral-pairs-max settles it.";
    }
}

std::string_view weight_words(Semantics semantics) {
    switch (semantics) {
        case Semantics::native: return "different objects shared";
        case Semantics::coortweet: return "pairs of posts";
        case Semantics::qut: return "matching posts of the first account";
    }
    return {};
}

}  // namespace

void describe_reading(std::uint64_t posts, std::uint64_t accounts, Findings& findings) {
    findings.items.push_back(exact_count("posts", "the evidence", posts, "posts",
                                         fmt::format("The evidence holds {} usable posts.", grouped_digits(posts))));
    findings.items.push_back(exact_count("accounts", "the evidence", accounts, "accounts",
                                         fmt::format("They come from {} accounts.", grouped_digits(accounts))));
}

void describe_trace(const std::string& trace, std::uint64_t objects, std::uint64_t own_objects, const NetworkRules& rules,
                    const FilterRules& filter_rules, const FilterResult& filtered,
                    const std::vector<WindowResult>& results, const NetworkNames& names, Findings& findings) {
    const auto note = [&](std::uint64_t count, const std::string& what) {
        if (count > 0) findings.notes.push_back(fmt::format("{}: {} {}", trace, grouped_digits(count), what));
    };
    note(filtered.repeats, "exact repeats of a row (same object, account, post and time) were counted once");
    note(filtered.rows_of_inactive_accounts,
         fmt::format("rows belong to accounts with fewer than {} and were left out (--min-participation)",
                     filter_rules.participation_min));
    if (rules.semantics == Semantics::native && !rules.keep_loops)
        note(own_objects, "rows point at the post itself and were left out");
    constexpr std::size_t excluded_shown_max = 5;
    std::uint64_t excluded_pairs = 0;
    for (std::size_t i = 0; i < filtered.excluded.size(); ++i) {
        const auto& excluded = filtered.excluded[i];
        excluded_pairs += excluded.pairs;
        if (i >= excluded_shown_max) continue;
        findings.notes.push_back(fmt::format(
            "{}: an object with {} rows by {} accounts makes {} pairs within the window and was left out of the edges "
            "(--viral-pairs-max {}); see excluded_objects.csv",
            trace, grouped_digits(excluded.rows), grouped_digits(excluded.accounts), grouped_digits(excluded.pairs),
            grouped_digits(filter_rules.viral_pairs_max)));
    }
    if (filtered.excluded.size() > excluded_shown_max)
        findings.notes.push_back(fmt::format("{}: {} such objects in all, with {} pairs", trace,
                                             grouped_digits(filtered.excluded.size()), grouped_digits(excluded_pairs)));

    const WindowResult& widest = results.back();
    const std::string window = format_duration(widest.window_us);
    const std::string kept_by =
        widest.threshold && rules.semantics == Semantics::native
            ? fmt::format("weight at least {} and above {:g}", rules.weight_min, *widest.threshold)
            : fmt::format("weight at least {}", rules.weight_min);

    findings.items.push_back(exact_count(trace + ".objects", "objects of the trace", objects, "objects",
                                         fmt::format("{} different objects were shared.", grouped_digits(objects))));
    findings.items.push_back(exact_count(
        trace + ".active_accounts", "accounts of the trace", filtered.accounts_active, "accounts",
        fmt::format("{} accounts took part often enough to be compared.", grouped_digits(filtered.accounts_active))));
    findings.items.push_back(exact_count(
        trace + ".pairs", "pairs of posts", widest.pairs, "pairs",
        fmt::format("{} pairs of posts by different accounts share an object within {}.", grouped_digits(widest.pairs), window)));
    findings.items.push_back(exact_count(trace + ".edges_found", "pairs of accounts", widest.edges_found, "edges",
                                         fmt::format("They join {} pairs of accounts.", grouped_digits(widest.edges_found))));

    auto edges = exact_count(trace + ".edges", "pairs of accounts", widest.edges, "edges",
                             fmt::format("{} pairs of accounts act together within {} ({}; weight = {}).",
                                         grouped_digits(widest.edges), window, kept_by, weight_words(rules.semantics)));
    edges.caveat = "Acting together is not proof of a common hand: fans, news and events do it too.";
    edges.figure = weight_figure(widest);
    edges.table = strongest_table(widest, names);
    add_locators(widest, names, edges);
    findings.items.push_back(std::move(edges));

    findings.items.push_back(exact_count(trace + ".accounts", "accounts on kept edges", widest.accounts, "accounts",
                                         fmt::format("{} accounts have at least one such edge.", grouped_digits(widest.accounts))));
    auto account_share =
        share(trace + ".account_share", "active accounts", widest.accounts, filtered.accounts_active,
              fmt::format("That is {:.2f} % of the accounts compared.",
                          filtered.accounts_active == 0 ? 0.0
                                                        : 100.0 * widest.accounts / static_cast<double>(filtered.accounts_active)));
    account_share.caveat = "The interval treats accounts as independent draws; accounts that act together are not.";
    findings.items.push_back(std::move(account_share));

    auto groups = exact_count(trace + ".groups", "connected components", widest.groups.size(), "groups",
                              fmt::format("The edges fall into {} separate groups.", grouped_digits(widest.groups.size())));
    groups.caveat = "A single chance edge can join two groups; groups are components, not communities.";
    groups.figure = network_figure(widest, names);
    findings.items.push_back(std::move(groups));

    const std::uint64_t largest = widest.groups.empty() ? 0 : widest.groups[0].accounts;
    auto largest_group = exact_count(trace + ".largest_group.accounts", "the largest group", largest, "accounts",
                                     fmt::format("The largest group has {} accounts.", grouped_digits(largest)));
    largest_group.figure = group_figure(widest);
    findings.items.push_back(std::move(largest_group));
    findings.items.push_back(share(trace + ".largest_group.share", "accounts on kept edges", largest, widest.accounts,
                                   fmt::format("It holds {} of the {} accounts on kept edges.", grouped_digits(largest),
                                               grouped_digits(widest.accounts))));
    const std::uint64_t weight_max = widest.weights.empty() ? 0 : widest.weights.rbegin()->first;
    findings.items.push_back(exact_count(trace + ".weight_max", "the strongest edge", weight_max, "weight",
                                         fmt::format("The strongest edge weighs {}.", grouped_digits(weight_max))));
    if (widest.delays.total() > 0) {
        auto delay = median_delay(trace + ".median_delay_seconds", widest.delays, rules.time_resolution_us);
        delay.figure = delay_figure(widest);
        findings.items.push_back(std::move(delay));
    }

    for (const auto& result : results) {
        if (results.size() == 1) break;
        const std::string prefix = trace + "." + format_duration(result.window_us);
        const std::string within = " within " + format_duration(result.window_us);
        const std::uint64_t largest_here = result.groups.empty() ? 0 : result.groups[0].accounts;
        findings.items.push_back(exact_count(prefix + ".edges", "pairs of accounts", result.edges, "edges",
                                             grouped_digits(result.edges) + " pairs of accounts act together" + within + "."));
        findings.items.push_back(exact_count(prefix + ".accounts", "accounts on kept edges", result.accounts, "accounts",
                                             grouped_digits(result.accounts) + " accounts have such an edge" + within + "."));
        findings.items.push_back(exact_count(prefix + ".groups", "connected components", result.groups.size(), "groups",
                                             grouped_digits(result.groups.size()) + " groups" + within + "."));
        findings.items.push_back(exact_count(prefix + ".largest_group.accounts", "the largest group", largest_here,
                                             "accounts",
                                             "The largest group" + within + " has " + grouped_digits(largest_here) + " accounts."));
    }
    if (!filtered.excluded.empty())
        open_intervals(trace, rules, filtered, widest, findings);
}

void describe_limits(const NetworkRules& rules, bool explain, Findings& findings) {
    findings.caveats = {
        "Edges say that accounts acted together, not why: fans, news, events and scheduling tools do so as well.",
        "No chance model is applied: with many accounts some edges of small weight arise by coincidence.",
        "What is not in the evidence is not seen: deleted posts, private accounts, accounts outside the sample.",
    };
    if (!explain) return;
    const auto say = [&](std::string line) { findings.notes.push_back("explain: " + std::move(line)); };
    say("the window is inclusive and slides: two rows pair when their times differ by at most the window");
    switch (rules.semantics) {
        case Semantics::native:
            say("weight is the number of different objects that both accounts shared within the window: one vote an object");
            say("accounts with fewer rows than --min-participation are left out before pairing; there is no second filter");
            say("an account never pairs with itself and a post never with itself");
            break;
        case Semantics::coortweet:
            say("weight is the number of pairs of posts, so one hyperactive account can inflate it");
            say("known defect kept: n_content_id and n_content_id_y count older and newer posts, not each account's, and "
                "edge_symmetry_score inherits that (CooRTweet 2.1.3 generate_coordinated_network)");
            say("known defect kept: the second participation filter keeps a pair when either post passes, not both");
            say("pairs of equal time are ordered by the accounts' first appearance in the input, so they depend on row order");
            say("weight_threshold is 1 when the weight is strictly above the quantile of type 7 at --edge-weight");
            say("account ids are ordered by bytes; CooRTweet orders them by the locale of its machine");
            break;
        case Semantics::qut:
            say("edges are directed: the weight counts different posts of user_1 that have a match by user_2");
            say("there is no participation filter; --min-weight applies to each direction apart");
            say("known defect kept: addresses of reposts are ignored");
            say("the toolkit's own command line uses a window of 1 second where its documents say 60; give --window");
            break;
    }
}

}  // namespace unveil::coordination
