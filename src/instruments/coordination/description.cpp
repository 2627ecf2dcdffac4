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
            "again and again, and says how surprising that is: against chance given how much each shares, and against the "
            "pace of the objects they share. Joins traces, finds communities and their tiers, and when they were active.";
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
             .help = "Look at edges of at least this weight (default 2; 1 with --semantics coortweet)", .minimum = 1});
        add({.name = "keep", .type = ParameterType::choice,
             .help = "Which of them to keep: those beyond chance (default), all, or a backbone at --alpha",
             .choices = {"significant", "weight", "disparity", "marginal-likelihood"},
             .citation = "Serrano et al. 2009; Dianati 2016"});
        add({.name = "alpha", .type = ParameterType::real, .default_text = "0.05",
             .help = "Share of false edges to accept among those kept as significant (false discovery rate)",
             .minimum = 1e-12, .maximum = 1, .citation = "Benjamini & Hochberg 1995"});
        add({.name = "chance", .type = ParameterType::choice, .default_text = "on",
             .help = "Whether to judge edges against chance and look for communities; off: edges by weight alone, faster",
             .choices = {"on", "off"}});
        add({.name = "posting-hours", .type = ParameterType::choice, .default_text = "stratify",
             .help = "Whether accounts that post at the same hours are expected to coincide more often",
             .choices = {"stratify", "ignore"}});
        add({.name = "communities", .type = ParameterType::choice, .default_text = "on",
             .help = "Whether to look for communities, tiers and rhythm in the kept network; needs --chance on", .choices = {"on", "off"}});
        add({.name = "control-label", .type = ParameterType::text,
             .help = "Accounts with this label are controls, other labels are known campaigns: how well they are told apart is scored",
             .citation = "Vargas et al. 2020"});
        add({.name = "resolution", .type = ParameterType::real, .default_text = "1",
             .help = "Of communities: above 1 more and smaller ones, below 1 fewer and larger ones",
             .minimum = 0.001, .maximum = 1000, .citation = "Reichardt & Bornholdt 2006"});
        add({.name = "stability-runs", .type = ParameterType::integer, .default_text = "20",
             .help = "How often communities are looked for again, with other seeds and resampled edges, to see which stay",
             .minimum = 0, .maximum = 1000});
        add({.name = "slice", .type = ParameterType::duration, .default_text = "7d",
             .help = "Length of the time slices in which communities are followed", .minimum = 60, .maximum = 315'360'000});
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
        add({.name = "text-similarity", .type = ParameterType::real, .default_text = "0.8", .metavar = "JACCARD",
             .help = "Of the trace near-text: share of their short runs of characters that two texts have in common",
             .minimum = 0.5, .maximum = 1, .citation = "Broder 1997"});
        add({.name = "fold-chinese", .type = ParameterType::flag,
             .help = "In near-text, traditional Chinese characters count as their simplified ones"});
        add({.name = "show-texts", .type = ParameterType::flag,
             .help = "Write the texts of near-text clusters into near_texts.csv, with what differs in brackets"});
        add({.name = "viral-pairs-max", .type = ParameterType::integer, .default_text = "200000000", .metavar = "PAIRS",
             .help = "Leave an object out of the edges when it alone makes more pairs of posts than this; its exact count is reported "
                     "(0: never)",
             .minimum = 0});
        add({.name = "force-window", .type = ParameterType::flag,
             .help = "Accept a window finer than the time resolution of the evidence"});
        add({.name = "pairs", .type = ParameterType::flag,
             .help = "Write pairs.csv, every co-action of the kept edges, also when edges are not kept by significance"});
        add({.name = "explain", .type = ParameterType::flag,
             .help = "Say what the chosen semantics do, with the known defects of the tools they follow"});

        d.metrics = {
            {"posts", "posts", "Usable posts in the evidence"},
            {"accounts", "accounts", "Accounts in the evidence"},
            {"<trace>.objects", "objects", "Different objects shared"},
            {"<trace>.active_accounts", "accounts", "Accounts with at least min-participation rows"},
            {"<trace>.pairs", "pairs", "Pairs of posts by different accounts on one object within the widest window"},
            {"<trace>.edges_found", "edges", "Pairs of accounts with at least one such pair of posts"},
            {"<trace>.edges", "edges", "Pairs of accounts kept by min-weight, edge-weight and keep"},
            {"<trace>.accounts", "accounts", "Accounts on kept edges"},
            {"<trace>.account_share", "share", "Share of active accounts on kept edges"},
            {"<trace>.groups", "groups", "Connected components of the kept edges"},
            {"<trace>.largest_group.accounts", "accounts", "Accounts in the largest of them"},
            {"<trace>.largest_group.share", "share", "Its share of the accounts on kept edges"},
            {"<trace>.weight_max", "weight", "Weight of the strongest edge"},
            {"<trace>.median_delay_seconds", "seconds", "Median delay of the co-actions on kept edges"},
            {"<trace>.candidates", "edges", "Pairs of accounts of at least min-weight, judged against chance"},
            {"<trace>.significant_edges", "edges", "Pairs of accounts beyond chance: q of both null models at most alpha"},
            {"<trace>.significant_accounts", "accounts", "Accounts with such an edge"},
            {"<trace>.<window>.significant_edges", "edges", "The same for one of several windows"},
            {"fused.edges", "edges", "Pairs of accounts kept when all traces and windows are taken together"},
            {"fused.accounts", "accounts", "Accounts with such an edge"},
            {"communities", "communities", "Communities of that network (Leiden)"},
            {"core.accounts", "accounts", "Accounts whose posts are mostly their own, or that members repost more than they give"},
            {"core.edges", "edges", "Edges between two of them in one community"},
            {"amplifier.accounts", "accounts", "Accounts that repost few others, in sync or fast"},
            {"amplifier.edges", "edges", "Edges between two of them in one community"},
            {"bridge.accounts", "accounts", "Accounts that are reposted by members and repost them"},
            {"bridge.edges", "edges", "Edges between two of them in one community"},
            {"periphery.accounts", "accounts", "Accounts of communities that fit no other tier"},
            {"periphery.edges", "edges", "Edges between two of them in one community"},
            {"community.1.share", "share", "Share of the network's accounts in the largest community"},
            {"community.<n>.accounts", "accounts", "Accounts in community n, 1 is the largest; n up to 20"},
            {"community.<n>.core.accounts", "accounts", "Its core"},
            {"community.<n>.amplifier.accounts", "accounts", "Its amplifiers"},
            {"community.<n>.bridge.accounts", "accounts", "Its bridges"},
            {"community.<n>.periphery.accounts", "accounts", "Its other accounts"},
            {"community.<n>.posts", "posts", "All posts of its accounts"},
            {"community.<n>.span_days", "days", "From its first post to its last"},
            {"community.<n>.stability", "Jaccard", "How much of it comes back when edges are drawn anew"},
            {"community.<n>.unseen_amplification", "reposts", "Counted by the platform, not in the evidence"},
            {"community.<n>.office_hours_share", "share", "Posts in office hours at the UTC offset that fits best"},
            {"community.<n>.hours_p", "probability", "Its hours of the day against those of accounts outside"},
            {"community.<n>.creation_burst.accounts", "accounts", "Accounts created in its strongest burst"},
            {"community.<n>.silent_days", "days", "Without a post up to the end of the evidence"},
            {"community.<n>.volume_changes", "changes", "Change points of its daily volume"},
            {"community.<n>.topic_shift_p", "probability", "Of the strongest change of topics"},
            {"control.accounts", "accounts", "Controls, when the evidence has any"},
            {"control.auc", "share", "Chance that an account of a known campaign scores above a control"},
            {"control.pr_auc", "share", "Average precision against controls"},
            {"control.precision", "share", "Of the accounts found, those of known campaigns"},
            {"control.recall", "share", "Of the accounts of known campaigns, those found"},
            {"control.left_out.precision", "share", "With a threshold chosen on the other campaigns"},
            {"control.left_out.recall", "share", "With a threshold chosen on the other campaigns"},
            {"control.left_out.f1", "share", "With a threshold chosen on the other campaigns"},
            {"<trace>.<window>.edges", "edges", "The same for one of several windows, such as co-retweet.10s.edges"},
            {"<trace>.<window>.accounts", "accounts", "Accounts on kept edges of that window"},
            {"<trace>.<window>.groups", "groups", "Connected components in that window"},
            {"<trace>.<window>.largest_group.accounts", "accounts", "Accounts in the largest of them"},
        };
        d.limits = {
            "It shows that accounts act together, not who directs them or why.",
            "Beyond chance is not beyond custom: fans, scheduled news, event crowds and tools also act together; the null models "
            "know popularity, appetite, pace and hours, not reasons.",
            "An object that only one circle shares has no outside pace; the common pace stands in, and without enough other "
            "accounts in the evidence synchrony cannot be shown at all.",
            "Groups are connected components: one chance edge can join two groups.",
            "Times as coarse as a minute cannot answer questions about seconds; such windows are refused.",
            "Paraphrased texts and different links to one page are different objects; near-text sees edits, not other words.",
        };
        d.citations = {
            "Graham, Bruns, Zhu, Campbell (2020): Like a virus. The coordinated spread of coronavirus disinformation",
            "Pacheco et al. (ICWSM 2021): Uncovering coordinated networks on social media",
            "Righetti, Balluff (2025): CooRTweet, a generalised R package for coordinated network detection",
            "Gustavson (1978): Two fast algorithms for sparse matrices, ACM TOMS 4(3)",
            "Saracco, Di Clemente, Gabrielli, Squartini (2015): Randomizing bipartite networks: the case of the World Trade Web",
            "Saracco, Straka, Di Clemente, Gabrielli, Caldarelli, Squartini (2017): Inferring monopartite projections of "
            "bipartite networks",
            "Benjamini, Hochberg (1995): Controlling the false discovery rate",
            "Genovese, Roeder, Wasserman (2006): False discovery control with p-value weighting, Biometrika 93",
            "Broder (1997): On the resemblance and containment of documents",
            "Xiao, Wang, Lin, Yu (2008): Efficient similarity joins for near duplicate detection",
            "Traag, Waltman, van Eck (2019): From Louvain to Leiden, Scientific Reports 9",
            "Hennig (2007): Cluster-wise assessment of cluster stability",
            "Greene, Doyle, Cunningham (2010): Tracking the evolution of communities in dynamic social networks",
            "Kleinberg (1999): Authoritative sources in a hyperlinked environment, J. ACM 46",
            "Serrano, Boguna, Vespignani (2009): Extracting the multiscale backbone of complex weighted networks",
            "Dianati (2016): Unwinding the hairball graph: pruning algorithms for weighted complex networks",
            "Hyndman, Fan (1996): Sample quantiles in statistical packages, definition 7",
        };
        d.accepts_controls = true;
        d.example = "unveil coordination tweets.csv --window 60s --traces co-retweet --out result";
        return d;
    }();
    return description;
}

}  // namespace unveil
