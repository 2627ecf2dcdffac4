#include "instruments/coordination/describe_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/parameter.hpp"
#include "core/text.hpp"
#include "graph/components.hpp"
#include "instruments/common_findings.hpp"
#include "statistics/proportion.hpp"

namespace unveil::coordination {
namespace {

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
    // The quantile, the degrees and the number of tests are those of what was read.
    const bool may_fall =
        (widest.threshold && rules.semantics == Semantics::native) || (rules.judges_chance && rules.keep != Keep::weight);
    for (auto& finding : findings.items) {
        if (!finding.metric.starts_with(trace + ".")) continue;
        const auto is = [&](std::string_view name) { return finding.metric.ends_with(name); };
        const bool is_kept = is(".edges") || is(".accounts") || is(".groups") || is("_share") || is(".largest_group.share");
        const double low = finding.low;
        const double high = finding.high;
        if (is(".pairs")) finding.high += pairs;
        else if (is(".edges") || is(".edges_found") || is(".candidates") || is(".significant_edges"))
            finding.high = std::max(finding.value, std::min(edges_max, finding.value + pairs));
        else if (is(".accounts") || is(".significant_accounts")) finding.high = std::max(finding.value, active);
        else if (is(".account_share") || is(".largest_group.share")) finding.high = 1;
        else if (is(".weight_max")) finding.high += weight_more;
        else if (is(".groups")) finding.high = std::max(finding.value, groups_max);
        else if (is(".median_delay_seconds")) finding.high = std::max(finding.high, delay_max_seconds);
        // An object left out may change the pace and the popularity of all others, and so the judgement of every pair.
        if (rules.judges_chance && rules.keep != Keep::weight && (is(".edges") || is(".significant_edges")))
            finding.high = std::max(finding.high, std::min(edges_max, static_cast<double>(widest.candidates) + pairs));
        if ((is_kept && may_fall) || is(".significant_edges") || is(".significant_accounts")) finding.low = 0;
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

/// What the groups would be if every pair of which nothing can be told belonged to them.
struct JoinedGroups {
    std::size_t with_found = 0;      // components that hold a kept edge: at least so many groups, whichever of the pairs are real
    std::uint32_t largest_accounts = 0;
};

JoinedGroups join_groups(const WindowResult& result) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> links = result.untold;
    const auto accounts = static_cast<std::uint32_t>(result.group_of.size());
    for (std::uint32_t account = 0; account < accounts; ++account)
        if (const std::uint32_t group = result.group_of[account]; group > 0) links.emplace_back(account, result.groups[group - 1].smallest_account);
    const auto component = connected_components(accounts, links);
    std::vector<std::uint32_t> sizes(accounts + std::size_t{1}, 0);
    JoinedGroups joined;
    for (const std::uint32_t c : component) joined.largest_accounts = std::max(joined.largest_accounts, ++sizes[c]);
    std::vector<std::uint32_t> found;
    for (const GroupSummary& group : result.groups) found.push_back(component[group.smallest_account]);
    std::sort(found.begin(), found.end());
    joined.with_found = static_cast<std::size_t>(std::unique(found.begin(), found.end()) - found.begin());
    return joined;
}

/// Where nobody outside one circle shares its objects synchrony may not be shown: what was not found may be there.
void open_untold(const std::string& prefix, const NetworkRules& rules, const FilterResult& filtered, const WindowResult& result,
                 Findings& findings) {
    const bool is_kept_by_chance = rules.keep == Keep::significant;
    const bool has_pace = result.pace.has_common_pace;
    if (result.untold.empty()) return;
    const auto edges = static_cast<double>(result.significant + result.untold.size());
    const auto accounts = static_cast<double>(result.significant_accounts + result.untold_accounts);
    const JoinedGroups joined = join_groups(result);
    const auto largest = static_cast<double>(joined.largest_accounts);
    for (auto& finding : findings.items) {
        if (!finding.metric.starts_with(prefix + ".")) continue;
        const auto is = [&](std::string_view name) { return finding.metric == prefix + std::string(name); };
        const double low = finding.low;
        const double high = finding.high;
        if (is(".significant_edges")) finding.high = std::max(high, edges);
        else if (is(".significant_accounts")) finding.high = std::max(high, accounts);
        else if (!is_kept_by_chance) continue;
        else if (is(".edges")) finding.high = std::max(high, edges);
        else if (is(".accounts")) finding.high = std::max(high, accounts);
        else if (is(".largest_group.accounts")) finding.high = std::max(high, largest);
        else if (is(".groups")) {
            finding.low = std::min(low, static_cast<double>(joined.with_found));
            // New groups are made of accounts that have no edge so far.
            finding.high = std::max(high, finding.value + std::floor(result.untold_accounts / 2.0));
        } else if (is(".largest_group.share")) {
            const auto found = static_cast<double>(result.accounts);
            finding.low = accounts > 0 ? std::min(low, finding.value * found / accounts) : 0;
            finding.high = std::max(high, largest > 0 ? largest / std::max(found, largest) : 1);
        } else if (is(".account_share") && filtered.accounts_active > 0) {
            finding.high = std::max(high, wilson_interval(static_cast<std::uint64_t>(accounts), filtered.accounts_active).high);
        }
        if (finding.low == low && finding.high == high) continue;
        finding.level = std::min(finding.level, 0.95);
        if (finding.strength == StrengthKind::exact) finding.strength = StrengthKind::interval;
        finding.caveat += finding.caveat.empty() ? "" : " ";
        finding.caveat +=
            has_pace ? fmt::format("Of {} further pairs it cannot be told whether they act together: what they share has the pace of their "
                                   "own circle, or is what many share. More posts of other accounts may settle it, for example as --control.",
                                   grouped_digits(result.untold.size()))
                     : "Too few other accounts share the same objects to know a common pace, so what was not shown may be there.";
    }
}

/// Rows of controls are in the counts of the trace, not in its edges.
void open_controls(const std::string& trace, Findings& findings) {
    for (auto& finding : findings.items) {
        const auto is = [&](std::string_view name) { return finding.metric == trace + std::string(name); };
        if (!is(".objects") && !is(".active_accounts") && !is(".pairs") && !is(".edges_found") && !is(".weight_max") && !is(".account_share"))
            continue;
        if (is(".account_share")) finding.high = 1;
        else finding.low = 0;
        finding.strength = StrengthKind::interval;
        finding.caveat += finding.caveat.empty() ? "" : " ";
        finding.caveat += "The controls' rows are counted here too.";
    }
}

/// What chance explains, what it does not, and how the answer would change with another rule.
void describe_chance(const std::string& trace, const NetworkRules& rules, const WindowResult& result, Findings& findings) {
    findings.items.push_back(
        exact_count(trace + ".candidates", "pairs of accounts", result.candidates, "edges",
                    fmt::format("{} pairs of accounts reach weight {} and were judged against chance.",
                                grouped_digits(result.candidates), rules.weight_min)));
    auto significant = exact_count(
        trace + ".significant_edges", "pairs of accounts", result.significant, "edges",
        result.significant == 0
            ? fmt::format("None of them is beyond chance (q at most {:g} over all {} pairs of accounts).", rules.alpha,
                          grouped_digits(static_cast<std::uint64_t>(result.tests)))
            : fmt::format("{} of them are beyond chance: at most {:g} % of these are expected to be false (false discovery rate "
                          "over all {} pairs of accounts).",
                          grouped_digits(result.significant), rules.alpha * 100,
                          grouped_digits(static_cast<std::uint64_t>(result.tests))));
    significant.strength = StrengthKind::q_value;
    significant.strength_value = rules.alpha;
    significant.caveat =
        "Chance here means: popularity of objects, appetite of accounts, pace of each object, the quarter of the day in which "
        "accounts post. A common habit, feed or timetable is not chance, and not proof of a common hand.";
    if (result.significant_closed > 0)
        significant.caveat += fmt::format(
            " {} of these edges rest on objects that hardly anybody outside one circle shares: they are judged at the common pace, "
            "and the stated share of false edges holds only if that pace would be theirs. An event that only this circle attends "
            "looks the same.",
            grouped_digits(result.significant_closed));
    if (result.control_edges > 0)
        significant.caveat += fmt::format(" {} further edges have a control at an end and are not counted.",
                                          grouped_digits(result.control_edges));
    if (!result.pace.has_common_pace)
        significant.caveat += fmt::format(
            " Only {} accounts share objects with at least {} accounts, too few to know a common pace, so what only one "
            "circle shares cannot be shown to be synchronous. More posts of other accounts would settle it, for example as "
            "--control.",
            grouped_digits(result.pace.voters), NullModels::pace_accounts_min);
    significant.table.columns = {"rule", "edges", "accounts", "beyond chance"};
    for (const auto& rule : result.rules)
        significant.table.rows.push_back({rule.rule, grouped_digits(rule.edges), grouped_digits(rule.accounts),
                                          rule.edges == 0 ? std::string("-")
                                                          : fmt::format("{:.1f} %", 100.0 * static_cast<double>(rule.significant) /
                                                                                        static_cast<double>(rule.edges))});
    findings.items.push_back(std::move(significant));
    if (result.significant == 0 && result.candidates > 0 && rules.keep == Keep::significant)
        findings.notes.push_back(fmt::format("{}: {} pairs of accounts reach weight {}, none of them beyond chance; --keep weight shows them",
                                             trace, grouped_digits(result.candidates), rules.weight_min));
    findings.items.push_back(exact_count(trace + ".significant_accounts", "accounts", result.significant_accounts, "accounts",
                                         fmt::format("{} accounts have an edge beyond chance.",
                                                     grouped_digits(result.significant_accounts))));
    if (result.pace.has_common_pace)
        findings.notes.push_back(fmt::format(
            "{}: two shares of one object lie within {} of each other with probability {:g} at the common pace; {} of {} objects "
            "are faster, {} of them shared mostly by one circle and judged at the common pace",
            trace, format_duration(result.window_us), result.pace.common_pace, grouped_digits(result.pace.objects_fast),
            grouped_digits(result.pace.objects), grouped_digits(result.pace.objects_closed)));
    else
        findings.notes.push_back(fmt::format("{}: too few accounts ({}) share objects of others to know a common pace", trace,
                                             grouped_digits(result.pace.voters)));
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
    std::string kept_by =
        widest.threshold && rules.semantics == Semantics::native
            ? fmt::format("weight at least {} and above {:g}", rules.weight_min, *widest.threshold)
            : fmt::format("weight at least {}", rules.weight_min);
    switch (rules.keep) {
        case Keep::significant: kept_by += fmt::format(", beyond chance at q {}", rules.alpha); break;
        case Keep::weight: break;
        case Keep::disparity: kept_by += fmt::format(", disparity below {}", rules.alpha); break;
        case Keep::marginal_likelihood: kept_by += fmt::format(", marginal likelihood below {}", rules.alpha); break;
    }

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
    edges.caveat = "Acting together is not proof of a common hand: fans, scheduled news, event crowds, official accounts and "
                   "tools do it too.";
    edges.figure = weight_figure(widest);
    edges.table = strongest_table(widest, names);
    add_locators(widest, names, edges);
    findings.items.push_back(std::move(edges));

    if (rules.judges_chance) describe_chance(trace, rules, widest, findings);

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
        if (rules.judges_chance)
            findings.items.push_back(exact_count(prefix + ".significant_edges", "pairs of accounts", result.significant, "edges",
                                                 grouped_digits(result.significant) + " pairs are beyond chance" + within + "."));
        findings.items.push_back(exact_count(prefix + ".accounts", "accounts on kept edges", result.accounts, "accounts",
                                             grouped_digits(result.accounts) + " accounts have such an edge" + within + "."));
        findings.items.push_back(exact_count(prefix + ".groups", "connected components", result.groups.size(), "groups",
                                             grouped_digits(result.groups.size()) + " groups" + within + "."));
        findings.items.push_back(exact_count(prefix + ".largest_group.accounts", "the largest group", largest_here,
                                             "accounts",
                                             "The largest group" + within + " has " + grouped_digits(largest_here) + " accounts."));
    }
    if (rules.judges_chance) {
        open_untold(trace, rules, filtered, widest, findings);
        if (results.size() > 1)
            for (const auto& result : results)
                open_untold(trace + "." + format_duration(result.window_us), rules, filtered, result, findings);
    }
    if (rules.is_control) open_controls(trace, findings);
    if (!filtered.excluded.empty())
        open_intervals(trace, rules, filtered, widest, findings);
}

void open_untold_network(std::size_t first, const UntoldNetwork& untold, Findings& findings) {
    if (untold.edges == 0) return;
    const auto accounts_found = std::find_if(findings.items.begin() + static_cast<std::ptrdiff_t>(first), findings.items.end(),
                                             [](const Finding& finding) { return finding.metric == "fused.accounts"; });
    const double found = accounts_found == findings.items.end() ? 0 : accounts_found->value;
    for (std::size_t i = first; i < findings.items.size(); ++i) {
        Finding& finding = findings.items[i];
        if (finding.metric.starts_with("control.")) continue;
        const bool is_community = finding.metric.starts_with("community.");
        const double low = finding.low;
        const double high = finding.high;
        if (is_community && finding.metric.ends_with(".share")) {
            const double members = finding.value * found;
            finding.low = std::min(finding.low, members / (found + untold.accounts));
            finding.high = std::max(finding.high, (members + untold.accounts) / (found + untold.accounts));
        } else if (is_community) {
            continue;
        } else if (finding.unit == "edges") {
            finding.high += untold.edges;
        } else if (finding.unit == "accounts") {
            finding.high += untold.accounts;
        } else if (finding.unit == "communities") {
            finding.high += std::floor(untold.accounts / 2);
        }
        if (finding.low == low && finding.high == high) continue;
        finding.level = std::min(finding.level, 0.95);
        if (finding.strength == StrengthKind::exact) finding.strength = StrengthKind::interval;
        finding.caveat += finding.caveat.empty() ? "" : " ";
        finding.caveat += "Some traces hold pairs whose synchrony cannot be told, for want of other accounts that share the same objects; they may "
                          "belong here.";
    }
}

void open_network_intervals(std::size_t first, std::uint64_t accounts, std::uint64_t posts, Findings& findings) {
    const auto n = static_cast<double>(accounts);
    for (std::size_t i = first; i < findings.items.size(); ++i) {
        Finding& finding = findings.items[i];
        if (finding.metric == "control.accounts") continue;
        const auto is_in = [&](std::string_view unit) { return finding.unit == unit; };
        constexpr double unbounded = 1e15;
        finding.low = 0;
        if (is_in("edges")) finding.high = std::max(finding.high, n * (n - 1) / 2);
        else if (is_in("accounts") || is_in("communities")) finding.high = std::max(finding.high, n);
        else if (is_in("posts")) finding.high = std::max(finding.high, static_cast<double>(posts));
        else if (is_in("share") || is_in("probability") || is_in("Jaccard")) finding.high = 1;
        else finding.high = unbounded;
        finding.strength = StrengthKind::interval;
        finding.sentence += " Objects left out are not counted here.";
        finding.caveat += finding.caveat.empty() ? "" : " ";
        finding.caveat += "Objects too viral to enumerate were left out; a higher viral-pairs-max settles it.";
    }
}

void describe_limits(const NetworkRules& rules, bool explain, Findings& findings) {
    findings.caveats = {
        "Edges say that accounts acted together, not why: fans, news, events and scheduling tools do so as well.",
        rules.judges_chance
            ? "Beyond chance is not beyond custom: the null models know popularity, appetite, pace and hours, not reasons."
            : "No chance model is applied: with many accounts some edges of small weight arise by coincidence.",
        "What is not in the evidence is not seen: deleted posts, private accounts, accounts outside the sample.",
    };
    if (!explain) return;
    const auto say = [&](std::string line) { findings.notes.push_back("explain: " + std::move(line)); };
    say("the window is inclusive and slides: two rows pair when their times differ by at most the window");
    switch (rules.semantics) {
        case Semantics::native:
            say("weight is the number of different objects that both accounts shared within the window: one vote an object");
            if (rules.judges_chance) {
                say("p_interest: bipartite configuration model on distinct degrees, Poisson-binomial tail of the shared objects");
                say("p_sync: given the shared objects, Poisson-binomial tail of those within the window, each with its object's "
                    "pace; equals shuffling times within each object");
                say("q: Benjamini-Hochberg over all pairs of active accounts, synchrony weighted by the rarity of what a pair shares, "
                    "among pairs whose shared interest is significant; pairs below --min-weight count with p = 1");
            }
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
