#include "cli/command_list.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/global.hpp"
#include "cli/help_text.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "evidence/open.hpp"
#include "instruments/instrument.hpp"

namespace unveil::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string_view type_name(ParameterType type) {
    switch (type) {
        case ParameterType::flag:
            return "flag";
        case ParameterType::integer:
            return "integer";
        case ParameterType::real:
            return "real";
        case ParameterType::text:
            return "text";
        case ParameterType::choice:
            return "choice";
        case ParameterType::duration:
            return "duration";
        case ParameterType::bytes:
            return "bytes";
    }
    return "text";
}

Json parameter_to_json(const Parameter& parameter) {
    Json json = {{"name", parameter.name},       {"type", type_name(parameter.type)},
                 {"is_list", parameter.is_list}, {"default", parameter.default_text},
                 {"help", parameter.help},       {"affects_findings", parameter.affects_findings}};
    if (!parameter.choices.empty()) json["choices"] = parameter.choices;
    if (parameter.minimum) json["minimum"] = *parameter.minimum;
    if (parameter.maximum) json["maximum"] = *parameter.maximum;
    if (!parameter.citation.empty()) json["citation"] = parameter.citation;
    return json;
}

Json instrument_to_json(const InstrumentDescription& instrument) {
    Json json = {{"kind", "instrument"},
                 {"name", instrument.name},
                 {"question", instrument.question},
                 {"summary", instrument.summary},
                 {"record", instrument.record},
                 {"accepts_controls", instrument.accepts_controls}};
    json["parameters"] = Json::array();
    for (const auto& parameter : instrument.parameters)
        if (!parameter.is_hidden) json["parameters"].push_back(parameter_to_json(parameter));
    json["metrics"] = Json::array();
    for (const auto& metric : instrument.metrics)
        json["metrics"].push_back({{"name", metric.name}, {"unit", metric.unit}, {"help", metric.help}});
    json["limits"] = instrument.limits;
    json["citations"] = instrument.citations;
    json["example"] = instrument.example;
    return json;
}

Json format_to_json(const EvidenceFormat& format) {
    return {{"kind", "format"},
            {"name", format.name},
            {"summary", format.summary},
            {"record", format.record},
            {"doc_page", fmt::format("docs/{}", format.doc_page)}};
}

std::string bullets(const std::vector<std::string>& lines, std::size_t width) {
    std::string out;
    for (const auto& line : lines) out += wrapped("- " + line, 2, width);
    return out;
}

std::string instrument_text(const InstrumentDescription& instrument, std::size_t width) {
    std::string out = fmt::format("{}: {}\n\n", instrument.name, instrument.question);
    out += wrapped(instrument.summary, 0, width);
    out += fmt::format("\nreads: {}s{}\n", instrument.record,
                       instrument.accepts_controls              ? ", and those of accounts known to belong to no campaign (--control)"
                       : instrument.record == "network record" ? ", and lists of known block pages (--fingerprints)"
                                                                : "");
    out += "\nparameters:\n" + parameters_help(instrument.parameters, width);
    out += "\nmetrics a claim can compare:\n";
    std::vector<HelpRow> metrics;
    for (const auto& metric : instrument.metrics)
        metrics.push_back({metric.name, metric.unit.empty()
                                            ? metric.help
                                            : fmt::format("{} ({})", metric.help, metric.unit)});
    out += help_rows(metrics, width);
    out += "\nwhat it cannot show:\n" + bullets(instrument.limits, width);
    out += "\nsources:\n" + bullets(instrument.citations, width);
    if (!instrument.example.empty()) out += "\nexample:\n  " + instrument.example + "\n";
    out += fmt::format("\nMore in docs/instruments/{}.md.\n", instrument.name);
    return out;
}

std::string format_text(const EvidenceFormat& format, std::size_t width) {
    return fmt::format("{}: a format of {}s\n\n", format.name, format.record) +
           wrapped(format.summary, 0, width) + fmt::format("\nMore in docs/{}.\n", format.doc_page);
}

class ListCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "list";
        description.summary = "List the instruments and the formats of evidence";
        description.examples = {"unveil list", "unveil list --json"};
        return description;
    }

    int run(const Invocation& invocation) const override {
        if (invocation.global.json) {
            Json json = {{"schema_version", 1}, {"instruments", Json::array()}, {"formats", Json::array()}};
            for (const auto* instrument : instruments())
                json["instruments"].push_back({{"name", instrument->description().name},
                                               {"question", instrument->description().question},
                                               {"record", instrument->description().record}});
            for (const auto& format : evidence_formats()) json["formats"].push_back(format_to_json(format));
            fmt::print("{}\n", json_text(json));
            return 0;
        }
        const auto width = text_width();
        std::vector<HelpRow> rows;
        for (const auto* instrument : instruments())
            rows.push_back({instrument->description().name, instrument->description().question});
        std::string out = "instruments:\n" + help_rows(rows, width);
        rows.clear();
        for (const auto& format : evidence_formats())
            rows.push_back({std::string(format.name), std::string(format.summary)});
        out += "\nformats of evidence, found by content (plain, gz, zst or xz):\n" + help_rows(rows, width);
        out += "\n'unveil describe NAME' tells all about one; 'unveil lab list' names the made-up worlds.\n";
        fmt::print("{}", out);
        return 0;
    }
};

class DescribeCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "describe";
        description.summary = "Tell all about one instrument or format: parameters, metrics, limits, sources";
        description.positionals = {{"NAME", "An instrument or a format, as 'unveil list' names them"}};
        description.examples = {"unveil describe coordination", "unveil describe twitter-io --json"};
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& name = invocation.positionals.at(0).at(0);
        std::vector<std::string> known;
        for (const auto* instrument : instruments()) {
            const auto& description = instrument->description();
            known.push_back(description.name);
            if (description.name != name) continue;
            if (invocation.global.json)
                fmt::print("{}\n", json_text(instrument_to_json(description)));
            else
                fmt::print("{}", instrument_text(description, text_width()));
            return 0;
        }
        for (const auto& format : evidence_formats()) {
            known.emplace_back(format.name);
            if (format.name != name) continue;
            if (invocation.global.json)
                fmt::print("{}\n", json_text(format_to_json(format)));
            else
                fmt::print("{}", format_text(format, text_width()));
            return 0;
        }
        const auto near = nearest_word(name, known);
        throw Error(
            ErrorKind::usage, fmt::format("no instrument or format is called '{}'", printable(name, 80)),
            near.empty() ? "'unveil list' shows what there is" : fmt::format("Did you mean '{}'?", near));
    }
};

}  // namespace

std::unique_ptr<Command> make_list_command() {
    return std::make_unique<ListCommand>();
}
std::unique_ptr<Command> make_describe_command() {
    return std::make_unique<DescribeCommand>();
}

}  // namespace unveil::cli
