#include "cli/inspect_network.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <vector>

#include "cli/global.hpp"
#include "cli/inspect_lines.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "evidence/blocking_fingerprints.hpp"
#include "evidence/capture.hpp"
#include "evidence/ooni.hpp"
#include "net/packet.hpp"

namespace unveil::cli {
namespace {

using Json = nlohmann::ordered_json;
using Counts = std::map<std::string, std::uint64_t>;

/// Names of which more than this many differ are counted together, so that a hostile file cannot fill the memory.
constexpr std::size_t names_max = 100'000;

void count(Counts& counts, std::string name) {
    const auto known = counts.find(name);
    if (known != counts.end()) ++known->second;
    else if (counts.size() < names_max) counts.emplace(std::move(name), 1);
    else ++counts["(others)"];
}

std::string link_name(std::uint16_t link_type) {
    switch (link_type) {
        case 0:
        case 108: return "BSD loopback";
        case 1: return "Ethernet";
        case 9: return "PPP";
        case 12:
        case 14:
        case 101:
        case 228:
        case 229: return "IP";
        case 50: return "PPP in HDLC";
        case 51: return "PPPoE";
        case 104: return "Cisco HDLC";
        case 105:
        case 127:
        case 192: return "802.11";
        case 113: return "Linux cooked";
        case 276: return "Linux cooked 2";
        default: return is_known_link_type(link_type) ? fmt::format("link type {}", link_type) : fmt::format("link type {}, which is not read", link_type);
    }
}

std::string protocol_name(const Packet& packet) {
    std::string name = packet.ip_version == 6 ? "IPv6 " : "IPv4 ";
    switch (static_cast<Protocol>(packet.protocol)) {
        case Protocol::tcp: name += "TCP"; break;
        case Protocol::udp: name += "UDP"; break;
        case Protocol::icmp:
        case Protocol::icmp6: name += "ICMP"; break;
        default: name += fmt::format("protocol {}", packet.protocol);
    }
    return packet.is_fragment ? name + " fragment" : name;
}

void add_report(std::string& out, const SourceReport& report, std::string_view kind) {
    add_line(out, "format", fmt::format("{} ({}{})", report.format, kind, report.compression == "none" ? "" : ", " + report.compression));
    add_line(out, "size", fmt::format("{} bytes", grouped(report.bytes)));
    add_line(out, "sha256", report.sha256);
}

void add_time(std::string& out, const SourceReport& report) {
    if (report.tally.kept() > 0) add_line(out, "time", fmt::format("{} to {}", format_time(report.time_first_us), format_time(report.time_last_us)));
}

void add_end(std::string& out, Json& json, const SourceReport& report, const std::string& path, std::string_view nothing, std::string_view before = {}) {
    add_tally(out, report.tally);
    const bool is_empty = report.tally.kept() == 0;
    const std::string next = is_empty ? std::string() : fmt::format("unveil interference {}{} --out result", before, shell_word(path));
    json["next"] = next;
    if (is_empty) add_line(out, "problem", nothing);
    else add_line(out, "run next", printable(next, 4000));
}

/// Runs `read`; what stops it becomes part of the answer.
template <class Read>
FileInspection inspected(const std::string& path, Json& json, Read read) {
    FileInspection inspection;
    inspection.text = printable(path, 1000) + "\n";
    json = {{"path", path}};
    try {
        read(inspection.text);
        inspection.is_readable = true;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::run) throw;
        put_problem(json, error);
        add_problem(inspection.text, path, error);
    }
    return inspection;
}

}  // namespace

FileInspection inspect_capture(const std::string& path, const Global& global, Json& json) {
    return inspected(path, json, [&](std::string& out) {
        const auto source = open_capture(path, 0);
        Counts links;
        Counts protocols;
        std::array<std::uint64_t, 5> decoded{};
        std::uint64_t cut = 0;
        std::vector<Frame> batch;
        Packet packet;
        while (source->next(batch)) {
            for (const Frame& frame : batch) {
                count(links, link_name(frame.link_type));
                cut += frame.bytes.size() < frame.bytes_original;
                const Decoded what = decode_packet(frame, packet);
                ++decoded[static_cast<std::size_t>(what)];
                if (what == Decoded::packet) count(protocols, protocol_name(packet));
            }
            global.progress->update("reading", source->bytes_done(), source->report().bytes);
            global.progress->check();
        }
        const SourceReport& report = source->report();
        const auto of = [&](Decoded what) { return decoded[static_cast<std::size_t>(what)]; };
        put_report(json, report);
        json["link_types"] = links;
        json["protocols"] = protocols;
        json["packets"] = of(Decoded::packet);
        json["frames_cut"] = cut;
        add_report(out, report, "packet capture");
        add_line(out, "frames", grouped(report.tally.kept()));
        add_line(out, "IP packets", grouped(of(Decoded::packet)));
        add_time(out, report);
        add_counts(out, "links", links);
        add_counts(out, "protocols", protocols);
        std::string_view label = "not read";
        for (const auto& [what, key, sentence] : {std::tuple{Decoded::no_ip, "frames_without_ip", "hold no IP"},
                                                  {Decoded::unknown_link, "frames_of_other_links", "are of a link type that is not read"},
                                                  {Decoded::truncated, "frames_cut_in_headers", "were cut within their headers"},
                                                  {Decoded::malformed, "frames_malformed", "have lengths that contradict each other"}}) {
            json[key] = of(what);
            if (of(what) == 0) continue;
            add_line(out, label, fmt::format("{} frames {}", grouped(of(what)), sentence));
            label = "";
        }
        if (cut > 0) add_line(out, "cut", fmt::format("{} frames hold less than was on the wire", grouped(cut)));
        add_end(out, json, report, path, "there is no frame in it");
    });
}

FileInspection inspect_measurements(const std::string& path, const Global& global, Json& json) {
    return inspected(path, json, [&](std::string& out) {
        const auto source = open_measurements(path, 0);
        Counts tests;
        Counts countries;
        Counts networks;
        std::unordered_set<std::uint64_t> sites;
        std::uint64_t controls = 0;
        MeasurementBatch batch;
        while (source->next(batch)) {
            for (const Measurement& measurement : batch.all()) {
                count(tests, std::string(measurement.test_name));
                count(countries, std::string(measurement.country));
                count(networks, measurement.asn == 0 ? std::string("(not known)") : fmt::format("AS{}", measurement.asn));
                controls += measurement.control.is_present;
                if (!measurement.domain.empty() && sites.size() < names_max) sites.insert(hash_bytes(measurement.domain));
            }
            global.progress->update("reading", source->bytes_done(), source->report().bytes);
            global.progress->check();
        }
        const SourceReport& report = source->report();
        put_report(json, report);
        json["tests"] = tests;
        json["countries"] = countries;
        json["networks"] = networks;
        json["sites"] = sites.size();
        json["with_control"] = controls;
        add_report(out, report, "OONI measurements");
        add_line(out, "records", fmt::format("{}, of which {} hold what a control saw", grouped(report.tally.kept()), grouped(controls)));
        add_line(out, "sites", fmt::format("{}{}", grouped(sites.size()), sites.size() == names_max ? " or more" : ""));
        add_time(out, report);
        add_counts(out, "tests", tests);
        add_counts(out, "countries", countries);
        add_counts(out, "networks", networks);
        add_end(out, json, report, path, "there is no measurement in it");
    });
}

FileInspection inspect_fingerprints(const std::string& path, const Global& global, Json& json) {
    return inspected(path, json, [&](std::string& out) {
        const auto source = open_blocking_fingerprints(path);
        Counts scopes;
        Counts places;
        std::vector<BlockingFingerprint> batch;
        while (source->next(batch)) {
            for (const auto& fingerprint : batch) {
                count(scopes, fingerprint.scope.empty() ? "(none)" : fingerprint.scope);
                count(places, fingerprint.location);
            }
            global.progress->check();
        }
        const SourceReport& report = source->report();
        put_report(json, report);
        for (const auto* time : {"time_first", "time_last"}) json.erase(time);
        json["scopes"] = scopes;
        json["places"] = places;
        add_report(out, report, "list of block pages");
        add_line(out, "rows", grouped(report.tally.kept()));
        add_counts(out, "scopes", scopes);
        add_counts(out, "places", places);
        add_end(out, json, report, path, "there is no fingerprint in it", "INPUT --fingerprints ");
    });
}

}  // namespace unveil::cli
