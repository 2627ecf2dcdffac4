// A case by hand: each kind of verdict, comparison, figure and finding once, and names that try to break out.
#pragma once

#include <string>
#include <vector>

#include "core/random.hpp"
#include "report/report.hpp"

namespace unveil {

inline const std::vector<std::string>& hostile_names() {
    static const std::vector<std::string> all = {
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "javascript:alert(1)",
        "</script><script>alert(1)</script>",
        "</title></svg></style>",
        "<!--",
        "]]>",
        "&lt;b&gt;",
        "\xE2\x80\xAEgnp.exe",                          // right-to-left override
        "\xE2\x81\xA6isolate\xE2\x81\xA9",
        "\xD8\xA7\xD9\x84\xD8\xB9\xD8\xB1\xD8\xA8\xD9\x8A\xD8\xA9",
        "\xF0\x9F\x90\xBC panda",
        std::string("nul\0byte", 8),
        "\xFF\xFE broken \xC3",
        "line\nbreak\ttab",
        "=cmd|' /C calc'!A0",
        "{{constructor.constructor('alert(1)')()}}",
        "${alert(1)}",
    };
    return all;
}

inline Finding plain_finding(std::string metric, double value, std::string unit, std::string sentence) {
    Finding finding;
    finding.metric = std::move(metric);
    finding.subject = "accounts in the evidence";
    finding.value = finding.low = finding.high = value;
    finding.level = 1;
    finding.unit = std::move(unit);
    finding.sentence = std::move(sentence);
    return finding;
}

/// Three groups of accounts, the first with hostile names, pairs and lone accounts around them.
inline Finding network_finding(std::uint32_t scale) {
    auto finding = plain_finding("core.accounts", 34.0 * scale, "accounts", "A core of 34 accounts posts first, others follow.");
    finding.subject = "the core of the network";
    finding.figure.kind = FigureKind::network;
    finding.figure.title = "Accounts that repeat the same posts within a minute";
    finding.figure.caption = "Each mark is an account, each line a pair that shared at least two posts within 60 seconds of each other.";
    Random random(11);
    const auto add_group = [&](std::uint32_t number, std::uint32_t count, std::uint32_t links) {
        const auto first = static_cast<std::uint32_t>(finding.figure.nodes.size());
        for (std::uint32_t i = 0; i < count; ++i) {
            FigureNode node;
            node.id = std::to_string(1'000'000'000 + random.below(900'000'000));
            if (number == 1 && i < hostile_names().size()) node.label = hostile_names()[i];
            else if (i % 3 == 0) node.label = "account_" + std::to_string(first + i);
            node.group = number;
            finding.figure.nodes.push_back(node);
        }
        for (std::uint32_t i = 0; i < links; ++i) {
            const auto from = first + static_cast<std::uint32_t>(std::min(random.below(count), random.below(count)));
            const auto to = first + static_cast<std::uint32_t>(random.below(count));
            if (from == to) continue;
            finding.figure.edges.push_back({from, to, static_cast<double>(2 + random.below(6) * random.below(8))});
            finding.figure.nodes[from].weight += 1;
            finding.figure.nodes[to].weight += 1;
        }
    };
    add_group(1, 120 * scale, 420 * scale);
    add_group(2, 48 * scale, 260 * scale);
    add_group(3, 30 * scale, 60 * scale);
    add_group(4, 12 * scale, 40 * scale);
    for (std::uint32_t i = 0; i < 20; ++i) add_group(5 + i, 2 + i % 4, 4 + i % 4);
    add_group(0, 5, 0);
    finding.caveat = "Accounts that share fast may follow the same source without knowing of each other; the null model tells how often.";
    finding.locators = {{0, 12}, {0, 871}, {0, 20'413}, {1, 3}};
    finding.locators_total = 15'210;
    return finding;
}

inline ReportInput example_report(std::uint32_t scale = 1) {
    ReportInput input;
    input.title = "The June takedown";
    input.description = "Whether the accounts of the archive acted together, and in which roles.";
    input.case_file = "case.toml";
    input.case_folder = "case.out";

    ReportEvidence archive;
    archive.id = "archive";
    archive.path = "tweets.csv.gz";
    archive.format = "twitter-io";
    archive.compression = "gzip";
    archive.sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    archive.bytes = 18'331'204;
    archive.rows_kept = 326'980;
    archive.rows_skipped = 3;
    archive.skips = {{"time not understood", 3, {"tweets.csv.gz:17: \"<b>yesterday</b>\"", "tweets.csv.gz:90211: \"\\x00\""}}};
    archive.notes = {{"time recovered from the id", 310'112, {}}};
    archive.time_first = "2016-09-01T00:00:12Z";
    archive.time_last = "2016-11-30T23:58:04Z";
    archive.time_resolution = "1 s: every time is a whole second";
    auto second = archive;
    second.id = "comparison";
    second.path = "comparison.csv";
    second.compression = "none";
    second.skips.clear();
    second.rows_skipped = 0;
    second.rows_kept = 35'125;
    input.evidence = {archive, second};

    ReportRun run;
    run.instrument = "coordination";
    run.question = "Which accounts act together?";
    run.limits = {"It cannot tell one person with many accounts from many persons who agreed.",
                  "It cannot see what was deleted before the evidence was collected."};
    run.citations = {"Righetti & Balluff, CooRTweet: Coordinated Networks Detection on Social Media, 2023",
                     "Benjamini & Hochberg, Controlling the False Discovery Rate, JRSS B 1995"};
    run.version = "0.1.0";
    run.commit = "0123456789abcdef0123456789abcdef01234567";
    run.seed = "1";
    run.parameters = {{"trace", "co-retweet, exact-text"}, {"window", "60s"}, {"min-participation", "2"}, {"keep-loops", "false"}};
    run.findings_sha256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    run.inputs = input.evidence;

    run.findings.items.push_back(network_finding(scale));

    auto delays = plain_finding("co-retweet.delay.median", 8.4, "seconds", "Half of all co-retweets follow within 8.4 seconds.");
    delays.subject = "delay between two accounts that share a post";
    delays.low = 7.9;
    delays.high = 9.02;
    delays.level = 0.95;
    delays.strength = StrengthKind::interval;
    delays.figure.kind = FigureKind::histogram;
    delays.figure.title = "How long after the first account the second one follows";
    delays.figure.x_label = "seconds between the two posts";
    delays.figure.y_label = "pairs";
    for (int i = 0; i < 30; ++i) {
        const double count = std::floor(4200.0 / (1 + 0.02 * i * i)) + (i == 0 ? 900 : 0);
        delays.figure.rows.push_back({std::to_string(2 * i), count, count, count});
    }
    delays.figure.caption = "Most pairs follow within a few seconds; chance alone would spread them evenly over the minute.";
    delays.caveat = "Times are whole seconds, so delays below one second look like zero.";
    run.findings.items.push_back(delays);

    auto traces = plain_finding("traces.count", 5, "traces", "Five traces tie accounts together, co-retweet most of all.");
    traces.subject = "pairs by trace";
    traces.figure.kind = FigureKind::bars;
    traces.figure.title = "Pairs of accounts by what they share";
    traces.figure.x_label = "pairs of accounts";
    traces.figure.rows = {{"co-retweet", 16'204, 15'800, 16'900}, {"exact text", 4'180, 4'000, 4'400},
                          {"co-hashtag", 2'007, 1'400, 2'300}, {"co-link (canonical address)", 811, 700, 930},
                          {hostile_names()[0], 14, 2, 40}, {"回复同一个帖子的账号对数", 3, 3, 3}};
    traces.figure.caption = "The whiskers are 95 % intervals from 1,000 shuffles.";
    run.findings.items.push_back(traces);

    auto weeks = plain_finding("activity.weeks", 13, "weeks", "The accounts were active in 13 weeks, with a peak in early November.");
    weeks.subject = "activity over time";
    weeks.figure.kind = FigureKind::line;
    weeks.figure.title = "Posts a week by accounts of the core";
    weeks.figure.x_label = "week of 2016";
    weeks.figure.y_label = "posts";
    for (int i = 0; i < 13; ++i) {
        const double value = 900 + 120.0 * i + (i == 9 ? 2600 : 0) - (i > 10 ? 900 : 0);
        weeks.figure.rows.push_back({std::to_string(35 + i), value, value * 0.9, value * 1.12});
    }
    weeks.figure.caption = "The peak falls into the week of the election.";
    weeks.table.columns = {"week", "posts", "most active account"};
    for (int i = 0; i < 13; ++i)
        weeks.table.rows.push_back({std::to_string(35 + i), std::to_string(900 + 120 * i),
                                    hostile_names()[static_cast<std::size_t>(i)]});
    run.findings.items.push_back(weeks);

    auto empty = plain_finding("co-reply.pairs", 0, "pairs", "No pair of accounts replied to the same post in time.");
    empty.subject = "pairs that reply to the same post";
    empty.figure.kind = FigureKind::bars;
    empty.figure.title = "Pairs by replied-to account";
    empty.figure.caption = "There was nothing to count.";
    run.findings.items.push_back(empty);

    run.findings.items.push_back(plain_finding("co-retweet.edges", 16'204, "edges", "16,204 pairs of accounts retweeted the same post within 60 seconds."));
    run.findings.items.push_back(plain_finding("co-retweet.accounts", 2'321, "accounts", "2,321 accounts stand in at least one such pair."));
    auto share = plain_finding("co-retweet.share", 0.0312, "share", "3.1 % of all retweets are part of a pair.");
    share.low = 0.0298;
    share.high = 0.0327;
    share.strength = StrengthKind::q_value;
    share.strength_value = 0.00002;
    run.findings.items.push_back(share);
    run.findings.notes = {"112 posts that gathered more than 10,000 shares were counted exactly, without listing pairs."};
    run.findings.caveats = {"Posts that were deleted before the archive was made are not in it."};
    input.runs.push_back(run);

    ReportComparison core{"core.accounts >= 100", ReportVerdict::supported, "", true, 134, 121, 150, "accounts", false, 100, 100, 100};
    ReportComparison tiers{"amplifier.accounts > core.accounts", ReportVerdict::supported, "", true, 2'187, 2'100, 2'260, "accounts", true, 134, 121, 150};
    input.claims.push_back({"two-tiers", "A core of accounts posted and a larger group only amplified them.", "coordination",
                            ReportVerdict::supported, "Both comparisons hold over the whole interval.", {core, tiers}, {}, 0});
    ReportComparison share_small{"co-retweet.share >= 0.05", ReportVerdict::contradicted, "the whole interval lies below 0.05", true, 0.0312, 0.0298, 0.0327, "share", false, 0.05, 0.05, 0.05};
    input.claims.push_back({"share", "At least one retweet in twenty was coordinated.", "coordination", ReportVerdict::contradicted,
                            "co-retweet.share is 0.0312 (0.0298 to 0.0327), below 0.05.", {share_small}, {}, 0});
    ReportComparison delay{"co-retweet.delay.median < 9", ReportVerdict::undetermined, "the interval reaches to both sides of 9", true, 8.4, 7.9, 9.02, "seconds", false, 9, 9, 9};
    ReportComparison missing{"server.name = 1", ReportVerdict::undetermined, "no run gives this metric", false, 0, 0, 0, "", false, 0, 0, 0};
    input.claims.push_back({"<b>id</b>", "The accounts follow each other within nine seconds, and \"" + hostile_names()[1] + "\" leads them.",
                            "coordination", ReportVerdict::undetermined, "One comparison straddles its threshold, one could not be measured.",
                            {delay, missing}, {"Evidence with times finer than a second.", "A longer span: the interval shrinks with the square root of the posts."}, 0});
    return input;
}

}  // namespace unveil
