#include "instruments/interference/interference.hpp"

namespace unveil {

const InstrumentDescription& Interference::description() const {
    static const InstrumentDescription description = [] {
        InstrumentDescription d;
        d.name = "interference";
        d.question = "What does the network block, how, where and since when?";
        d.summary =
            "Reads packet captures and OONI measurements. In captures it follows every connection and lookup, looks for answers that the host did not "
            "send, for words after which nothing comes back and for answers that stop or crawl, and compares flows with a trigger with flows without. In "
            "measurements it says blocked, down or fine for every layer, and compares networks with others on the same days.";
        d.record = "network record";
        d.parameters.push_back({.name = "scorer", .type = ParameterType::choice, .default_text = "unveil",
                                .help = "Also write what each measurement scores by this one into scores.csv; findings are always by unveil's own",
                                .choices = {"unveil", "ooni-fastpath", "ooni-data-v2"},
                                .citation = "https://github.com/ooni/backend, https://github.com/ooni/data"});
        d.parameters.push_back({.name = "scores", .type = ParameterType::flag, .default_text = "", .help = "Write scores.csv, one row a measurement; another scorer than unveil's own does so by itself"});
        d.parameters.push_back({.name = "likelihood-min", .type = ParameterType::real, .default_text = "11",
                                .help = "Log of the likelihood ratio from which on a single flow is enough", .minimum = 5, .maximum = 100});
        d.parameters.push_back({.name = "q-max", .type = ParameterType::real, .default_text = "0.001",
                                .help = "False discovery rate at which a trigger is firm in captures", .minimum = 1e-9, .maximum = 0.5});
        d.parameters.push_back({.name = "measurement-q-max", .type = ParameterType::real, .default_text = "0.05",
                                .help = "False discovery rate at which a site counts as blocked in measurements", .minimum = 1e-9, .maximum = 0.5});
        d.parameters.push_back({.name = "measurements-min", .type = ParameterType::integer, .default_text = "5",
                                .help = "Measurements of a site in a network below which nothing is said", .minimum = 1, .maximum = 1'000'000});
        d.parameters.push_back({.name = "client", .type = ParameterType::text, .is_list = true, .metavar = "ADDRESS",
                                .help = "Only flows of these clients, such as one's own probe"});
        d.parameters.push_back({.name = "addresses", .type = ParameterType::choice, .default_text = "shortened",
                                .help = "How clients' addresses are written: cut to /24 and /48, or in full", .choices = {"shortened", "full"}});
        d.parameters.push_back({.name = "ttl-trace", .type = ParameterType::flag, .default_text = "",
                                .help = "Two captures hold the same probes with growing TTL, the first for a name that may be censored, the second for a harmless one: say where they part"});
        d.parameters.push_back({.name = "two-sided", .type = ParameterType::flag, .default_text = "",
                                .help = "Two captures are of the same connections, the first at the client, the second at the server: say what neither end sent"});
        d.metrics = {
            {"mechanism", "mechanisms", "that are firm in captures: mechanism includes \"dns-injection\"; a set",
             {}, {}, "It is of captures; measurements have 'blocked.layer' and 'blocked.mechanism'"},
            {"mechanism(\"name\")", "mechanisms", "that are firm for this trigger; a set"},
            {"trigger", "triggers", "of any firm mechanism in captures; names that were asked for five times or more and always answered are known not to be; a set",
             {}, {}, "It is of captures; measurements have 'blocked'"},
            {"trigger(\"mechanism\")", "triggers", "of one mechanism; a set"},
            {"insufficient", "triggers", "with signs that are not enough"},
            {"blocked", "sites", "as \"site@AS4134\", from measurements: blocked beyond what happens elsewhere; a set"},
            {"blocked(\"network\")", "sites", "in one network, such as blocked(\"AS4134\") includes \"signal.org\"; a set"},
            {"blocked(\"site\", \"network\")", "", "1 where the network blocks the site, 0 where it was measured often enough and does not: blocked(\"signal.org\", \"AS4134\") == 1"},
            {"blocked.layer", "layers", "on which some network blocks a site, from measurements: dns, tcp, tls, http, throttle; a set"},
            {"blocked.layer(\"site\")", "layers", "on which some network blocks this site; a set"},
            {"blocked.mechanism", "mechanisms", "as measurements show them, with their layer, such as \"dns bogon\" or \"tls reset\"; a set"},
            {"blocked.domain", "sites", "that are blocked in some network; a set"},
            {"blocked.country", "countries", "in which some network blocks a site; a set of ISO 3166-1 letters"},
            {"likelihood(\"site\", \"network\")", "log of a ratio", "of blocking over the likeliest other explanation that can be weighed; for blocked sites: likelihood(\"signal.org\", \"AS4134\") > 5"},
            {"doubted", "sites", "as \"site@AS4134\": they fail far more often than elsewhere, and something else than the network may be why; a set"},
            {"onset(\"site\", \"network\")", "seconds", "since 1970: the first day of the present blocking; compare with a date"},
            {"end(\"site\", \"network\")", "seconds", "since 1970: the first day after it"},
            {"down_everywhere", "sites", "that failed for everybody, which is no blocking; a set"},
            {"geo_block", "sites", "whose own servers turn a country away; a set"},
            {"measurements", "measurements", "of OONI that were used"},
            {"packets", "packets", "in captures"},
            {"flows", "flows", "connections and lookups in captures"},
            {"resets", "packets", "that end a TCP connection"},
            {"resets.other_ttl_share", "share", "of resets whose TTL differs by more than 2 from all other packets of their side"},
            {"residual.seconds", "seconds", "that a trigger keeps blocking the same client, server and port"},
            {"residual.scope", "scopes", "what fails after a trigger: any source port (client, server and port), or same source port; a set"},
            {"residual.timer", "timers", "whether a failed attempt begins the time anew: restarts, runs on; a set, missing where it is undecided"},
            {"freeze.kib", "KiB", "after which answers stop, median of firm names"},
            {"throttle.rate_share", "share", "of the controls' rate that throttled names get, median"},
            {"throttle.round_trip_growth", "seconds", "by which the round trip grows while throttled answers come, median of firm names"},
            {"throttle.full_speed_kib", "KiB", "of throttled answers that come as fast as others, before they are slow, median of firm names"},
            {"fully_encrypted.eligible_share", "share", "of first payloads that the published rule would take; says nothing of blocking"},
            {"fully_encrypted.lost_difference", "share", "of eligible first payloads lost, less that of the others"},
            {"unsent", "packets", "that arrived at one end and were not sent by the other"},
            {"clock_offset", "seconds", "by which the server's capture is ahead of the client's"},
            {"trace.code", "codes", "of where two traces part, in CenTrace's words: trace.code includes \"CAN_IDENTIFY_SERVER\"; a set"},
            {"trace.box", "addresses", "that the path shows where they part; a set"},
            {"dns.forged_addresses", "addresses", "that came first in forged answers; with p where they come in turn from one list"},
            {"quic.port_rule", "rules", "of how ports compare when QUIC is blocked: source-above, source-above-or-equal, none; a set"},
        };
        d.limits = {
            "A capture shows one place. What it does not hold (lost, filtered, cut) is not known to have been absent.",
            "A firm mechanism says that packets were forged or withheld between the two ends as captured, not who did it nor by whose order. A firewall of the "
            "user's own network or of the host looks alike.",
            "One flow is seldom enough: a name that was asked for once or twice mostly ends as insufficient.",
            "Measurements of volunteers are few and clustered; a site that nobody measured is unknown, not free.",
            "Measurements cannot tell a network that blocks from a site that refuses one whole country without saying so; site_alternatives.csv says what could be tested.",
            "Classes of boxes are those of published fingerprints. Others are 'unknown', and a new box may look like an old one.",
        };
        d.citations = {
            "Weaver, Sommer & Paxson 2009, Detecting Forged TCP Reset Packets, NDSS",
            "Wu et al. 2023, How the Great Firewall of China Detects and Blocks Fully Encrypted Traffic, USENIX Security",
            "Wu et al. 2025, A Wall Behind A Wall: Emerging Regional Censorship in China, IEEE S&P",
            "Zohaib et al. 2025, Exposing and Circumventing SNI-based QUIC Censorship of the Great Firewall of China, USENIX Security",
            "Sundara Raman et al. 2022, Network Measurement Methods for Locating and Examining Censorship Devices, CoNEXT",
            "Benjamini & Hochberg 1995, Controlling the false discovery rate",
            "Rao & Scott 1992, A Simple Method for the Analysis of Clustered Binary Data, Biometrics",
            "Clopper & Pearson 1934, The use of confidence or fiducial limits",
            "Kass & Raftery 1995, Bayes Factors, JASA 90",
        };
        d.example = "unveil interference network/capture.pcap network/measurements.jsonl --out result";
        return d;
    }();
    return description;
}

}  // namespace unveil
