#include "instruments/coordination/coordination.hpp"
#include "instruments/coordination/traces.hpp"

namespace unveil {

const InstrumentDescription& Coordination::description() const {
    static const InstrumentDescription description = [] {
        InstrumentDescription d;
        d.name = "coordination";
        d.question = "Which accounts act together?";
        d.summary =
            "Finds pairs of accounts that share the same object (a repeated post, a link, a text ...) within a time window, "
            "again and again. Counts every pair of posts over sliding, inclusive windows, for several traces and windows in "
            "one pass, and joins the accounts into groups.";
        d.record = "post";
        std::vector<std::string> traces = {"auto"};
        for (const auto& trace : coordination::trace_descriptions()) traces.emplace_back(trace.name);

        const auto add = [&](Parameter parameter) { d.parameters.push_back(std::move(parameter)); };
        add({.name = "window", .type = ParameterType::duration, .is_list = true, .default_text = "60s",
             .help = "Two posts act together when their times differ by at most this; several windows are counted in one pass",
             .minimum = 0, .maximum = 31'536'000, .citation = "Graham et al. 2020; Righetti & Balluff 2025"});
        add({.name = "traces", .type = ParameterType::choice, .is_list = true, .default_text = "auto",
             .help = "What counts as the same object; auto takes every specific trace that the evidence can carry",
             .choices = traces});
        add({.name = "min-participation", .type = ParameterType::integer, .default_text = "2",
             .help = "Leave out accounts with fewer rows in the trace", .minimum = 1});
        add({.name = "min-weight", .type = ParameterType::integer,
             .help = "Keep edges of at least this weight (default 2; 1 with --semantics coortweet)", .minimum = 1});
        add({.name = "edge-weight", .type = ParameterType::real, .metavar = "QUANTILE",
             .help = "Keep edges whose weight is above this quantile of all weights (with --semantics coortweet: mark them, "
                     "default 0.5)",
             .minimum = 0, .maximum = 1});
        add({.name = "keep-loops", .type = ParameterType::flag,
             .help = "Keep pairs of an account with itself, and what goes with them in the chosen semantics"});
        add({.name = "semantics", .type = ParameterType::choice, .default_text = "native",
             .help = "Count as unveil does, or exactly as CooRTweet or the QUT toolkit do, defects included",
             .choices = {"native", "coortweet", "qut"}});
        add({.name = "reposts", .type = ParameterType::choice, .default_text = "exclude",
             .help = "Whether the links, hashtags, mentions and text of a repost count as the reposter's own",
             .choices = {"exclude", "include"}});
        add({.name = "hashtags-min", .type = ParameterType::integer, .default_text = "5",
             .help = "Different hashtags that a post needs for the trace hashtag-sequence", .minimum = 1, .maximum = 1000,
             .citation = "Pacheco et al., ICWSM 2021"});
        add({.name = "viral-pairs-max", .type = ParameterType::integer, .default_text = "200000000", .metavar = "PAIRS",
             .help = "Leave an object out of the edges when it alone makes more pairs of posts than this; its exact count is reported "
                     "(0: never)",
             .minimum = 0});
        add({.name = "force-window", .type = ParameterType::flag,
             .help = "Accept a window finer than the time resolution of the evidence"});
        add({.name = "pairs", .type = ParameterType::flag, .help = "Also write pairs.csv, every co-action of the kept edges"});
        add({.name = "explain", .type = ParameterType::flag,
             .help = "Say what the chosen semantics do, with the known defects of the tools they follow"});

        d.metrics = {
            {"posts", "posts", "Usable posts in the evidence"},
            {"accounts", "accounts", "Accounts in the evidence"},
            {"<trace>.objects", "objects", "Different objects shared"},
            {"<trace>.active_accounts", "accounts", "Accounts with at least min-participation rows"},
            {"<trace>.pairs", "pairs", "Pairs of posts by different accounts on one object within the widest window"},
            {"<trace>.edges_found", "edges", "Pairs of accounts with at least one such pair of posts"},
            {"<trace>.edges", "edges", "Pairs of accounts kept by min-weight and edge-weight"},
            {"<trace>.accounts", "accounts", "Accounts on kept edges"},
            {"<trace>.account_share", "share", "Share of active accounts on kept edges"},
            {"<trace>.groups", "groups", "Connected components of the kept edges"},
            {"<trace>.largest_group.accounts", "accounts", "Accounts in the largest of them"},
            {"<trace>.largest_group.share", "share", "Its share of the accounts on kept edges"},
            {"<trace>.weight_max", "weight", "Weight of the strongest edge"},
            {"<trace>.median_delay_seconds", "seconds", "Median delay of the co-actions on kept edges"},
            {"<trace>.<window>.edges", "edges", "The same for one of several windows, such as co-retweet.10s.edges"},
            {"<trace>.<window>.accounts", "accounts", "Accounts on kept edges of that window"},
            {"<trace>.<window>.groups", "groups", "Connected components in that window"},
            {"<trace>.<window>.largest_group.accounts", "accounts", "Accounts in the largest of them"},
        };
        d.limits = {
            "It shows that accounts act together, not who directs them or why.",
            "There is no chance model yet: edges of small weight also arise by coincidence; the lab measures how often.",
            "Groups are connected components: one chance edge can join two groups.",
            "Times as coarse as a minute cannot answer questions about seconds; such windows are refused.",
            "Paraphrased texts and different links to one page are different objects.",
        };
        d.citations = {
            "Graham, Bruns, Zhu, Campbell (2020): Like a virus. The coordinated spread of coronavirus disinformation",
            "Pacheco et al. (ICWSM 2021): Uncovering coordinated networks on social media",
            "Righetti, Balluff (2025): CooRTweet, a generalised R package for coordinated network detection",
            "Gustavson (1978): Two fast algorithms for sparse matrices, ACM TOMS 4(3)",
            "Hyndman, Fan (1996): Sample quantiles in statistical packages, definition 7",
        };
        d.example = "unveil coordination tweets.csv --window 60s --traces co-retweet --out result";
        return d;
    }();
    return description;
}

}  // namespace unveil
