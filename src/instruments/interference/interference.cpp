#include "instruments/interference/interference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "instruments/common_findings.hpp"
#include "instruments/interference/capture_book.hpp"
#include "instruments/interference/capture_watch.hpp"
#include "instruments/interference/measurement_book.hpp"
#include "instruments/interference/ttl_trace.hpp"
#include "instruments/interference/two_sided.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

constexpr std::int64_t day_seconds = 86'400;
constexpr std::size_t named_findings_max = 200;

std::string day_text(std::int32_t day) { return format_date(std::int64_t{day} * day_seconds * 1'000'000); }
std::string time_text(std::int64_t time_ns) { return format_time(time_ns / 1000); }

/// What an argument of a metric may hold; other names stand in the tables alone.
bool can_be_argument(std::string_view name) {
    return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
}

/// To hundredths, which is more than the weights deserve.
double rounded(double log_likelihood_ratio) { return std::round(log_likelihood_ratio * 100) / 100; }

/// Of what was measured as a single-precision number.
double to_millionths(double value) { return std::round(value * 1e6) / 1e6; }

/// The first frames behind a verdict, such as "1:65 1:66".
std::string frames_text(const MechanismVerdict& verdict) {
    constexpr std::size_t frames_max = 6;
    std::string text;
    for (std::size_t i = 0; i < std::min(frames_max, verdict.locators.size()); ++i)
        text += fmt::format("{}{}:{}", text.empty() ? "" : " ", verdict.locators[i].evidence + 1, verdict.locators[i].row);
    return text;
}

void add_locators(Finding& finding, const std::vector<Locator>& locators, std::uint64_t total) {
    finding.locators.insert(finding.locators.end(), locators.begin(), locators.end());
    std::sort(finding.locators.begin(), finding.locators.end());
    finding.locators.erase(std::unique(finding.locators.begin(), finding.locators.end()), finding.locators.end());
    if (finding.locators.size() > Finding::locators_max) finding.locators.resize(Finding::locators_max);
    finding.locators_total += total;
}

class Report {
  public:
    Report(const ParameterValues& parameters, InstrumentContext& context) : m_parameters(parameters), m_tables(context.tables), m_progress(context.progress) {}

    void read_clients();
    void read_fingerprints(const std::vector<BlockingFingerprintSource*>& sources);
    void read_captures(const std::vector<FrameSource*>& sources);
    void read_measurements(const std::vector<MeasurementSource*>& sources);
    Findings findings();

  private:
    void describe_traces();
    void describe_two_sides();
    void describe_captures();
    void describe_alternatives();
    void describe_throttling();
    void describe_flows();
    void describe_figures();
    void describe_forged_addresses();
    void describe_measurements();
    void describe_mechanisms();
    FindingTable verdict_table() const;
    void write_score(OutputTable& table, const Measurement& measurement);
    std::string client_text(const IpAddress& address) const;
    bool is_wanted(const IpAddress& client) const { return m_clients.empty() || m_clients.count(client) > 0; }
    std::string box_of(const FlowRecord& flow) const;

    const ParameterValues& m_parameters;
    OutputTables& m_tables;
    Progress& m_progress;
    std::set<IpAddress> m_clients;
    std::uint64_t m_flows_wanted = 0;
    NameBook m_names;
    interference::FingerprintSet m_fingerprints;
    std::unique_ptr<CaptureBook> m_book;
    std::unique_ptr<CaptureWatch> m_watch;
    std::unique_ptr<interference::MeasurementBook> m_measurements;
    TwoSided m_two_sides;
    TwoSidedResult m_unsent;
    std::vector<TtlTraceResult> m_traces;                                        // of the captures, when asked for
    std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> m_passed;   // by name: flows, of them with a sign
    std::map<std::string, std::set<std::string>> m_mechanisms;                   // by mechanism: triggers
    std::map<std::string, std::vector<Locator>> m_mechanism_locators;
    Findings m_findings;
};

void Report::read_clients() {
    for (const auto& text : m_parameters.texts("client")) {
        IpAddress address;
        if (!parse_address(text, address)) throw Error(ErrorKind::usage, fmt::format("'{}' is no IP address", printable(text, 60)), "Write it as 192.0.2.1 or 2001:db8::1", "--client");
        m_clients.insert(address);
    }
}

void Report::read_fingerprints(const std::vector<BlockingFingerprintSource*>& sources) {
    if (sources.empty()) return;
    std::vector<interference::Fingerprint> all;
    std::vector<BlockingFingerprint> batch;
    for (BlockingFingerprintSource* source : sources)
        while (source->next(batch)) {
            m_progress.check();
            all.insert(all.end(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
        }
    const auto count = all.size();
    m_fingerprints = interference::FingerprintSet(std::move(all));
    const auto unusable = m_fingerprints.expressions_unusable();
    m_findings.notes.push_back(fmt::format("Pages and addresses were compared with {} fingerprints.", grouped_digits(count - unusable)));
    if (unusable > 0)
        m_findings.caveats.push_back(fmt::format("{} regular expressions of the fingerprints were not tried: RE2 does not read them, or not in little memory.", grouped_digits(unusable)));
}

void Report::read_captures(const std::vector<FrameSource*>& sources) {
    const bool has_traces = m_parameters.flag("ttl-trace");
    if (has_traces && sources.size() != 2)
        throw Error(ErrorKind::usage, fmt::format("--ttl-trace compares two captures, and {} {} given", sources.size(), sources.size() == 1 ? "is" : "are"),
                    "Give the capture of the probes that may be censored first, then that of the harmless ones");
    const bool has_two_sides = m_parameters.flag("two-sided");
    if (has_two_sides && sources.size() != 2)
        throw Error(ErrorKind::usage, fmt::format("--two-sided compares two captures, and {} {} given", sources.size(), sources.size() == 1 ? "is" : "are"),
                    "Give the capture at the client first, then that at the server");
    if (has_traces && has_two_sides)
        throw Error(ErrorKind::usage, "--ttl-trace and --two-sided want different captures", "Run unveil once with each");
    if (sources.empty()) return;
    CaptureBook::Limits limits;
    limits.log_likelihood_ratio_min = m_parameters.real("likelihood-min");
    limits.q_value_max = m_parameters.real("q-max");
    limits.is_two_sided = has_two_sides;
    m_book = std::make_unique<CaptureBook>(built_in_facts(), m_names, limits);
    m_watch = std::make_unique<CaptureWatch>(built_in_facts(), m_names,
                                             CaptureWatch::Sink{[this](const FlowRecord& flow) {
                                                                    if (!is_wanted(flow.client)) return;
                                                                    ++m_flows_wanted;
                                                                    m_book->add(flow);
                                                                    if (flow.name == 0 || (!flow.is_answered && flow.signs == 0)) return;
                                                                    auto& [flows, signs] = m_passed[flow.name];
                                                                    ++flows;
                                                                    signs += flow.signs != 0;
                                                                },
                                                                [this](const RateRecord& rate) {
                                                                    if (is_wanted(rate.client)) m_book->add(rate);
                                                                }},
                                             m_fingerprints.empty() ? nullptr : &m_fingerprints);
    std::vector<Frame> batch;
    for (std::size_t s = 0; s < sources.size(); ++s) {
        FrameSource* const source = sources[s];
        TtlTrace trace;
        while (source->next(batch)) {
            m_progress.check();
            m_progress.update("packets", m_watch->counts().frames, 0);
            m_watch->add(batch);
            if (has_traces) trace.add(batch);
            if (has_two_sides) m_two_sides.add(static_cast<unsigned>(s), batch);
        }
        if (has_traces) m_traces.push_back(trace.finish());
        // A connection of one capture does not go on in another.
        m_watch->finish();
    }
    if (m_watch->counts().pages_not_compared > 0)
        m_findings.caveats.push_back(fmt::format("{} answers were not compared with the fingerprints, since too many were open at once.", grouped_digits(m_watch->counts().pages_not_compared)));
    if (m_watch->counts().certificates_not_read > 0)
        m_findings.caveats.push_back(fmt::format("{} answers over TLS were not searched for certificates, since too many were open at once.", grouped_digits(m_watch->counts().certificates_not_read)));
    if (has_two_sides) {
        m_unsent = m_two_sides.finish();
        std::vector<Locator> where;
        for (const auto& unsent : m_unsent.examples) where.push_back(unsent.where);
        m_book->note_unsent(where, m_unsent.log_likelihood_ratio());
    }
    m_book->judge();
}

void Report::read_measurements(const std::vector<MeasurementSource*>& sources) {
    if (sources.empty()) return;
    interference::BookRules rules;
    rules.q_max = m_parameters.real("measurement-q-max");
    rules.measurements_min = static_cast<std::uint32_t>(m_parameters.integer("measurements-min"));
    m_measurements = std::make_unique<interference::MeasurementBook>(rules, &m_fingerprints);
    OutputTable* scores = nullptr;
    // Who names another scorer wants to see what it says.
    if (m_parameters.flag("scores") || m_parameters.text("scorer") != "unveil")
        scores = &m_tables.open("scores", {{"evidence", CellType::integer, "input of the run, from 1"},
                                           {"row", CellType::integer, "line of that input"},
                                           {"scorer", CellType::text, "by whose rules"},
                                           {"test", CellType::text, "name of the test"},
                                           {"country", CellType::text, "of the probe"},
                                           {"network", CellType::text, "of the probe"},
                                           {"input", CellType::text, "what was measured"},
                                           {"standing", CellType::text, "unveil: what became of it; fast path: anomaly, confirmed, failure or ok"},
                                           {"layer", CellType::text, "that decided"},
                                           {"blocked", CellType::real, "weight"},
                                           {"down", CellType::real, "weight"},
                                           {"ok", CellType::real, "weight"},
                                           {"rule", CellType::text, "that decided"},
                                           {"pointers", CellType::text, "JSON pointers of what decided"},
                                           {"fingerprints", CellType::text, "names of those that match, of unveil and the fast path"}});
    MeasurementBatch batch;
    std::uint64_t done = 0;
    for (MeasurementSource* source : sources)
        while (source->next(batch)) {
            m_progress.check();
            m_progress.update("measurements", done += batch.size, 0);
            for (const Measurement& measurement : batch.all()) {
                m_measurements->add(measurement);
                if (scores != nullptr) write_score(*scores, measurement);
            }
        }
}

void Report::write_score(OutputTable& table, const Measurement& measurement) {
    const std::string scorer = m_parameters.text("scorer");
    const auto row = [&](std::string_view standing, std::string_view layer, const interference::Weights& weights, std::string_view rule, std::string_view pointers,
                         const std::vector<std::uint32_t>& fingerprints) {
        table.integer(std::int64_t{measurement.where.evidence} + 1);
        table.integer(static_cast<std::int64_t>(measurement.where.row));
        table.text(scorer);
        table.text(measurement.test_name);
        table.text(measurement.country);
        table.text(fmt::format("AS{}", measurement.asn));
        table.text(measurement.input);
        table.text(standing);
        table.text(layer);
        table.real(weights.blocked);
        table.real(weights.down);
        table.real(weights.ok);
        table.text(rule);
        table.text(pointers);
        std::string names;
        for (const auto place : fingerprints) names += (names.empty() ? "" : " ") + m_fingerprints.at(place).name;
        table.text(names);
        table.end_row();
    };
    if (scorer == "ooni-fastpath") {
        const auto score = interference::score_fastpath(measurement, m_fingerprints);
        const std::string_view standing = score.is_discarded ? "discarded" : !score.is_scored ? "not scored" : score.is_confirmed ? "confirmed" : score.is_failure() ? "failure" : score.is_anomaly() ? "anomaly" : "ok";
        row(standing, score.blocking_type, {score.general, 0, 0}, "", "", score.fingerprints);
        return;
    }
    if (scorer == "ooni-data-v2") {
        const auto score = interference::score_data_v2(measurement, m_fingerprints);
        if (!score.is_scored) return;
        for (const auto& [name, layer] : {std::pair<std::string_view, const interference::DataV2Layer&>{"dns", score.dns}, {"tcp", score.tcp}, {"tls", score.tls}})
            row(score.probe_analysis, name, layer.highest, layer.rule, "", {});
        return;
    }
    const auto score = interference::score_unveil(measurement, m_fingerprints);
    const auto& layer = score.layer_of(score.layer);
    row(interference::standing_name(score.standing), interference::layer_name(score.layer), layer.weights, score.rule, fmt::format("{}", fmt::join(layer.pointers, " ")), score.fingerprints);
}

std::string Report::client_text(const IpAddress& address) const {
    if (m_parameters.text("addresses") == "full") return address_text(address);
    IpAddress cut = address;
    const std::size_t kept = address.is_v4() ? 15 : 6;
    std::fill(cut.bytes.begin() + static_cast<std::ptrdiff_t>(kept), cut.bytes.end(), std::uint8_t{0});
    return address_text(cut) + (address.is_v4() ? "/24" : "/48");
}

std::string Report::box_of(const FlowRecord& flow) const {
    if (flow.box_class == 0) return {};
    const auto& facts = built_in_facts();
    return flow.kind == PayloadKind::dns ? facts.dns_classes[flow.box_class - 1u].name : facts.reset_classes[flow.box_class - 1u].name;
}

void Report::describe_two_sides() {
    const TwoSidedResult& result = m_unsent;
    if (result.unsent > result.examples.size())
        m_findings.caveats.push_back(fmt::format("unsent.csv holds the first {} of {} packets, and only those count for verdicts.", grouped_digits(result.examples.size()), grouped_digits(result.unsent)));
    Finding finding = exact_count("unsent", "packets that arrived at either end", result.unsent, "packets",
                                  fmt::format("{} of {} packets that arrived were not sent by the other end, in {} connections that both captures hold.", grouped_digits(result.unsent),
                                              grouped_digits(result.arrived), grouped_digits(result.flows_both)));
    finding.caveat = "They were made in between: by a censor, or by an address translator or firewall that ended a connection. A capture that lost packets makes sent ones look unsent.";
    for (const auto& unsent : result.examples)
        if (finding.locators.size() < Finding::locators_max) finding.locators.push_back(unsent.where);
    finding.locators_total = result.unsent;
    Figure figure;
    figure.kind = FigureKind::bars;
    figure.title = "Packets that nobody sent";
    figure.x_label = "packets";
    for (std::size_t kind = 0; kind < unsent_kinds; ++kind) {
        const auto count = static_cast<double>(result.by_kind[kind]);
        if (count > 0) figure.rows.push_back({std::string(unsent_kind_name(static_cast<UnsentKind>(kind))), count, count, count});
    }
    figure.caption = "By what they are.";
    if (!figure.rows.empty()) finding.figure = std::move(figure);
    m_findings.items.push_back(std::move(finding));
    if (result.is_aligned) {
        Finding offset = exact_count("clock_offset", "captures", 0, "seconds", "");
        offset.low = result.offset_low_seconds;
        offset.high = result.offset_high_seconds;
        offset.value = (offset.low + offset.high) / 2;
        offset.level = 1;
        offset.strength = StrengthKind::interval;
        offset.sentence = fmt::format("The server's clock is between {:.4f} and {:.4f} seconds ahead: no packet arrives before it was sent.", offset.low, offset.high);
        m_findings.items.push_back(std::move(offset));
    } else {
        m_findings.caveats.push_back("The clocks of the two captures do not fit together by any shift; one of them ran unevenly.");
    }
    if (result.left_out > 0) m_findings.caveats.push_back(fmt::format("{} packets were not compared, since there were too many.", grouped_digits(result.left_out)));
    OutputTable& table = m_tables.open("unsent", {{"evidence", CellType::integer, "capture in which it arrived, from 1"},
                                                  {"frame", CellType::integer, "of that capture"},
                                                  {"kind", CellType::text, "reset, syn-ack, dns-answer, data or other"},
                                                  {"in_the_name_of", CellType::text, "its source address"}});
    for (const auto& unsent : result.examples) {
        table.integer(std::int64_t{unsent.where.evidence} + 1);
        table.integer(static_cast<std::int64_t>(unsent.where.row));
        table.text(unsent_kind_name(unsent.kind));
        table.text(unsent.where.evidence == 0 ? address_text(unsent.in_the_name_of) : client_text(unsent.in_the_name_of));
        table.end_row();
    }
}

void Report::describe_traces() {
    const TraceComparison comparison = compare_traces(m_traces[0], m_traces[1]);
    const std::set<std::string> code = {std::string(trace_code_name(comparison.code))};
    std::string sentence = fmt::format("Where the two traces part: {}.", *code.begin());
    const std::string box = comparison.has_box ? address_text(comparison.box) : std::string();
    if (!box.empty()) sentence += fmt::format(" The path shows {} there, at hop {}.", box, comparison.box_hop);
    else if (comparison.hop > 0) sentence += fmt::format(" It is at hop {}.", comparison.hop);
    Finding finding = set_finding("trace.code", "probes with growing TTL", code, {}, "codes", std::move(sentence));
    finding.caveat = "An address is that of the router at the hop; the box may stand before or behind it.";
    m_findings.items.push_back(std::move(finding));
    std::set<std::string> boxes;
    if (!box.empty()) boxes.insert(box);
    m_findings.items.push_back(set_finding("trace.box", "probes with growing TTL", boxes, {}, "addresses",
                                           boxes.empty() ? std::string("No address is named.") : fmt::format("{} is at the hop.", box)));
    OutputTable& table = m_tables.open("trace", {{"capture", CellType::text, "suspected or harmless"},
                                                 {"ttl", CellType::integer, "of the probe"},
                                                 {"router", CellType::text, "that named itself"},
                                                 {"answer", CellType::text, "in the server's name"},
                                                 {"answer_ttl", CellType::integer, "as it arrived"},
                                                 {"frames", CellType::text, "probe, router, answer"}});
    for (std::size_t t = 0; t < m_traces.size(); ++t)
        for (unsigned ttl = 1; ttl <= m_traces[t].hop_max && ttl < m_traces[t].hops.size(); ++ttl) {
            const TraceHop& hop = m_traces[t].hops[ttl];
            if (hop.probe_frame == 0) continue;
            table.text(t == 0 ? "suspected" : "harmless");
            table.integer(ttl);
            table.text(hop.has_router() ? address_text(hop.router) : std::string());
            table.text(trace_answer_name(hop.answer.kind));
            if (hop.answer.kind == TraceAnswerKind::none) table.missing();
            else table.integer(hop.answer.ttl);
            table.text(fmt::format("{} {} {}", hop.probe_frame, hop.router_frame, hop.answer.frame));
            table.end_row();
        }
}

void Report::describe_captures() {
    const CaptureCounts& counts = m_watch->counts();
    m_findings.items.push_back(exact_count("packets", "captures", counts.packets, "packets", fmt::format("{} packets in {} frames.", grouped_digits(counts.packets), grouped_digits(counts.frames))));
    m_findings.items.push_back(exact_count("flows", "captures", counts.flows, "flows", fmt::format("{} connections and lookups.", grouped_digits(counts.flows))));
    m_findings.items.push_back(exact_count("resets", "captures", counts.resets, "packets", fmt::format("{} packets end a TCP connection.", grouped_digits(counts.resets))));
    if (counts.resets > 0) {
        auto odd = share("resets.other_ttl_share", "resets", counts.resets_other_ttl, counts.resets,
                         fmt::format("{} of {} resets came from another distance than all other packets of their side.", grouped_digits(counts.resets_other_ttl), grouped_digits(counts.resets)));
        odd.caveat = "In ordinary captures 1 of 901 does.";
        m_findings.items.push_back(std::move(odd));
    }
    if (counts.dns_queries > 0)
        m_findings.notes.push_back(fmt::format("{} lookups, {} of them with a second answer that says something else.", grouped_digits(counts.dns_queries), grouped_digits(counts.dns_answered_again)));
    if (counts.quic_hellos > 0) m_findings.notes.push_back(fmt::format("{} QUIC connections began with a readable hello.", grouped_digits(counts.quic_hellos)));
    for (const auto& [what, count] : {std::pair<std::string_view, std::uint64_t>{"frames hold no IP", counts.not_ip}, {"frames are of a link type that is not read", counts.unknown_link},
                                      {"frames were cut within their headers", counts.truncated}, {"frames have lengths that contradict each other", counts.malformed},
                                      {"packets were never whole", counts.fragments_given_up}, {"packets are exact copies of the one before and count once", counts.copies}})
        if (count > 0) m_findings.notes.push_back(fmt::format("{} {}.", grouped_digits(count), what));
    if (counts.frames > 0 && counts.packets == 0) m_findings.caveats.push_back("No frame holds a packet that can be read, so nothing was judged.");
    if (counts.first_payloads_cut > 0)
        m_findings.caveats.push_back(fmt::format("Of {} of {} first payloads the capture kept only the beginning, so names may be missing (tcpdump -s 0 keeps all).", grouped_digits(counts.first_payloads_cut),
                                                 grouped_digits(counts.first_payloads)));
    if (counts.flows_evicted > 0)
        m_findings.caveats.push_back(fmt::format("{} flows were given up before their end, since too many were open at once.", grouped_digits(counts.flows_evicted)));
    if (!m_clients.empty())
        m_findings.caveats.push_back(m_flows_wanted == 0 ? std::string("No flow is of a client that was asked for, so that nothing was judged.")
                                                         : fmt::format("{} of {} flows are of the clients that were asked for; only these were judged.", grouped_digits(m_flows_wanted), grouped_digits(counts.flows)));
    if (m_book->flows_left_out() > 0)
        m_findings.caveats.push_back(fmt::format("{} flows with signs were counted and not judged, since there were too many.", grouped_digits(m_book->flows_left_out())));
    if (m_names.left_out() > 0) m_findings.caveats.push_back(fmt::format("{} names were too long or too many.", grouped_digits(m_names.left_out())));

    OutputTable& table = m_tables.open("triggers", {{"mechanism", CellType::text, "how it interferes"},
                                                    {"trigger", CellType::text, "name, address, word of a request or kind of first payload"},
                                                    {"verdict", CellType::text, "firm or insufficient"},
                                                    {"layer", CellType::text, "where it acts"},
                                                    {"box_class", CellType::text, "published class of most, or unknown"},
                                                    {"flows", CellType::integer, "with the sign"},
                                                    {"exposed", CellType::integer, "that held the trigger"},
                                                    {"control_flows", CellType::integer, "with the sign among flows without the trigger"},
                                                    {"control_exposed", CellType::integer, "flows without the trigger"},
                                                    {"log_likelihood_ratio", CellType::real, "of the strongest single flow"},
                                                    {"p_value", CellType::real, "that so many have the sign by what the controls show"},
                                                    {"q_value", CellType::real, "over all triggers asked about this mechanism"},
                                                    {"figure", CellType::real, "freeze: KiB; throttling: share of the controls' rate; residual: seconds; resets: window less TTL, where it is one over three TTLs or more"},
                                                    {"first", CellType::text, "first flow with the sign"},
                                                    {"last", CellType::text, "last one"},
                                                    {"alternative", CellType::text, "the likeliest other explanation"},
                                                    {"direction", CellType::text, "of what was forged or withheld: server-to-client, client-to-server, both, or either of the two"},
                                                    {"against_site_down", CellType::real, "log likelihood ratio against the site being out of order; empty: not testable or not applicable"},
                                                    {"against_nat", CellType::real, "the same against a router near the user that lost its state"},
                                                    {"against_user_filter", CellType::real, "against a filter next to the user"},
                                                    {"against_host", CellType::real, "against the host itself having sent it"},
                                                    {"against_ipv6", CellType::real, "against IPv6 that does not work"},
                                                    {"against_loss", CellType::real, "against lost packets"},
                                                    {"against_geo_block", CellType::real, "against a host that serves nobody from there, by answers over plain HTTP that look so"},
                                                    {"against_captcha", CellType::real, "against a content network that wants a proof first, likewise"},
                                                    {"against_broken_redirect", CellType::real, "against a host that leads to where nobody can follow, likewise"},
                                                    {"frames", CellType::text, "input:frame of the first that show it, with the client's words"},
                                                    {"frames_total", CellType::integer, "how many there are"},
                                                    {"permutation_p_value", CellType::real, "that the trigger falls on so many flows with the sign, over all orders of the triggers"}});
    for (const MechanismVerdict& verdict : m_book->verdicts()) {
        table.text(mechanism_name(verdict.mechanism));
        table.text(verdict.trigger);
        table.text(verdict.is_firm ? "firm" : "insufficient");
        table.text(verdict.layer);
        table.text(verdict.box_class);
        table.integer(static_cast<std::int64_t>(verdict.flows));
        table.integer(static_cast<std::int64_t>(verdict.exposed));
        table.integer(static_cast<std::int64_t>(verdict.control_flows));
        table.integer(static_cast<std::int64_t>(verdict.control_exposed));
        table.real(verdict.log_likelihood_ratio);
        table.real(verdict.p_value);
        table.real(verdict.q_value);
        table.real(verdict.figure);
        table.text(verdict.first_ns == INT64_MAX ? std::string() : time_text(verdict.first_ns));
        table.text(verdict.last_ns == INT64_MIN ? std::string() : time_text(verdict.last_ns));
        table.text(verdict.alternative);
        table.text(verdict.direction);
        for (const AlternativeTest& test : verdict.alternatives)
            if (test.standing == AlternativeTest::Standing::tested) table.real(rounded(test.log_likelihood_ratio));
            else table.missing();
        table.text(frames_text(verdict));
        table.integer(static_cast<std::int64_t>(verdict.locators_total));
        table.real(verdict.permutation_p_value);
        table.end_row();
        if (!verdict.is_firm) continue;
        const std::string mechanism(mechanism_name(verdict.mechanism));
        m_mechanisms[mechanism].insert(verdict.trigger);
        auto& locators = m_mechanism_locators[mechanism];
        locators.insert(locators.end(), verdict.locators.begin(), verdict.locators.end());
    }
}

/// Every other explanation of every row of triggers.csv, with what speaks for and against it.
void Report::describe_alternatives() {
    OutputTable& table = m_tables.open("trigger_alternatives", {{"mechanism", CellType::text, "as in triggers.csv"},
                                                        {"trigger", CellType::text, "as in triggers.csv"},
                                                        {"verdict", CellType::text, "firm or insufficient"},
                                                        {"alternative", CellType::text, "site-down, nat, user-filter, host, ipv6, loss, geo-block, captcha or broken-redirect"},
                                                        {"standing", CellType::text, "tested, not testable or does not apply"},
                                                        {"log_likelihood_ratio", CellType::real, "of interference over the alternative; below 0 the alternative fits better"},
                                                        {"evidence", CellType::text, "counts that it rests on, or why there is no test"}});
    for (const MechanismVerdict& verdict : m_book->verdicts())
        for (std::size_t i = 0; i < alternative_count; ++i) {
            const AlternativeTest& test = verdict.alternatives[i];
            table.text(mechanism_name(verdict.mechanism));
            table.text(verdict.trigger);
            table.text(verdict.is_firm ? "firm" : "insufficient");
            table.text(alternative_name(static_cast<Alternative>(i)));
            table.text(standing_name(test.standing));
            if (test.standing == AlternativeTest::Standing::tested) table.real(rounded(test.log_likelihood_ratio));
            else table.missing();
            table.text(test.evidence);
            table.end_row();
        }
}

/// What slow names show, and each of their flows.
void Report::describe_throttling() {
    const auto& verdicts = m_book->verdicts();
    if (std::none_of(verdicts.begin(), verdicts.end(), [](const MechanismVerdict& verdict) { return verdict.throttling.has_value(); })) return;
    OutputTable& names = m_tables.open("throttling", {{"trigger", CellType::text, "as in triggers.csv"},
                                                      {"verdict", CellType::text, "firm or insufficient"},
                                                      {"kind", CellType::text, "policing, shaping or not told"},
                                                      {"flows", CellType::integer, "long answers"},
                                                      {"slow", CellType::integer, "of them, under a quarter of the rate of fast names"},
                                                      {"rate_share", CellType::real, "median, of the rate of fast names"},
                                                      {"rate_spread", CellType::real, "standard deviation of the logarithms of the slow ones' rates"},
                                                      {"full_speed_kib", CellType::real, "that come at the speed of fast names before; median of the flows"},
                                                      {"full_speed_kib_low", CellType::real, "its interval at 95 %"},
                                                      {"full_speed_kib_high", CellType::real, ""},
                                                      {"round_trip_seconds", CellType::real, "the smallest of each flow, median; empty: not seen while data flowed"},
                                                      {"growth_low_seconds", CellType::real, "by which it grows while data flow, at least; median"},
                                                      {"growth_high_seconds", CellType::real, "at most"},
                                                      {"grown", CellType::integer, "flows whose round trip grew"},
                                                      {"timed", CellType::integer, "of so many of which it is known"},
                                                      {"control_grown", CellType::integer, "the same of fast names at the same time"},
                                                      {"control_timed", CellType::integer, ""},
                                                      {"holes_share", CellType::real, "of data packets, those before which something is missing"},
                                                      {"control_holes_share", CellType::real, "of fast names at the same time"},
                                                      {"bursty_share", CellType::real, "of flows whose packets come in bursts"},
                                                      {"log_likelihood_policing", CellType::real, "of what the flows show; only differences mean anything"},
                                                      {"log_likelihood_shaping", CellType::real, ""},
                                                      {"log_likelihood_server", CellType::real, "that the server, or a program, pauses or holds its own pace"},
                                                      {"server_controls", CellType::integer, "flows of fast names at the same servers"},
                                                      {"server_p_value", CellType::real, "that this name is as fast there"},
                                                      {"client_controls", CellType::integer, "flows of fast names of the same clients"},
                                                      {"client_p_value", CellType::real, "that this name is as fast there"},
                                                      {"beside_slow", CellType::integer, "flows of fast names, nearest in time to slow ones, that were slow too"},
                                                      {"beside", CellType::integer, "of so many"},
                                                      {"alternative", CellType::text, "the likeliest other explanation"}});
    OutputTable& flows = m_tables.open("rates", {{"evidence", CellType::integer, "input of the run, from 1"},
                                                 {"time", CellType::text, "when the answer began"},
                                                 {"client", CellType::text, "address, shortened unless asked for"},
                                                 {"client_port", CellType::integer, ""},
                                                 {"server", CellType::text, "address"},
                                                 {"server_port", CellType::integer, ""},
                                                 {"name", CellType::text, "of throttling.csv"},
                                                 {"kbit_per_second", CellType::real, "while the server sent"},
                                                 {"round_trip_seconds", CellType::real, "the smallest; empty: not seen while data flowed"},
                                                 {"growth_low_seconds", CellType::real, "by which it grew, at least"},
                                                 {"growth_high_seconds", CellType::real, "at most; empty: one leg was not seen"},
                                                 {"grown", CellType::text, "yes, no, or empty: not known"},
                                                 {"holes_share", CellType::real, "of data packets, those before which something is missing"},
                                                 {"gap_variation", CellType::real, "standard deviation over mean of the time between data packets"},
                                                 {"frame", CellType::integer, "the client's first words"}});
    const auto integer = [](OutputTable& table, std::uint64_t value) { table.integer(static_cast<std::int64_t>(value)); };
    const auto real_or_missing = [](OutputTable& table, bool is_known, double value) {
        if (is_known) table.real(to_millionths(value));
        else table.missing();
    };
    for (const MechanismVerdict& verdict : verdicts) {
        if (!verdict.throttling) continue;
        const SlowName& slow = *verdict.throttling;
        names.text(verdict.trigger);
        names.text(verdict.is_firm ? "firm" : "insufficient");
        names.text(verdict.mechanism == Mechanism::throttling_policing ? "policing" : verdict.mechanism == Mechanism::throttling_shaping ? "shaping" : "not told");
        integer(names, slow.own.flows);
        integer(names, slow.own.hits);
        names.real(to_millionths(slow.rate_share));
        names.real(to_millionths(slow.spread));
        const SlowName::FullSpeed full_speed = slow.full_speed.value_or(SlowName::FullSpeed{});
        for (const double kib : {full_speed.kib, full_speed.kib_low, full_speed.kib_high}) real_or_missing(names, slow.full_speed.has_value(), kib);
        for (const double seconds : {slow.round_trip_seconds, slow.growth_low_seconds, slow.growth_high_seconds}) real_or_missing(names, slow.has_round_trip, seconds);
        for (const FlowShare& share : {slow.grown, slow.control_grown}) {
            integer(names, share.hits);
            integer(names, share.flows);
        }
        names.real(to_millionths(slow.holes_share));
        names.real(to_millionths(slow.control_holes_share));
        names.real(to_millionths(static_cast<double>(slow.bursty.hits) / static_cast<double>(slow.bursty.flows)));
        for (const double fit : slow.log_likelihoods) names.real(to_millionths(fit));
        integer(names, slow.server_controls);
        names.real(slow.server_p_value);
        integer(names, slow.client_controls);
        names.real(slow.client_p_value);
        integer(names, slow.beside.hits);
        integer(names, slow.beside.flows);
        names.text(verdict.alternative);
        names.end_row();
        for (const std::size_t i : slow.members) {
            const RateRecord& rate = m_book->rates()[i];
            const auto grown = has_grown(rate);
            integer(flows, rate.evidence + std::uint64_t{1});
            flows.text(time_text(rate.first_ns));
            flows.text(client_text(rate.client));
            flows.integer(rate.client_port);
            flows.text(address_text(rate.server));
            flows.integer(rate.server_port);
            flows.text(verdict.trigger);
            flows.real(to_millionths(static_cast<double>(rate.bytes_per_second) * 8 / 1000));
            real_or_missing(flows, rate.has_round_trip, rate.round_trip);
            real_or_missing(flows, rate.has_round_trip, rate.growth_low);
            real_or_missing(flows, rate.has_both_legs, rate.growth_high);
            flows.text(!grown ? "" : *grown ? "yes" : "no");
            flows.real(to_millionths(rate.holes_share));
            flows.real(to_millionths(rate.gap_variation));
            integer(flows, rate.frame);
            flows.end_row();
        }
    }
}

void Report::describe_flows() {
    OutputTable& table = m_tables.open("flows", {{"evidence", CellType::integer, "input of the run, from 1"},
                                                 {"time", CellType::text, "of the first packet"},
                                                 {"client", CellType::text, "address, shortened unless asked for"},
                                                 {"client_port", CellType::integer, ""},
                                                 {"server", CellType::text, "address"},
                                                 {"server_port", CellType::integer, ""},
                                                 {"kind", CellType::text, "what the client's first words are"},
                                                 {"name", CellType::text, "that was asked for"},
                                                 {"mechanism", CellType::text, "that the signs are of"},
                                                 {"verdict", CellType::text, "firm or insufficient"},
                                                 {"box_class", CellType::text, "published class, when it fits one"},
                                                 {"log_likelihood_ratio", CellType::real, "that a box sent what came in the server's name"},
                                                 {"milliseconds", CellType::real, "from the client's first words to the sign"},
                                                 {"frames", CellType::text, "the client's words, then the signs"},
                                                 {"fingerprint", CellType::text, "name of the known block page that the answer is"},
                                                 {"certificate", CellType::text, "that the server showed in plain: the first 16 hex digits of its SHA-256"},
                                                 {"is_for_name", CellType::text, "yes or no: whether the certificate covers the name"},
                                                 {"issuer", CellType::text, "who signed it, by its own words"}});
    for (const JudgedFlow& judged : m_book->flows()) {
        const FlowRecord& flow = judged.flow;
        table.integer(std::int64_t{flow.evidence} + 1);
        table.text(time_text(flow.first_ns));
        table.text(client_text(flow.client));
        table.integer(flow.client_port);
        table.text(address_text(flow.server));
        table.integer(flow.server_port);
        table.text(payload_kind_name(flow.kind));
        table.text(m_names.name(flow.name));
        table.text(mechanism_name(judged.mechanism));
        table.text(judged.is_firm ? "firm" : "insufficient");
        table.text(box_of(flow));
        table.real(flow.log_likelihood_ratio);
        if (flow.trigger_ns != 0 && flow.sign_ns >= flow.trigger_ns) table.real(static_cast<double>(flow.sign_ns - flow.trigger_ns) / 1e6);
        else table.missing();
        std::string frames;
        for (const std::uint64_t frame : flow.frames)
            if (frame != 0) frames += fmt::format("{}{}", frames.empty() ? "" : " ", frame);
        table.text(frames);
        table.text(flow.fingerprint == 0 ? std::string() : m_fingerprints.at(flow.fingerprint - 1).name);
        table.text(flow.certificate.leaf == 0 ? std::string() : fmt::format("{:016x}", flow.certificate.leaf));
        table.text(flow.certificate.leaf == 0 ? "" : flow.certificate.is_for_name ? "yes" : "no");
        table.text(m_names.issuer(flow.certificate.issuer));
        table.end_row();
    }
}

void Report::describe_figures() {
    const ResidualEstimate& residual = m_book->residual();
    if (residual.is_known() && residual.is_firm) {
        Finding finding = exact_count("residual.seconds", "client, server and port after a trigger", 0, "seconds", "");
        finding.low = residual.seconds_low;
        finding.high = residual.seconds_high;
        finding.value = (finding.low + finding.high) / 2;
        finding.level = 0.95;
        finding.strength = StrengthKind::interval;
        finding.sentence = fmt::format("After a trigger the same server and port stay out of reach for {:.0f} to {:.0f} seconds.", finding.low, finding.high);
        finding.caveat = fmt::format("From {} triggers with later flows: {} failed, {} did not; of {} flows to other ports meanwhile {} failed.", residual.triggers, residual.failed, residual.passed,
                                     residual.other_port, residual.other_port_failed);
        m_findings.items.push_back(std::move(finding));
        const std::set<std::string> scopes = {"any source port", "same source port"};
        const std::string scope = residual.is_same_source_port ? "same source port" : "any source port";
        m_findings.items.push_back(set_finding("residual.scope", "connections after a trigger", {scope}, scopes, "scopes", fmt::format("What fails after a trigger is connections from {}.", scope)));
        if (std::abs(residual.restart_ratio) >= ResidualEstimate::restart_ratio_min) {
            const std::string timer = residual.restart_ratio > 0 ? "restarts" : "runs on";
            m_findings.items.push_back(set_finding("residual.timer", "connections after a trigger", {timer}, {"restarts", "runs on"}, "timers",
                                                   fmt::format("The time {} (log likelihood ratio {:.1f} over the other).", timer == "restarts" ? "begins anew with each failed attempt" : "runs from the trigger, whatever is tried meanwhile",
                                                               std::abs(residual.restart_ratio))));
        }
    }
    const auto median_of = [&](std::initializer_list<Mechanism> mechanisms, std::string metric, std::string unit, std::string_view sentence) {
        std::vector<double> figures;
        for (const auto& verdict : m_book->verdicts())
            if (verdict.is_firm && std::find(mechanisms.begin(), mechanisms.end(), verdict.mechanism) != mechanisms.end()) figures.push_back(verdict.figure);
        if (figures.empty()) return;
        std::sort(figures.begin(), figures.end());
        Finding finding = exact_count(std::move(metric), "firm names", 0, std::move(unit), "");
        finding.value = figures[figures.size() / 2];
        finding.low = figures.front();
        finding.high = figures.back();
        finding.strength = StrengthKind::interval;
        finding.sentence = fmt::format(fmt::runtime(sentence), finding.value, finding.low, finding.high);
        finding.caveat = "The interval is the range of the names' medians.";
        m_findings.items.push_back(std::move(finding));
    };
    median_of({Mechanism::freeze}, "freeze.kib", "KiB", "Answers stop after {:.1f} KiB ({:.1f} to {:.1f}).");
    median_of({Mechanism::throttling_policing, Mechanism::throttling_shaping, Mechanism::throttling}, "throttle.rate_share", "share", "Throttled names get {:.3f} of the controls' rate ({:.3f} to {:.3f}).");
    const auto range_of = [&](std::string metric, std::string unit, std::string_view sentence, std::string caveat, const auto& bounds_of) {
        std::vector<double> lows, highs, middles;
        for (const auto& verdict : m_book->verdicts()) {
            if (!verdict.is_firm || !verdict.throttling) continue;
            const std::optional<std::array<double, 3>> bounds = bounds_of(*verdict.throttling);
            if (!bounds) continue;
            lows.push_back((*bounds)[0]);
            middles.push_back((*bounds)[1]);
            highs.push_back((*bounds)[2]);
        }
        if (middles.empty()) return;
        std::sort(middles.begin(), middles.end());
        Finding finding = exact_count(std::move(metric), "firm names", 0, std::move(unit), "");
        finding.value = middles[middles.size() / 2];
        finding.low = *std::min_element(lows.begin(), lows.end());
        finding.high = *std::max_element(highs.begin(), highs.end());
        finding.strength = StrengthKind::interval;
        finding.sentence = fmt::format(fmt::runtime(sentence), finding.value, finding.low, finding.high);
        finding.caveat = std::move(caveat);
        m_findings.items.push_back(std::move(finding));
    };
    using Bounds = std::optional<std::array<double, 3>>;
    range_of("throttle.round_trip_growth", "seconds", "While throttled answers come, the round trip grows by {:.3f} seconds ({:.3f} to {:.3f}).",
             "The interval reaches from the least that one name's flows show to the most that another's allow, by medians.", [](const SlowName& slow) -> Bounds {
                 if (!slow.has_round_trip) return std::nullopt;
                 return std::array{slow.growth_low_seconds, (slow.growth_low_seconds + slow.growth_high_seconds) / 2, slow.growth_high_seconds};
             });
    range_of("throttle.full_speed_kib", "KiB", "Throttled answers are as fast as others for {:.1f} KiB ({:.1f} to {:.1f}).", "The interval holds those of all names.", [](const SlowName& slow) -> Bounds {
        if (!slow.full_speed) return std::nullopt;
        return std::array{slow.full_speed->kib_low, slow.full_speed->kib, slow.full_speed->kib_high};
    });

    const auto& counts = m_watch->counts();
    if (counts.first_payloads > 0) {
        auto eligible = share("fully_encrypted.eligible_share", "first payloads", counts.first_payloads_eligible, counts.first_payloads,
                              fmt::format("{} of {} first payloads would be taken for fully encrypted.", grouped_digits(counts.first_payloads_eligible), grouped_digits(counts.first_payloads)));
        eligible.caveat = "Being eligible is no blocking: in ordinary captures 119 of 1,397 are.";
        m_findings.items.push_back(std::move(eligible));
    }
    const auto& eligibility = m_book->eligibility();
    if (eligibility.eligible > 0 && eligibility.exempt > 0) {
        const auto of_eligible = clopper_pearson_interval(eligibility.eligible_lost, eligibility.eligible);
        const auto of_exempt = clopper_pearson_interval(eligibility.exempt_lost, eligibility.exempt);
        const double a = static_cast<double>(eligibility.eligible_lost) / static_cast<double>(eligibility.eligible);
        const double b = static_cast<double>(eligibility.exempt_lost) / static_cast<double>(eligibility.exempt);
        Finding finding = share("fully_encrypted.lost_difference", "first payloads after a handshake", 0, 1, "");
        finding.value = a - b;
        // Newcombe, Statistics in Medicine 17 (1998) 873, method 10, on Clopper and Pearson's intervals.
        finding.low = a - b - std::hypot(a - of_eligible.low, of_exempt.high - b);
        finding.high = a - b + std::hypot(of_eligible.high - a, b - of_exempt.low);
        finding.sentence = fmt::format("{} of {} eligible first payloads were lost, and {} of {} others.", eligibility.eligible_lost, eligibility.eligible, eligibility.exempt_lost, eligibility.exempt);
        finding.caveat = "Hosts that went away count too; triggers.csv says which addresses are firm.";
        m_findings.items.push_back(std::move(finding));
        if (const auto prefixes = m_book->eligibility_by_prefix(); !prefixes.empty()) {
            OutputTable& table = m_tables.open("fully_encrypted", {{"destination", CellType::text, "/24, or /48 of IPv6, where eligible and other first payloads were sent that are neither TLS nor HTTP"},
                                                                   {"eligible", CellType::integer, "first payloads that the rule would take"},
                                                                   {"eligible_lost", CellType::integer, "of them, lost"},
                                                                   {"exempt", CellType::integer, "others"},
                                                                   {"exempt_lost", CellType::integer, "of them, lost"},
                                                                   {"p_value", CellType::real, "Fisher's exact test, one-sided"},
                                                                   {"q_value", CellType::real, "over all destinations of the table"}});
            for (const auto& one : prefixes) {
                table.text(address_text(one.prefix) + (one.prefix.is_v4() ? "/24" : "/48"));
                table.integer(static_cast<std::int64_t>(one.payloads.eligible));
                table.integer(static_cast<std::int64_t>(one.payloads.eligible_lost));
                table.integer(static_cast<std::int64_t>(one.payloads.exempt));
                table.integer(static_cast<std::int64_t>(one.payloads.exempt_lost));
                table.real(one.p_value);
                table.real(one.q_value);
                table.end_row();
            }
        }
    }
    if (!m_book->forged_addresses().empty()) describe_forged_addresses();
    const PortComparison& ports = m_book->quic_ports();
    const PortRule rule = port_rule(ports);
    if (rule != PortRule::undecided) {
        // Where no flow had equal ports, either of the two rules may hold.
        const std::set<std::string> others = rule == PortRule::source_above_equal_untried ? std::set<std::string>{"none"} : std::set<std::string>{"source-above", "source-above-or-equal", "none"};
        const std::set<std::string> members = {std::string(port_rule_name(rule))};
        m_findings.items.push_back(set_finding("quic.port_rule", "QUIC flows with blocked names", members, others, "rules",
                                               fmt::format("Blocked: {} of {} with a source port above the destination's, {} of {} with equal ports, {} of {} with one below.", ports.above_blocked, ports.above,
                                                           ports.equal_blocked, ports.equal, ports.below_blocked, ports.below)));
    }
}

void Report::describe_forged_addresses() {
    OutputTable& table = m_tables.open("forged_addresses", {{"address", CellType::text, "that answers of firm lookups held first"},
                                                            {"pool", CellType::text, "of the facts, when it is in one of that time"},
                                                            {"lookups", CellType::integer, "with it"},
                                                            {"names", CellType::integer, "that were asked for"},
                                                            {"first", CellType::text, "first seen"},
                                                            {"last", CellType::text, "last seen"}});
    for (const auto& forged : m_book->forged_addresses()) {
        table.text(address_text(forged.address));
        table.text(forged.pool);
        table.integer(static_cast<std::int64_t>(forged.lookups));
        table.integer(static_cast<std::int64_t>(forged.names));
        table.text(time_text(forged.first_ns));
        table.text(time_text(forged.last_ns));
        table.end_row();
    }
    const AddressOrder& order = m_book->forged_order();
    Finding finding = exact_count("dns.forged_addresses", "answers of firm lookups", order.addresses, "addresses",
                                  fmt::format("{} addresses came first in forged answers.", grouped_digits(order.addresses)));
    constexpr double p_value_max = 0.001;
    if (order.p_value <= p_value_max) {
        finding.strength = StrengthKind::p_value;
        finding.strength_value = order.p_value;
        finding.sentence += fmt::format(" They come in turn from one list: after {} of {} that had come before, the next ones were the same (p = {:.2g}).", grouped_digits(order.alike),
                                        grouped_digits(order.compared), order.p_value);
    }
    finding.caveat = "Of two answers the first counts; a resolver's own may have been sooner.";
    m_findings.items.push_back(std::move(finding));
}

/// One site in one network, all layers on which it is blocked together.
struct BlockedPlace {
    std::vector<const interference::BlockedCell*> cells;  // by layer; the first speaks for the place
    interference::Blockage time;
    std::int32_t day_first = 0;
    std::int32_t day_last = 0;
    std::vector<std::pair<std::int32_t, std::int32_t>> measured;  // runs of days, first and last
    std::string layers;

    const interference::BlockedCell& cell() const { return *cells.front(); }
};

void add_up(BlockedPlace& place) {
    place.time = interference::blockage_of(place.cells);
    place.day_first = place.cell().day_first;
    place.day_last = place.cell().day_last;
    std::vector<std::pair<std::int32_t, std::int32_t>> runs;
    for (const auto* cell : place.cells) {
        place.day_first = std::min(place.day_first, cell->day_first);
        place.day_last = std::max(place.day_last, cell->day_last);
        runs.insert(runs.end(), cell->measured.begin(), cell->measured.end());
        const auto name = interference::layer_name(cell->layer);
        if (place.layers.find(name) == std::string::npos) place.layers.append(place.layers.empty() ? "" : ", ").append(name);
    }
    std::sort(runs.begin(), runs.end());
    for (const auto& run : runs)
        if (place.measured.empty() || run.first > place.measured.back().second + 1) place.measured.push_back(run);
        else place.measured.back().second = std::max(place.measured.back().second, run.second);
}

/// A line for the time of one blocked site in one network: days without measurements are left open.
void add_timeline_row(const BlockedPlace& place, Figure& figure) {
    const auto row = static_cast<std::uint32_t>(figure.rows.size());
    const auto& time = place.time;
    const double since = time.since ? time.since->day : place.day_first;
    figure.rows.push_back({fmt::format("{}, AS{}", place.cell().domain, place.cell().asn), since, since, since});
    // In order: up to each day the state holds.
    std::vector<std::pair<std::int32_t, SpanState>> states;
    SpanState now = time.since ? SpanState::ok : SpanState::blocked;
    for (const auto* change : {time.since ? &*time.since : nullptr, time.until ? &*time.until : nullptr}) {
        if (change == nullptr) continue;
        states.emplace_back(change->day_low, now);
        states.emplace_back(change->day_high, SpanState::uncertain);
        now = now == SpanState::blocked ? SpanState::ok : SpanState::blocked;
    }
    states.emplace_back(place.day_last + 1, now);
    for (const auto& [first, last] : place.measured) {
        std::int32_t from = first;
        for (const auto& [end, state] : states) {
            const std::int32_t to = std::min(end, last + 1);
            if (to <= from) continue;
            figure.spans.push_back({row, static_cast<double>(from), static_cast<double>(to), state});
            from = to;
        }
    }
}

/// How likely is blocking beside each other explanation?
Finding likelihood_finding(const interference::BlockedCell& cell, const std::string& place) {
    Finding finding = exact_count(fmt::format("likelihood(\"{}\", \"AS{}\")", cell.domain, cell.asn), place, 0, "log of a ratio", "");
    std::vector<std::string> open;
    FindingTable table;
    table.columns = {"Other explanation", "Log of likelihood ratio", "Observations for blocking", "Against"};
    for (std::size_t i = 0; i < cell.weights.size(); ++i) {
        const auto& weight = cell.weights[i];
        const std::string name(interference::alternative_name(static_cast<interference::Alternative>(i)));
        const bool is_weighed = weight.state == interference::AlternativeState::weighed;
        if (weight.state == interference::AlternativeState::not_testable) open.push_back(name);
        table.rows.push_back({name, is_weighed ? fmt::format("{:.1f}", weight.log_likelihood_ratio) : std::string(interference::alternative_state_name(weight.state)),
                              fmt::format("{:.1f}", weight.for_blocking), fmt::format("{:.1f}", weight.for_alternative)});
    }
    const auto& least = cell.weights[static_cast<std::size_t>(*cell.likeliest)];
    finding.value = finding.low = finding.high = least.log_likelihood_ratio;
    finding.sentence = fmt::format("Of all other explanations for {} in AS{} that can be weighed {} is the likeliest; the log of the likelihood ratio of blocking over it is {:.1f}.", cell.domain,
                                   cell.asn, interference::alternative_name(*cell.likeliest), least.log_likelihood_ratio);
    finding.caveat = open.empty() ? std::string("It is a bound: every observation is given the chance to mislead that was measured for all.")
                                  : fmt::format("These measurements cannot test: {}. Rows of site_alternatives.csv say what was counted.", fmt::join(open, ", "));
    finding.table = std::move(table);
    return finding;
}

/// "2:87/test_keys/requests/0": input, line and pointer.
std::string located_text(const interference::LocatedPointer& located) { return fmt::format("{}:{}{}", located.where.evidence + 1, located.where.row, located.pointer); }

/// Sites by what became of them in one country.
struct CountrySites {
    std::set<std::string> blocked;
    std::set<std::string> free;
    std::set<std::string> open;
};

Finding countries_finding(const std::map<std::string, CountrySites>& countries) {
    std::set<std::string> some;
    std::set<std::string> none;
    Figure figure;
    figure.kind = FigureKind::map;
    figure.title = "Where sites are blocked";
    figure.x_label = "country";
    figure.y_label = "sites blocked";
    figure.caption = "Sites that one network or more of the country blocks. Grey countries have no data, which says nothing about them.";
    FindingTable table;
    table.columns = {"Country", "Sites blocked", "Not blocked", "Undetermined"};
    for (const auto& [country, sites] : countries) {
        std::size_t undecided = 0;
        std::size_t free = 0;
        for (const auto& site : sites.open) undecided += sites.blocked.count(site) == 0;
        for (const auto& site : sites.free) free += sites.blocked.count(site) == 0 && sites.open.count(site) == 0;
        if (!sites.blocked.empty()) some.insert(country);
        else if (free > 0 && undecided == 0) none.insert(country);
        const double value = !sites.blocked.empty() ? static_cast<double>(sites.blocked.size()) : free > 0 && undecided == 0 ? 0 : -1;
        figure.rows.push_back({country, value, value, value});
        table.rows.push_back({country, std::to_string(sites.blocked.size()), std::to_string(free), std::to_string(undecided)});
    }
    Finding finding = at_least(set_finding("blocked.country", "countries", some, none, "countries", fmt::format("Sites are blocked in {} {}.", grouped_digits(some.size()), some.size() == 1 ? "country" : "countries")));
    finding.caveat = "A country in which a site is undetermined and none is blocked is in neither list; one that nobody measured from is not looked at.";
    if (!figure.rows.empty()) {
        finding.figure = std::move(figure);
        finding.table = std::move(table);
    }
    return finding;
}

void Report::describe_measurements() {
    const auto& counts = m_measurements->counts();
    const auto measurements_min = static_cast<std::uint64_t>(m_parameters.integer("measurements-min"));
    m_findings.items.push_back(exact_count("measurements", "OONI measurements", counts.kept, "measurements", fmt::format("{} of {} measurements could be placed and dated and came once.", grouped_digits(counts.kept), grouped_digits(counts.measurements))));
    for (const auto& [what, count] : {std::pair<std::string_view, std::uint64_t>{"measurements have no country or network", counts.unplaced}, {"measurements have no time", counts.without_time},
                                      {"measurements came twice or more often and were counted once", counts.repeated},
                                      {"measurements have a clock that is a day or more off", counts.odd_clock}, {"measurements are about nothing that can be named", counts.without_subject}})
        if (count > 0) m_findings.notes.push_back(fmt::format("{} {}.", grouped_digits(count), what));
    if (counts.silent > 0) {
        std::vector<std::string> tests;
        std::uint64_t named = 0;
        for (const auto& [test, count] : counts.silent_tests) {
            tests.push_back(fmt::format("{} {}", grouped_digits(count), printable(test, 60)));
            named += count;
        }
        if (named < counts.silent) tests.push_back(fmt::format("{} others", grouped_digits(counts.silent - named)));
        m_findings.notes.push_back(fmt::format("{} measurements say nothing about any layer, for want of a rule or of a control: {}.", grouped_digits(counts.silent), fmt::join(tests, ", ")));
    }
    if (counts.not_compared > 0)
        m_findings.caveats.push_back(fmt::format("{} measurements may have come before: there were too many to know each again.", grouped_digits(counts.not_compared)));
    if (counts.dropped > 0) m_findings.caveats.push_back(fmt::format("{} measurements were left out: there were too many sites, networks and days.", grouped_digits(counts.dropped)));

    std::vector<Column> day_columns = {{"site", CellType::text, "domain, or name of the test"},
                                       {"country", CellType::text, "of the probes"},
                                       {"network", CellType::text, "of the probes"},
                                       {"day", CellType::text, "on which they began"},
                                       {"test", CellType::text, "name of the test; empty where there are several"},
                                       {"measurements", CellType::integer, "of the site in the network"}};
    for (std::size_t i = 0; i < interference::layers; ++i) {
        const std::string layer(interference::layer_name(static_cast<interference::Layer>(i)));
        day_columns.push_back({layer + "_measurements", CellType::integer, "of them, those that say something about the layer"});
        day_columns.push_back({layer + "_blocked", CellType::integer, "of those"});
        day_columns.push_back({layer + "_down", CellType::integer, "of those"});
    }
    for (std::size_t i = 0; i < interference::layers; ++i)
        day_columns.push_back({std::string(interference::layer_name(static_cast<interference::Layer>(i))) + "_evidence", CellType::text, "input, line and JSON pointer of the first blocked one"});
    OutputTable& days = m_tables.open("days", std::move(day_columns));
    // What fails on one layer hides those after it: how many measurements see a layer on days on which most fail before it.
    std::map<std::string, std::array<std::array<std::uint64_t, interference::layers>, interference::layers>> seen_behind;
    const interference::BookResult result = m_measurements->finish([&](const interference::SiteDay& day) {
        for (std::size_t before = 0; before < interference::layers; ++before)
            if (day.of[before].blocked * 2 > day.of[before].seen) {
                auto& seen = seen_behind[fmt::format("{}@AS{}", day.domain, day.asn)][before];
                for (std::size_t i = before + 1; i < interference::layers; ++i) seen[i] += day.of[i].seen;
            }
        days.text(day.domain);
        days.text(day.country);
        days.text(fmt::format("AS{}", day.asn));
        days.text(day_text(day.day));
        days.text(day.test_name);
        days.integer(day.measurements);
        for (const auto& count : day.of)
            for (const auto number : {count.seen, count.blocked, count.down}) days.integer(number);
        for (const auto* evidence : day.evidence) days.text(evidence == nullptr ? std::string() : located_text(*evidence));
        days.end_row();
    });
    std::vector<std::string> correlations;
    for (std::size_t i = 0; i < interference::layers; ++i)
        correlations.push_back(fmt::format("{} {:.2f}", interference::layer_name(static_cast<interference::Layer>(i)), result.probe_day_correlation[i]));
    m_findings.notes.push_back(fmt::format("Failures that one kind of probe in a network sees on one day hang together by {}; 1: they count as one.", fmt::join(correlations, ", ")));
    OutputTable& table = m_tables.open("sites", {{"site", CellType::text, "domain, or name of the test"},
                                                 {"country", CellType::text, "of the probes"},
                                                 {"network", CellType::text, "of the probes"},
                                                 {"network_name", CellType::text, "as probes gave it"},
                                                 {"layer", CellType::text, "dns, tcp, tls, http or throttle"},
                                                 {"verdict", CellType::text, "blocked, not blocked, down everywhere, geo-block or insufficient"},
                                                 {"mechanism", CellType::text, "of most blocked measurements"},
                                                 {"measurements", CellType::integer, "that say something about the layer"},
                                                 {"blocked", CellType::integer, "of them"},
                                                 {"share", CellType::real, "blocked of all"},
                                                 {"share_low", CellType::real, "interval"},
                                                 {"share_high", CellType::real, "interval"},
                                                 {"control", CellType::text, "whom it was compared with"},
                                                 {"control_measurements", CellType::integer, "there, on the same days"},
                                                 {"control_blocked", CellType::integer, "of them"},
                                                 {"set_aside", CellType::integer, "networks that are no part of the control, since the site is blocked there too"},
                                                 {"p_value", CellType::real, "that so many are blocked by what the control shows"},
                                                 {"q_value", CellType::real, "over all sites, networks and layers"},
                                                 {"effective_measurements", CellType::real, "how many independent ones they are worth"},
                                                 {"probes", CellType::integer, "kinds of probe that measured it"},
                                                 {"doubt", CellType::text, "why it is not called blocked though q is small"},
                                                 {"alternative", CellType::text, "the likeliest other explanation of those that could be weighed"},
                                                 {"log_likelihood_ratio", CellType::real, "of blocking over that"},
                                                 {"since", CellType::text, "first day of the present state, when it changed"},
                                                 {"since_low", CellType::text, "interval"},
                                                 {"since_high", CellType::text, "interval"},
                                                 {"until", CellType::text, "first day after it"},
                                                 {"until_low", CellType::text, "interval"},
                                                 {"until_high", CellType::text, "interval"},
                                                 {"evidence", CellType::text, "input, line and JSON pointer of the first blocked measurements"}});
    OutputTable& others = m_tables.open("site_alternatives", {{"site", CellType::text, "domain, or name of the test"},
                                                         {"country", CellType::text, "of the probes"},
                                                         {"network", CellType::text, "of the probes"},
                                                         {"layer", CellType::text, "where something is blocked"},
                                                         {"verdict", CellType::text, "of sites.csv"},
                                                         {"alternative", CellType::text, "what else might explain it"},
                                                         {"state", CellType::text, "weighed, not testable with these measurements, or cannot explain it"},
                                                         {"log_likelihood_ratio", CellType::real, "of blocking over the alternative"},
                                                         {"for_blocking", CellType::real, "observations that blocking predicts and the alternative does not"},
                                                         {"for_alternative", CellType::real, "the other way round"}});
    const auto write_alternatives = [&](const interference::BlockedCell& cell, const std::string& network) {
        for (std::size_t i = 0; i < cell.weights.size(); ++i) {
            const auto& weight = cell.weights[i];
            others.text(cell.domain);
            others.text(cell.country);
            others.text(network);
            others.text(interference::layer_name(cell.layer));
            others.text(interference::cell_verdict_name(cell.verdict));
            others.text(interference::alternative_name(static_cast<interference::Alternative>(i)));
            others.text(interference::alternative_state_name(weight.state));
            if (weight.state == interference::AlternativeState::weighed) others.real(weight.log_likelihood_ratio);
            else others.missing();
            others.real(weight.for_blocking);
            others.real(weight.for_alternative);
            others.end_row();
        }
    };
    std::set<std::string> blocked;
    std::set<std::string> doubted;
    std::map<std::string_view, std::set<std::string>> doubted_by;
    std::set<std::string> not_blocked;
    std::set<std::string> down;
    std::set<std::string> geo;
    std::map<std::string, std::set<std::string>> blocked_by_network;
    std::map<std::string, std::set<std::string>> free_by_network;
    std::set<std::string> blocked_domains;
    std::set<std::string> free_domains;
    std::map<std::string, std::set<std::string>> layers_of;       // that are blocked, by site
    std::map<std::string, std::set<std::string>> free_layers_of;  // that are blocked nowhere, by site
    std::map<std::string, std::set<std::string>> open_layers_of;
    std::set<std::string> shown;
    std::set<std::string> open_domains;
    std::vector<Locator> locators;
    std::uint64_t locators_total = 0;
    std::map<std::string, BlockedPlace> blocked_places;
    std::map<std::string, CountrySites> countries;
    // A layer of which too little is known counts against a site only where something on it was blocked. What is down can not be seen to be free.
    std::set<std::string> open_places;
    for (const auto& cell : result.cells)
        if ((cell.verdict == interference::CellVerdict::insufficient && (cell.blocked > 0 || cell.down * 2 > cell.measurements)) ||
            cell.verdict == interference::CellVerdict::down_everywhere) {
            open_places.insert(fmt::format("{}@AS{}", cell.domain, cell.asn));
            open_domains.insert(cell.domain);
            open_layers_of[cell.domain].emplace(interference::layer_name(cell.layer));
        }
    for (const auto& cell : result.cells) {
        const std::string network = fmt::format("AS{}", cell.asn);
        table.text(cell.domain);
        table.text(cell.country);
        table.text(network);
        table.text(cell.network_name);
        table.text(interference::layer_name(cell.layer));
        table.text(interference::cell_verdict_name(cell.verdict));
        table.text(cell.mechanism);
        table.integer(static_cast<std::int64_t>(cell.measurements));
        table.integer(static_cast<std::int64_t>(cell.blocked));
        table.real(cell.share);
        table.real(cell.share_low);
        table.real(cell.share_high);
        table.text(interference::cell_control_name(cell.control));
        table.integer(static_cast<std::int64_t>(cell.control_measurements));
        table.integer(static_cast<std::int64_t>(cell.control_blocked));
        table.integer(cell.set_aside);
        table.real(cell.p);
        table.real(cell.q);
        table.real(cell.effective_measurements);
        table.integer(cell.probes);
        table.text(cell.doubt);
        table.text(cell.likeliest ? interference::alternative_name(*cell.likeliest) : std::string_view());
        if (cell.likeliest) table.real(cell.weights[static_cast<std::size_t>(*cell.likeliest)].log_likelihood_ratio);
        else table.missing();
        for (const auto* change : {cell.since ? &*cell.since : nullptr, cell.until ? &*cell.until : nullptr})
            if (change == nullptr)
                for (int i = 0; i < 3; ++i) table.text("");
            else
                for (const std::int32_t day : {change->day, change->day_low, change->day_high}) table.text(day_text(day));
        std::string pointers;
        for (std::size_t i = 0; i < std::min<std::size_t>(3, cell.locators.size()); ++i)
            pointers += (pointers.empty() ? "" : " ") + located_text(cell.locators[i]);
        table.text(pointers);
        table.end_row();
        write_alternatives(cell, network);

        const std::string place = cell.domain + "@" + network;
        if (!cell.doubt.empty()) doubted_by[cell.doubt].insert(place);
        CountrySites& country = countries[cell.country];
        if (open_places.count(place) > 0) country.open.insert(cell.domain);
        switch (cell.verdict) {
            case interference::CellVerdict::blocked:
                country.blocked.insert(cell.domain);
                blocked.insert(place);
                blocked_by_network[network].insert(cell.domain);
                blocked_domains.insert(cell.domain);
                layers_of[cell.domain].emplace(interference::layer_name(cell.layer));
                shown.insert(fmt::format("{} {}", interference::layer_name(cell.layer), cell.mechanism));
                locators_total += cell.blocked;
                for (const auto& located : cell.locators) locators.push_back(located.where);
                blocked_places[place].cells.push_back(&cell);
                break;
            case interference::CellVerdict::not_blocked:
                country.free.insert(cell.domain);
                free_domains.insert(cell.domain);
                free_layers_of[cell.domain].emplace(interference::layer_name(cell.layer));
                if (open_places.count(place) > 0) break;
                not_blocked.insert(place);
                free_by_network[network].insert(cell.domain);
                break;
            case interference::CellVerdict::down_everywhere:
                down.insert(cell.domain);
                break;
            case interference::CellVerdict::geo_block:
                geo.insert(cell.domain);
                free_domains.insert(cell.domain);
                break;
            case interference::CellVerdict::insufficient: break;
        }
    }
    Finding all = at_least(set_finding("blocked", "sites in networks", blocked, not_blocked, "sites", fmt::format("{} sites are blocked in a network, beyond what happens elsewhere.", grouped_digits(blocked.size()))));
    all.caveat = "A site that was not measured, or not often enough, is in neither list.";
    add_locators(all, locators, locators_total);
    Figure figure;
    figure.kind = FigureKind::bars;
    figure.title = "Sites blocked, by network";
    figure.x_label = "sites";
    std::vector<std::pair<std::size_t, std::string>> order;
    for (const auto& [network, sites] : blocked_by_network) order.emplace_back(sites.size(), network);
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    constexpr std::size_t bars_max = 20;
    for (std::size_t i = 0; i < std::min(bars_max, order.size()); ++i) figure.rows.push_back({order[i].second, static_cast<double>(order[i].first), static_cast<double>(order[i].first), static_cast<double>(order[i].first)});
    figure.caption = order.size() > bars_max ? fmt::format("The {} networks with most; {} more have some.", bars_max, order.size() - bars_max) : "Networks that are not shown have none, or nobody measured there.";
    if (!figure.rows.empty()) all.figure = std::move(figure);
    m_findings.items.push_back(std::move(all));
    for (const auto& [doubt, places] : doubted_by)
        for (const auto& place : places)
            if (blocked.count(place) == 0) doubted.insert(place);
    Finding doubts = set_finding("doubted", "sites in networks", doubted, {}, "sites",
                                 fmt::format("{} sites fail in a network far more often than elsewhere, and something else than the network may be why.", grouped_digits(doubted.size())));
    doubts.caveat = "They are undetermined. A site that is blocked on another layer is not among them.";
    FindingTable reasons;
    reasons.columns = {"What else it may be", "Sites in networks"};
    for (const auto& [doubt, places] : doubted_by) {
        const auto count = static_cast<std::size_t>(std::count_if(places.begin(), places.end(), [&](const auto& place) { return doubted.count(place) > 0; }));
        if (count > 0) reasons.rows.push_back({std::string(doubt), std::to_string(count)});
    }
    if (!reasons.rows.empty()) doubts.table = std::move(reasons);
    m_findings.items.push_back(std::move(doubts));
    m_findings.items.push_back(countries_finding(countries));
    for (const auto& [name, place] : blocked_places)
        for (const auto* cell : place.cells) {
            const auto before = static_cast<std::size_t>(cell->layer);
            for (std::size_t i = before + 1; i < interference::layers; ++i)
                if (seen_behind[name][before][i] < measurements_min) open_layers_of[cell->domain].emplace(interference::layer_name(static_cast<interference::Layer>(i)));
        }
    std::size_t named = 0;
    for (const auto& [network, sites] : blocked_by_network)
        if (named++ < named_findings_max)
            m_findings.items.push_back(at_least(set_finding(fmt::format("blocked(\"{}\")", network), "sites measured in " + network, sites, free_by_network[network], "sites",
                                                            fmt::format("{} sites are blocked in {}.", sites.size(), network))));
    std::set<std::string> all_layers;
    std::set<std::string> all_free_layers;
    for (auto& [domain, free] : free_layers_of) {
        for (const auto& layer : open_layers_of[domain]) free.erase(layer);
        all_free_layers.insert(free.begin(), free.end());
    }
    for (const auto& [domain, own] : open_layers_of)
        for (const auto& layer : own) all_free_layers.erase(layer);
    for (const auto& [domain, own] : layers_of) all_layers.insert(own.begin(), own.end());
    Finding on_layers = at_least(set_finding("blocked.layer", "layers of blocked sites", all_layers, all_free_layers, "layers",
                                             all_layers.empty() ? std::string("No site is blocked on any layer.") : fmt::format("Sites are blocked on {}.", fmt::join(all_layers, ", "))));
    on_layers.caveat = "What fails on one layer hides what comes after it.";
    m_findings.items.push_back(std::move(on_layers));
    named = 0;
    for (const auto& [domain, own] : layers_of)
        if (can_be_argument(domain) && named++ < named_findings_max)
            m_findings.items.push_back(at_least(set_finding(fmt::format("blocked.layer(\"{}\")", domain), domain, own, free_layers_of[domain], "layers", fmt::format("{} is blocked on {}.", domain, fmt::join(own, ", ")))));
    Finding ways = at_least(set_finding("blocked.mechanism", "measurements of blocked sites", shown, {}, "mechanisms",
                                        shown.empty() ? std::string("No site is blocked in any way.") : fmt::format("Blocking shows as {}.", fmt::join(shown, ", "))));
    ways.caveat = "How most blocked measurements of a site in a network failed, which is no more than a probe sees; only a capture tells a forged packet from another.";
    m_findings.items.push_back(std::move(ways));
    // A domain is free when no network blocks it and none is open.
    for (const auto& domain : open_domains) free_domains.erase(domain);
    Finding somewhere = at_least(set_finding("blocked.domain", "sites", blocked_domains, free_domains, "sites", fmt::format("{} sites are blocked somewhere.", grouped_digits(blocked_domains.size()))));
    Figure timeline;
    timeline.kind = FigureKind::timeline;
    timeline.title = "When sites were blocked, by network";
    timeline.caption = "Whatever the layer. Where a line is open nobody measured.";
    FindingTable times;
    times.columns = {"Site", "Country", "Network", "Layer", "First measured", "Blocked since", "Until", "Last measured", "Likeliest other explanation", "Log of likelihood ratio"};
    for (auto& [name, place] : blocked_places) {
        add_up(place);
        add_timeline_row(place, timeline);
        const auto& cell = place.cell();
        times.rows.push_back({cell.domain, cell.country, fmt::format("AS{}", cell.asn), place.layers, day_text(place.day_first), place.time.since ? day_text(place.time.since->day) : "",
                              place.time.until ? day_text(place.time.until->day) : "", day_text(place.day_last),
                              cell.likeliest ? std::string(interference::alternative_name(*cell.likeliest)) : "",
                              cell.likeliest ? fmt::format("{:.1f}", cell.weights[static_cast<std::size_t>(*cell.likeliest)].log_likelihood_ratio) : ""});
    }
    if (!timeline.rows.empty()) {
        somewhere.figure = std::move(timeline);
        somewhere.table = std::move(times);
    }
    m_findings.items.push_back(std::move(somewhere));
    m_findings.items.push_back(at_least(set_finding("down_everywhere", "sites", down, {}, "sites", fmt::format("{} sites failed for everybody, which is no blocking.", grouped_digits(down.size())))));
    m_findings.items.push_back(at_least(set_finding("geo_block", "sites", geo, {}, "sites", fmt::format("{} sites turn visitors of a country away themselves.", grouped_digits(geo.size())))));
    named = 0;
    for (const auto& [name, place] : blocked_places) {
        const auto& cell = place.cell();
        if (named++ >= named_findings_max || !can_be_argument(cell.domain)) continue;
        m_findings.items.push_back(likelihood_finding(cell, name));
        for (const auto& [metric, change] : {std::pair{"onset", place.time.since ? &*place.time.since : nullptr}, {"end", place.time.until ? &*place.time.until : nullptr}}) {
            if (change == nullptr) continue;
            Finding finding = exact_count(fmt::format("{}(\"{}\", \"AS{}\")", metric, cell.domain, cell.asn), name, 0, "seconds", "");
            finding.value = static_cast<double>(std::int64_t{change->day} * day_seconds);
            finding.low = static_cast<double>(std::int64_t{change->day_low} * day_seconds);
            finding.high = static_cast<double>(std::int64_t{change->day_high} * day_seconds);
            finding.level = 0.95;
            finding.strength = StrengthKind::p_value;
            finding.strength_value = change->p;
            finding.sentence = fmt::format("The blocking of {} in AS{} {} on {} ({} to {}).", cell.domain, cell.asn, std::string_view(metric) == "onset" ? "began" : "ended", day_text(change->day),
                                           day_text(change->day_low), day_text(change->day_high));
            m_findings.items.push_back(std::move(finding));
        }
    }
}

/// What is firm, then what is not, as far as a page has room for it.
FindingTable Report::verdict_table() const {
    constexpr std::size_t rows_max = 200;
    FindingTable table;
    table.columns = {"Mechanism", "Trigger", "Verdict", "Layer", "Direction", "Box", "Flows", "Of", "q"};
    for (std::size_t i = 0; i < alternative_count; ++i) table.columns.push_back(fmt::format("Against {}", alternative_name(static_cast<Alternative>(i))));
    table.columns.push_back("Frames");
    for (const bool is_firm : {true, false})
        for (const MechanismVerdict& verdict : m_book->verdicts()) {
            if (verdict.is_firm != is_firm || table.rows.size() >= rows_max) continue;
            std::vector<std::string> row = {std::string(mechanism_name(verdict.mechanism)), verdict.trigger, is_firm ? "firm" : "insufficient", std::string(verdict.layer),
                                            std::string(verdict.direction), verdict.box_class, grouped_digits(verdict.flows), grouped_digits(verdict.exposed), fmt::format("{:.2g}", verdict.q_value)};
            for (const AlternativeTest& test : verdict.alternatives)
                row.push_back(test.standing == AlternativeTest::Standing::tested ? fmt::format("{:.1f}", test.log_likelihood_ratio) : std::string(standing_name(test.standing)));
            row.push_back(frames_text(verdict));
            table.rows.push_back(std::move(row));
        }
    return table;
}

void Report::describe_mechanisms() {
    std::set<std::string> mechanisms;
    std::set<std::string> triggers;
    std::set<std::string> passed;
    std::map<std::string, std::set<std::string>> by_trigger;
    for (const auto& [mechanism, names] : m_mechanisms) {
        mechanisms.insert(mechanism);
        for (const auto& name : names) {
            if (name.empty()) continue;
            triggers.insert(name);
            by_trigger[name].insert(mechanism);
        }
    }
    constexpr std::uint64_t passed_min = 5;
    for (const auto& [name, counted] : m_passed)
        if (counted.first - counted.second >= passed_min && 10 * counted.second <= counted.first) passed.insert(std::string(m_names.name(name)));
    Finding all = at_least(set_finding("mechanism", "captures", mechanisms, {}, "mechanisms",
                                       mechanisms.empty() ? std::string("No mechanism of interference is firm.") : fmt::format("{} mechanisms are firm: {}.", mechanisms.size(), fmt::join(mechanisms, ", "))));
    all.caveat = "What is not in the list was not shown; that it is absent cannot be shown by captures.";
    Figure figure;
    figure.kind = FigureKind::bars;
    figure.title = "Triggers by mechanism";
    figure.x_label = "firm triggers";
    for (const auto& [mechanism, names] : m_mechanisms) {
        const auto count = static_cast<double>(names.size());
        figure.rows.push_back({mechanism, count, count, count});
        add_locators(all, m_mechanism_locators[mechanism], m_mechanism_locators[mechanism].size());
    }
    figure.caption = "Names, addresses, words of requests and kinds of first payloads for which the mechanism is firm.";
    if (!figure.rows.empty()) all.figure = std::move(figure);
    all.table = verdict_table();
    m_findings.items.push_back(std::move(all));
    m_findings.items.push_back(at_least(set_finding("trigger", "names and addresses in captures", triggers, passed, "triggers", fmt::format("{} triggers meet a firm mechanism.", grouped_digits(triggers.size())))));
    for (const auto& [mechanism, names] : m_mechanisms) {
        Finding one = at_least(set_finding(fmt::format("trigger(\"{}\")", mechanism), "names and addresses in captures", names, passed, "triggers", fmt::format("{} triggers meet {}.", grouped_digits(names.size()), mechanism)));
        add_locators(one, m_mechanism_locators[mechanism], m_mechanism_locators[mechanism].size());
        m_findings.items.push_back(std::move(one));
    }
    std::size_t named = 0;
    for (const auto& [name, own] : by_trigger)
        if (can_be_argument(name) && named++ < named_findings_max)
            m_findings.items.push_back(at_least(set_finding(fmt::format("mechanism(\"{}\")", name), name, own, {}, "mechanisms", fmt::format("{} meets {}.", name, fmt::join(own, ", ")))));
    const auto open = static_cast<std::uint64_t>(std::count_if(m_book->verdicts().begin(), m_book->verdicts().end(), [](const auto& verdict) { return !verdict.is_firm; }));
    m_findings.items.push_back(exact_count("insufficient", "triggers with signs", open, "triggers", fmt::format("{} triggers show signs that are not enough.", grouped_digits(open))));
}

Findings Report::findings() {
    if (m_book) {
        describe_captures();
        describe_alternatives();
        describe_throttling();
        describe_flows();
        describe_mechanisms();
        describe_figures();
        if (!m_traces.empty()) describe_traces();
        if (m_parameters.flag("two-sided")) describe_two_sides();
    }
    if (m_measurements) describe_measurements();
    return std::move(m_findings);
}

}  // namespace

Findings Interference::run(const InstrumentInputs& inputs, const ParameterValues& parameters, InstrumentContext& context) const {
    if (inputs.frames.empty() && inputs.measurements.empty())
        throw Error(ErrorKind::input, "there is neither a capture nor a file of measurements", "Give pcap, pcapng or OONI JSONL files");
    Report report(parameters, context);
    report.read_clients();
    report.read_fingerprints(inputs.fingerprints);
    report.read_captures(inputs.frames);
    report.read_measurements(inputs.measurements);
    return report.findings();
}

}  // namespace unveil
