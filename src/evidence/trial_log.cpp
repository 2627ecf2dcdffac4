#include "evidence/trial_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "evidence/input_buffer.hpp"
#include "evidence/json_reader.hpp"
#include "evidence/time_tracker.hpp"

namespace unveil {
namespace {

using simdjson::dom::element;

std::optional<std::string_view> text_member(const element& object, std::string_view key) {
    std::string_view text;
    if (object[key].get(text) != simdjson::SUCCESS) return {};
    return text;
}

/// 0 when it is not there, or no span of time.
std::int64_t microseconds(const element& object, std::string_view key) {
    constexpr double second_us = 1e6;
    constexpr double seconds_max = 1e9;
    double seconds = 0;
    if (object[key].get(seconds) != simdjson::SUCCESS || !(seconds > 0 && seconds <= seconds_max)) return 0;
    return std::llround(seconds * second_us);
}

class TrialLog final : public TrialSource {
  public:
    TrialLog(InputBuffer buffer, const std::string& path, std::uint32_t evidence, const EvidenceLimits& limits)
        : m_reader(std::move(buffer), limits), m_evidence(evidence) {
        m_report.path = path;
        m_report.format = "trial-log";
        read_header();
    }

    const TrialLogHeader& header() const override { return m_header; }
    const SourceReport& report() const override { return m_report; }
    const std::string& last_sha256() const override { return m_previous_sha256; }
    std::uint64_t bytes_done() const override { return m_reader.stream().disk_bytes(); }

    bool next(std::vector<Trial>& batch) override {
        batch.clear();
        while (batch.size() < batch_trials_max) {
            const auto value = m_reader.next(m_report.tally);
            if (!value) {
                finish();
                break;
            }
            check_chain(*value);
            ++m_row;
            if (auto trial = read(*value)) batch.push_back(std::move(*trial));
        }
        return !batch.empty();
    }

  private:
    void read_header() {
        const auto value = m_reader.next(m_report.tally);
        std::int64_t version = 0;
        if (!value || (*value)["unveil_log"].get(version) != simdjson::SUCCESS)
            throw Error(ErrorKind::input, "is no log of trials: its first line has no \"unveil_log\"", "Give a log that unveil wrote",
                        m_report.path);
        if (version != 1)
            throw Error(ErrorKind::input, fmt::format("is a log of version {}; this program reads 1", version), "Use a newer unveil",
                        m_report.path);
        m_header.experiment = text_member(*value, "experiment").value_or("");
        m_header.service = text_member(*value, "service").value_or("");
        m_header.separator = text_member(*value, "separator").value_or("");
        if (std::uint64_t seed = 0; (*value)["seed"].get(seed) == simdjson::SUCCESS) m_header.seed = seed;
        read_attributes(*value);
        m_previous_sha256 = sha256_hex(m_reader.line_text());
    }

    void read_attributes(const element& header) {
        simdjson::dom::object contexts;
        if (header["contexts"].get(contexts) != simdjson::SUCCESS) return;
        for (const auto& [context, given] : contexts) {
            simdjson::dom::object values;
            if (given.get(values) != simdjson::SUCCESS) continue;
            for (const auto& [name, text] : values)
                if (std::string_view value; text.get(value) == simdjson::SUCCESS) m_header.attributes[std::string(context)].emplace(name, value);
        }
    }

    /// A line that is no JSON breaks the chain for its successor, unless it is the last one.
    void check_chain(const element& value) {
        const auto previous = text_member(value, "previous_sha256");
        if (!previous || *previous != m_previous_sha256 || m_reader.broken_lines() > 0)
            throw Error(ErrorKind::input, "this line does not follow from the one before it: the log was changed or lines are missing",
                        "Get the log as it was written", m_reader.where());
        m_previous_sha256 = sha256_hex(m_reader.line_text());
    }

    std::optional<Trial> read(const element& value) {
        const auto skip = [&](std::string_view reason, std::string_view example) -> std::optional<Trial> {
            m_report.tally.skip(reason, m_reader.where(), example);
            return {};
        };
        Trial trial;
        trial.evidence = m_evidence;
        trial.row = m_row;
        const auto time = text_member(value, "time");
        const auto time_us = time ? parse_time_us(*time) : std::nullopt;
        if (!time_us) return skip("time not understood", time.value_or(""));
        trial.time_us = *time_us;
        const auto outcome = text_member(value, "outcome");
        if (!outcome || !parse_outcome(*outcome, trial.outcome)) return skip("outcome not known", outcome.value_or(""));
        const auto input = text_member(value, "input");
        if (!input) return skip("no input", "");
        trial.input = *input;
        for (const auto& [key, field] : {std::pair{"context", &trial.context},
                                         {"account", &trial.account},
                                         {"step", &trial.step},
                                         {"subject", &trial.subject},
                                         {"detail", &trial.detail},
                                         {"source", &trial.source},
                                         {"reply_sha256", &trial.reply_sha256}})
            *field = text_member(value, key).value_or("");
        if (double price = 0; value["price"].get(price) == simdjson::SUCCESS) trial.price = price;
        trial.delay_us = microseconds(value, "delay_seconds");
        trial.retry_after_us = microseconds(value, "retry_after_seconds");
        if (bool warning = false; value["warning"].get(warning) == simdjson::SUCCESS) trial.has_warning = warning;
        simdjson::dom::array spans;
        if (value["spans"].get(spans) == simdjson::SUCCESS)
            for (const auto span : spans) {
                std::uint64_t begin = 0;
                std::uint64_t end = 0;
                if (span.at(0).get(begin) != simdjson::SUCCESS || span.at(1).get(end) != simdjson::SUCCESS || begin > end ||
                    end > trial.input.size())
                    return skip("a span is not within the input", "");
                trial.spans.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
            }
        m_report.tally.keep();
        m_times.add(trial.time_us);
        return trial;
    }

    void finish() {
        if (m_is_finished) return;
        m_is_finished = true;
        m_reader.stream().finish(m_report);
        m_report.time_first_us = m_times.first_us();
        m_report.time_last_us = m_times.last_us();
        m_report.time_resolution = m_times.resolution();
    }

    JsonReader m_reader;
    std::uint32_t m_evidence;
    SourceReport m_report;
    TrialLogHeader m_header;
    TimeTracker m_times;
    std::string m_previous_sha256;
    std::uint64_t m_row = 0;
    bool m_is_finished = false;
};

}  // namespace

bool is_trial_log(std::string_view head) { return head.starts_with("{\"unveil_log\":"); }

bool is_trial_log_file(const std::string& path) {
    constexpr std::size_t head_bytes = 64;
    try {
        ByteStream stream(open_file_input(path), path, EvidenceLimits{});
        std::string head(head_bytes, '\0');
        std::size_t size = 0;
        while (size < head_bytes) {
            const std::size_t more = stream.read(head.data() + size, head_bytes - size);
            if (more == 0) break;
            size += more;
        }
        return is_trial_log(std::string_view(head).substr(0, size));
    } catch (const Error&) {
        return false;
    }
}

std::unique_ptr<TrialSource> open_trials_from(std::unique_ptr<RawInput> input, const std::string& path, std::uint32_t evidence,
                                              const EvidenceLimits& limits) {
    InputBuffer buffer(ByteStream(std::move(input), path, limits), limits);
    constexpr std::size_t head_bytes = 4096;
    while (buffer.size() < head_bytes && buffer.fill()) {
    }
    if (!is_trial_log(std::string_view(buffer.begin(), std::min(buffer.size(), head_bytes))))
        throw Error(ErrorKind::input, "is no log of trials: it does not begin with {\"unveil_log\":", "Give a log that unveil wrote", path);
    return std::make_unique<TrialLog>(std::move(buffer), path, evidence, limits);
}

std::unique_ptr<TrialSource> open_trials(const std::string& path, std::uint32_t evidence) {
    return open_trials_from(open_file_input(path), path, evidence, EvidenceLimits{});
}

}  // namespace unveil
