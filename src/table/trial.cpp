#include "table/trial.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<Outcome, std::string_view>, 7> outcome_names = {{
    {Outcome::passed, "passed"},
    {Outcome::blocked, "blocked"},
    {Outcome::partial, "partial"},
    {Outcome::rejected, "rejected"},
    {Outcome::banned, "banned"},
    {Outcome::error, "error"},
    {Outcome::unknown, "unknown"},
}};

}  // namespace

std::string_view outcome_name(Outcome outcome) {
    for (const auto& [known, name] : outcome_names)
        if (known == outcome) return name;
    UNVEIL_ASSERT(false);
    return {};
}

bool parse_outcome(std::string_view name, Outcome& outcome) {
    for (const auto& [known, known_name] : outcome_names)
        if (known_name == name) {
            outcome = known;
            return true;
        }
    return false;
}

std::string trial_header_line(const TrialLogHeader& header) {
    Json json = {{"unveil_log", 1},
                 {"experiment", header.experiment},
                 {"service", header.service},
                 {"separator", header.separator},
                 {"seed", header.seed}};
    if (!header.attributes.empty()) json["contexts"] = header.attributes;
    return json_text(json);
}

std::string trial_line(const Trial& trial, std::string_view previous_sha256) {
    Json json = {{"time", format_time(trial.time_us)},
                 {"context", trial.context},
                 {"account", trial.account},
                 {"step", trial.step},
                 {"subject", trial.subject},
                 {"detail", trial.detail},
                 {"input", trial.input},
                 {"outcome", outcome_name(trial.outcome)}};
    if (!trial.spans.empty()) {
        json["spans"] = Json::array();
        for (const auto& span : trial.spans) json["spans"].push_back(Json::array({span.begin, span.end}));
    }
    json["price"] = trial.price;
    if (!trial.source.empty()) json["source"] = trial.source;
    if (!trial.reply_sha256.empty()) json["reply_sha256"] = trial.reply_sha256;
    constexpr double second_us = 1e6;
    if (trial.delay_us > 0) json["delay_seconds"] = static_cast<double>(trial.delay_us) / second_us;
    if (trial.retry_after_us > 0) json["retry_after_seconds"] = static_cast<double>(trial.retry_after_us) / second_us;
    if (trial.has_warning) json["warning"] = true;
    json["previous_sha256"] = previous_sha256;
    return json_text(json);
}

TrialChain::TrialChain(const TrialLogHeader& header) : m_header_line(trial_header_line(header)), m_last_sha256(sha256_hex(m_header_line)) {}

std::string TrialChain::append(const Trial& trial) {
    std::string line = trial_line(trial, m_last_sha256);
    m_last_sha256 = sha256_hex(line);
    return line;
}

}  // namespace unveil
