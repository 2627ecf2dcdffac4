#include "report/export_trials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/output_table.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "evidence/labelled_words.hpp"
#include "evidence/text_file.hpp"
#include "evidence/trial_log.hpp"
#include "instruments/filter/filter_log.hpp"
#include "instruments/instrument.hpp"
#include "report/pseudonym.hpp"
#include "report/table_file.hpp"
#include "table/rule.hpp"

namespace unveil {
namespace {

std::string csv_line(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) line += ',';
        append_csv_cell(cells[i], line);
    }
    return line + "\n";
}

/// Keeps the cells of the tables that are asked for.
class KeptTable final : public OutputTable {
  public:
    void text(std::string_view cell) override { m_row.emplace_back(cell); }
    void integer(std::int64_t cell) override { m_row.push_back(std::to_string(cell)); }
    void real(double cell) override {
        m_row.emplace_back();
        append_real(cell, RealStyle::shortest, m_row.back());
    }
    void missing() override { m_row.emplace_back(); }
    void end_row() override { rows.push_back(std::move(m_row)), m_row.clear(); }
    std::vector<std::vector<std::string>> rows;

  private:
    std::vector<std::string> m_row;
};

class KeptTables final : public OutputTables {
  public:
    OutputTable& open(std::string_view name, std::vector<Column>, RealStyle) override { return tables[std::string(name)]; }
    std::map<std::string, KeptTable> tables;
};

struct Sources {
    std::vector<std::unique_ptr<TrialSource>> owned;
    std::vector<TrialSource*> given;
};

Sources open_all(const std::vector<std::string>& logs) {
    Sources sources;
    for (const auto& path : logs) {
        sources.owned.push_back(open_trials(path, static_cast<std::uint32_t>(sources.owned.size())));
        sources.given.push_back(sources.owned.back().get());
    }
    return sources;
}

void write_messages(const std::vector<std::string>& logs, const TrialExportOptions& options, Progress& progress) {
    ExportFile file(options.out + "/messages.csv");
    file.write("log,row,time,context,account,step,subject,detail,outcome,spans,price,characters,input,input_sha256,reply_sha256\n");
    for (const auto& path : logs) {
        const auto source = open_trials(path, 0);
        const std::string name = std::filesystem::path(path).filename().string();
        std::vector<Trial> batch;
        while (source->next(batch)) {
            progress.check();
            for (const Trial& trial : batch) {
                const bool is_hidden = options.hashes_texts || (options.withholds_evasions && (trial.step == "probe" || trial.step == "apart"));
                std::string spans;
                for (const auto& span : trial.spans) spans += fmt::format("{}{}-{}", spans.empty() ? "" : " ", span.begin, span.end);
                std::string price;
                append_real(trial.price, RealStyle::shortest, price);
                const auto characters = std::count_if(trial.input.begin(), trial.input.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
                const bool is_account_named = options.pseudonyms == nullptr || trial.account.empty();
                file.write(csv_line({name, std::to_string(trial.row), format_time(trial.time_us), trial.context, is_account_named ? trial.account : options.pseudonyms->of(trial.account),
                                     trial.step, is_hidden && trial.subject == trial.input ? "" : trial.subject, trial.detail, std::string(outcome_name(trial.outcome)), spans, price,
                                     std::to_string(characters), is_hidden ? "" : trial.input, sha256_hex(trial.input), trial.reply_sha256}));
            }
        }
    }
    file.finish();
}

/// The description of the filter as one document: its properties, its contexts, and which of their lists holds which.
void write_model(const std::map<std::string, KeptTable>& tables, const filter::FilterLog& log, const std::string& service, const std::string& folder) {
    using Json = nlohmann::ordered_json;
    Json json = {{"schema_version", 1}, {"service", service}, {"messages", log.book.trials}, {"contexts", Json::array()}, {"properties", Json::array()}, {"lists", Json::array()}};
    for (const auto& [context, inputs] : log.book.contexts()) {
        const auto attributes = log.attributes.find(context);
        json["contexts"].push_back({{"context", context}, {"attributes", attributes == log.attributes.end() ? Json::object() : Json(attributes->second)}});
    }
    const auto number = [](const std::string& cell) { return cell.empty() ? Json() : Json::parse(cell); };
    for (const auto& row : tables.at("model").rows)
        json["properties"].push_back({{"property", row[0]}, {"part", row[1]}, {"answer", row[2]}, {"shown", number(row[3])}, {"tested", number(row[4])}, {"low", number(row[5])}, {"high", number(row[6])}, {"basis", row[7]}});
    for (const auto& row : tables.at("lattice").rows)
        json["lists"].push_back({{"first", row[0]}, {"second", row[1]}, {"relation", row[4]}, {"asked_in_both", number(row[5])}, {"both", number(row[6])}, {"only_first", number(row[7])},
                                 {"only_second", number(row[8])}, {"neither", number(row[9])}, {"first_found_above", number(row[13])}, {"second_found_above", number(row[14])}});
    write_file_atomically(folder + "/model.json", json_text(json) + "\n");
}

/// Whether the public notation, read again, gives the same components: a plus, outer blanks and line feeds are lost in it, an asterisk at an end may be
/// taken for a wildcard, and a line that begins with '#' is a remark.
bool is_publishable(const std::string& notation, const std::vector<std::string>& components) {
    if (std::any_of(components.begin(), components.end(), [](const std::string& component) { return component.starts_with('*') || component.ends_with('*'); })) return false;
    return components_of_public_rule(notation) == components && !notation.starts_with('#') && notation.find_first_of("\n\r") == std::string::npos;
}

const Finding* finding_of(const Findings& findings, std::string_view metric) {
    const auto found = std::find_if(findings.items.begin(), findings.items.end(), [&](const Finding& finding) { return finding.metric == metric; });
    return found == findings.items.end() ? nullptr : &*found;
}

}  // namespace

void export_trials(const std::vector<std::string>& logs, const std::vector<std::string>& labelled_words, const TrialExportOptions& options, Progress& progress) {
    const Instrument& instrument = instrument_named("filter");
    ParameterValues parameters(instrument.description().parameters);
    std::string confidence;
    append_real(options.confidence, RealStyle::shortest, confidence);
    parameters.set("confidence", confidence);
    if (options.withholds_evasions) parameters.set("withhold-evasions", "true");
    KeptTables kept;
    auto sources = open_all(logs);
    InstrumentInputs inputs;
    inputs.trials = sources.given;
    std::vector<std::unique_ptr<LabelledWordSource>> words;
    for (const auto& path : labelled_words) {
        words.push_back(open_labelled_words(path));
        inputs.labels.push_back(words.back().get());
    }
    InstrumentContext context{.scratch = {}, .tables = kept, .progress = progress};
    const Findings findings = instrument.run(inputs, parameters, context);
    auto again = open_all(logs);
    const auto log = filter::read_filter_logs(again.given, options.confidence, progress);

    std::error_code failure;
    std::filesystem::create_directories(options.out, failure);
    if (failure) throw Error(ErrorKind::run, "cannot make the folder: " + failure.message(), "Choose another --out", options.out);
    write_messages(logs, options, progress);

    write_model(kept.tables, log, sources.given.front()->header().service, options.out);

    const Finding* rules = finding_of(findings, "rules");
    UNVEIL_ASSERT(rules != nullptr);
    struct RuleRow {
        std::string certificate;
        std::string canonical;
    };
    std::map<std::pair<std::string, std::string>, RuleRow> rows;   // by rule and context
    std::set<std::string> distinct;
    for (const auto& row : kept.tables["rules"].rows) {
        rows[{row[0], row[1]}] = {row[2], row[6]};
        if (row[2] == "certified" && row[6].empty()) distinct.insert(row[0]);
    }
    ExportFile list(options.out + "/rules.txt");
    std::size_t unpublishable = 0;
    for (const auto& rule : rules->members) {
        if (distinct.count(rule) == 0) continue;
        const bool is_fit = is_publishable(rule, log.subjects.at(rule).components);
        unpublishable += !is_fit;
        if (is_fit) list.write(rule + "\n");
    }
    list.finish();
    if (unpublishable > 0 && options.say)
        options.say(fmt::format("{} rules stand in rules.csv only: the public notation cannot say a plus, outer blanks, a line feed, an asterisk at an end, or a '#' at the beginning", unpublishable));

    std::set<std::string> ordered;
    if (const Finding* finding = finding_of(findings, "rules.ordered")) ordered.insert(finding->members.begin(), finding->members.end());
    std::map<std::pair<std::string, std::string>, std::string> shapes;
    for (const auto& row : kept.tables["shapes"].rows) shapes[{row[0], row[1]}] = row[2];
    std::map<std::string, std::string> topics;
    for (const auto& row : kept.tables["topics"].rows) topics[row[0]] = row[1];
    ExportFile table(options.out + "/rules.csv");
    table.write("rule,context,date,certificate,type,components,topic,canonical,text,source,character\n");
    for (const auto& rule : rules->members) {
        const auto& components = log.subjects.at(rule).components;
        for (const auto& [where, sent] : log.book.contexts()) {
            const auto& answers = log.book.answers(where, log.joined(components, where));
            const auto first = std::find_if(answers.samples.begin(), answers.samples.end(), [](const filter::Sample& sample) { return sample.is_blocked; });
            if (first == answers.samples.end() || log.state_of(components, where, options.confidence) != filter::State::blocked) continue;
            const auto shape = shapes.find({rule, where});
            const std::string type = components.size() == 1 ? (shape == shapes.end() || shape->second == "anywhere" ? "word" : shape->second)
                                                            : (ordered.count(rule) > 0 ? "combination in this order" : "combination");
            // Where a part of it is blocked too, that part is the rule.
            const RuleRow& row = rows[{rule, where}];
            if (row.certificate == "not minimal") continue;
            const auto& origin = log.subjects.at(rule).origin;
            table.write(csv_line({rule, where, format_date(first->time_us), row.certificate, type, std::to_string(components.size()), topics[rule], row.canonical, origin ? origin->text : "",
                                  origin ? origin->source : "", origin ? std::to_string(origin->character) : ""}));
        }
    }
    table.finish();
}

}  // namespace unveil
