#include "evidence/open.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/parameter.hpp"
#include "core/text.hpp"
#include "evidence/capture.hpp"
#include "evidence/ooni.hpp"
#include "evidence/table_posts.hpp"
#include "evidence/trial_log.hpp"

namespace unveil {
namespace {

constexpr EvidenceFormat formats[] = {
    {"twitter-io", "Twitter's Information Operations archive: 31 columns, one tweet a row", "post",
     "formats/twitter-io.md"},
    {"twitter-v2",
     "answers of the X/Twitter API v2 as JSON: one tweet or one response a line, or one document", "post",
     "formats/twitter-v2.md"},
    {"coortweet", "CooRTweet's four columns: object_id, account_id, content_id, timestamp_share", "post",
     "formats/coortweet.md"},
    {"qut", "the QUT coordination-network-toolkit's eight columns, message_id to urls", "post",
     "formats/qut.md"},
    {"ira-clemson", "the Clemson tables of Internet Research Agency tweets: content, publish_date, retweet",
     "post", "formats/ira-clemson.md"},
    {"table", "any table of posts; --columns says which column is which", "post", "formats/table.md"},
    {"trial-log", "messages that were sent to a platform and what became of them: JSON lines, chained by digests", "trial",
     "formats/trial-log.md"},
    {"labelled-words", "words or rules with what they are about: a CSV file", "trial", "formats/labelled-words.md", true},
    {"pcap", "packet captures as tcpdump writes them, in microseconds or nanoseconds", "frame", "formats/pcap.md"},
    {"pcapng", "packet captures as Wireshark writes them: blocks, several interfaces", "frame", "formats/pcap.md"},
    {"ooni", "OONI measurements: one JSON object a line, or one measurement in a file", "measurement", "formats/ooni.md"},
    {"blocking-fingerprints", "by what block pages are known, as OONI and the Citizen Lab list them: a CSV file", "measurement", "formats/blocking-fingerprints.md", true},
};

std::string known_formats() {
    std::string out;
    for (const auto& format : formats) out += fmt::format("{}{}", out.empty() ? "" : ", ", format.name);
    return out;
}

void check_options(const EvidenceOptions& options) {
    if (!options.format.empty() && std::none_of(std::begin(formats), std::end(formats),
                                                [&](const auto& f) { return f.name == options.format; })) {
        std::vector<std::string> names;
        for (const auto& format : formats) names.emplace_back(format.name);
        const auto nearest = nearest_word(options.format, names);
        throw Error(
            ErrorKind::usage, fmt::format("unknown format '{}'", printable(options.format, 60)),
            fmt::format("{}Known: {}", nearest.empty() ? "" : fmt::format("Did you mean '{}'? ", nearest),
                        known_formats()));
    }
    for (const auto& mapped : options.columns) {
        // clang 14 lets no lambda capture a structured binding.
        const auto& field = mapped.first;
        const auto& column = mapped.second;
        const auto names = post_field_names();
        if (std::none_of(names.begin(), names.end(), [&](const auto& name) { return name.name == field; })) {
            std::vector<std::string> known;
            for (const auto& name : names) known.emplace_back(name.name);
            const auto nearest = nearest_word(field, known);
            std::string all;
            for (const auto& name : known) all += (all.empty() ? "" : ", ") + name;
            throw Error(ErrorKind::usage,
                        fmt::format("unknown field '{}' in --columns", printable(field, 60)),
                        fmt::format("{}Fields: {}",
                                    nearest.empty() ? "" : fmt::format("Did you mean '{}'? ", nearest), all));
        }
        if (column.empty())
            throw Error(ErrorKind::usage, fmt::format("--columns names no column for '{}'", field),
                        "Write it as account=COLUMN,time=COLUMN");
    }
}

[[noreturn]] void fail_unknown(std::string_view head, const std::string& path) {
    throw Error(
        ErrorKind::input,
        fmt::format("is no evidence of a known kind; it begins with \"{}\"",
                    printable(head.substr(0, 32), 60)),
        fmt::format("Known formats: {}; tables as CSV, JSON lines or Parquet; plain or packed with gzip, zstd or xz",
                    known_formats()),
        path);
}

/// What is not text fails here, with what can be done about it.
void check_text(std::string_view head, const std::string& path) {
    const auto fail_utf16 = [&](std::string_view order) {
        throw Error(ErrorKind::input, fmt::format("is UTF-16{} text", order),
                    fmt::format("Turn it into UTF-8: iconv -f UTF-16{} -t UTF-8 FILE > NEW.csv", order),
                    path);
    };
    if (head.starts_with("\xFF\xFE")) fail_utf16("LE");
    if (head.starts_with("\xFE\xFF")) fail_utf16("BE");
    if (head.size() >= 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0) fail_utf16("LE");
    if (head.size() >= 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0) fail_utf16("BE");
    // Control bytes have no place in a header line, while a damaged row further down is only a damaged row.
    const auto line = head.substr(0, head.find('\n'));
    for (const char c : line)
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') || c == 0x7F)
            fail_unknown(head, path);
}

}  // namespace

std::span<const EvidenceFormat> evidence_formats() {
    return formats;
}

bool is_list_format(std::string_view name) {
    return std::any_of(std::begin(formats), std::end(formats), [&](const EvidenceFormat& format) { return format.name == name && format.is_list; });
}

std::unique_ptr<PostSource> open_posts_from(std::unique_ptr<RawInput> input, const std::string& path,
                                            const EvidenceOptions& options, std::uint32_t evidence,
                                            const EvidenceLimits& limits) {
    check_options(options);
    InputBuffer buffer(ByteStream(std::move(input), path, limits), limits);
    constexpr std::size_t head_bytes = 4096;
    while (buffer.size() < head_bytes && buffer.fill()) {
    }
    if (buffer.size() == 0)
        throw Error(ErrorKind::input, "there is nothing in it once unpacked", "Get the file anew", path);
    const std::string_view head(buffer.begin(), std::min(buffer.size(), head_bytes));
    if (head.starts_with("PAR1")) {
        if (buffer.stream().compression() != "none")
            throw Error(ErrorKind::input, "is a Parquet file inside a packed file, which is not read",
                        "Unpack it first; Parquet is packed by itself", path);
        return make_parquet_posts(path, options, evidence, limits);
    }
    if (is_capture(head) || options.format == "pcap" || options.format == "pcapng")
        throw Error(ErrorKind::input, is_capture(head) ? "is a packet capture, and posts are wanted" : "is no packet capture, nor is one wanted here",
                    is_capture(head) ? "An instrument that reads frames takes it; `unveil describe NAME` says what an instrument reads" : "Leave --format away",
                    path);
    check_text(head, path);
    if (is_trial_log(head) || options.format == "trial-log")
        throw Error(ErrorKind::input, is_trial_log(head) ? "is a log of trials, and posts are wanted" : "is no log of trials, nor is one wanted here",
                    is_trial_log(head) ? "An instrument that reads trials takes it: unveil filter FILE --out DIR" : "Leave --format away",
                    path);
    if (is_measurements(head) || options.format == "ooni")
        throw Error(ErrorKind::input,
                    is_measurements(head) ? "holds OONI measurements, and posts are wanted" : "holds no OONI measurements, nor are any wanted here",
                    is_measurements(head) ? "An instrument that reads measurements takes it: unveil interference FILE --out DIR" : "Leave --format away",
                    path);
    auto text = head;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    text = trimmed(text);
    const bool is_json =
        text.starts_with('{') || (text.starts_with('[') && trimmed(text.substr(1)).starts_with('{'));
    if (is_json) return make_json_posts(std::move(buffer), options, evidence, limits);
    if (options.format == "twitter-v2")
        throw Error(ErrorKind::input,
                    fmt::format("is not JSON; it begins with \"{}\"", printable(head.substr(0, 32), 60)),
                    "Leave --format away, or name the JSON file", path);
    return make_csv_posts(std::move(buffer), options, evidence, limits);
}

std::unique_ptr<PostSource> open_posts(const std::string& path, const EvidenceOptions& options,
                                       std::uint32_t evidence) {
    check_options(options);
    return open_posts_from(open_file_input(path), path, options, evidence, EvidenceLimits{});
}

std::map<std::string, std::string> parse_columns_option(std::string_view text) {
    EvidenceOptions options;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        const auto part = trimmed(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
        if (part.empty()) continue;
        const auto equals = part.find('=');
        if (equals == std::string_view::npos)
            throw Error(ErrorKind::usage, fmt::format("'{}' in --columns has no '='", printable(part, 60)),
                        "Write it as account=COLUMN,time=COLUMN");
        const std::string field(trimmed(part.substr(0, equals)));
        if (!options.columns.emplace(field, trimmed(part.substr(equals + 1))).second)
            throw Error(ErrorKind::usage, fmt::format("--columns names '{}' twice", printable(field, 60)),
                        "Keep one of the two");
    }
    check_options(options);
    return options.columns;
}

}  // namespace unveil
