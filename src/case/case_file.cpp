#include "case/case_file.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "core/error.hpp"
#include "core/output_table.hpp"
#include "core/text.hpp"
#include "evidence/open.hpp"

namespace unveil {
namespace {

constexpr std::size_t text_bytes_max = 10'000;
constexpr std::size_t id_bytes_max = 64;
constexpr std::size_t list_items_max = 1000;

/// One table of the file; knows its line and refuses keys that it does not know.
class Section {
  public:
    Section(const toml::table& table, std::string name, const std::string& file,
            std::size_t fallback_line = 0)
        : m_table(table), m_name(std::move(name)), m_file(file) {
        m_line = table.source().begin.line ? table.source().begin.line : fallback_line;
    }

    std::string where() const { return fmt::format("{}:{}", m_file, m_line); }
    std::string where(const toml::node& node) const {
        const auto line = node.source().begin.line;
        return fmt::format("{}:{}", m_file, line ? line : m_line);
    }
    std::string where(const toml::key& key) const {
        const auto line = key.source().begin.line;
        return fmt::format("{}:{}", m_file, line ? line : m_line);
    }

    void allow(const std::vector<std::string>& keys) const {
        for (const auto& [key, value] : m_table) {
            if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
            const auto near = nearest_word(key.str(), keys);
            throw Error(ErrorKind::input, fmt::format("{} has no key '{}'", m_name, printable(key.str(), 80)),
                        near.empty() ? fmt::format("Known are: {}", fmt::join(keys, ", "))
                                     : fmt::format("Did you mean '{}'?", near),
                        where(key));
        }
    }

    const toml::node* node(std::string_view key) const { return m_table.get(key); }

    std::string text(std::string_view key) const {
        const toml::node* found = node(key);
        if (!found) return {};
        const auto value = found->value_exact<std::string>();
        if (!value) throw wanted(*found, key, "text in quotes");
        if (value->size() > text_bytes_max)
            throw wanted(*found, key, fmt::format("at most {} bytes", text_bytes_max));
        return *value;
    }

    std::string needed_text(std::string_view key, std::string_view example) const {
        const std::string found = text(key);
        if (!trimmed(found).empty()) return found;
        const toml::node* there = node(key);
        throw Error(ErrorKind::input,
                    fmt::format("{} {} '{}'", m_name, there ? "has an empty" : "lacks", key),
                    fmt::format("Add {} = {}", key, example), there ? where(*there) : where());
    }

    std::string id() const {
        const std::string id = needed_text("id", "\"a-short-name\"");
        const bool is_plain = std::all_of(id.begin(), id.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                   c == '-' || c == '.';
        });
        if (!is_plain || id.size() > id_bytes_max)
            throw wanted(*node("id"), "id",
                         fmt::format("up to {} of the characters A-Z a-z 0-9 _ . -", id_bytes_max));
        return id;
    }

    /// A list of texts; one text alone is a list of one.
    std::vector<std::string> texts(std::string_view key) const {
        const toml::node* found = node(key);
        if (!found) return {};
        std::vector<std::string> items;
        if (found->is_string()) return {text(key)};
        const auto* list = found->as_array();
        if (!list || list->size() > list_items_max) throw wanted(*found, key, "a list of texts");
        for (const auto& item : *list) {
            const auto value = item.value_exact<std::string>();
            if (!value) throw wanted(item, key, "a list of texts");
            items.push_back(*value);
        }
        return items;
    }

    Error wanted(const toml::node& found, std::string_view key, std::string_view what) const {
        return Error(ErrorKind::input, fmt::format("'{}' of {} is not right", key, m_name),
                     fmt::format("Give {}", what), where(found));
    }

    const toml::table& table() const { return m_table; }
    const std::string& name() const { return m_name; }

  private:
    const toml::table& m_table;
    std::string m_name;
    const std::string& m_file;
    std::size_t m_line = 0;
};

[[noreturn]] void rethrow_as_input(const Error& error, const std::string& where) {
    throw Error(ErrorKind::input, error.message(), error.hint(), where);
}

std::string parameter_text(const Section& section, std::string_view key, const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
    if (const auto integer = node.value_exact<std::int64_t>()) return std::to_string(*integer);
    if (const auto real = node.value_exact<double>(); real && std::isfinite(*real)) {
        std::string text;
        append_real(*real, RealStyle::shortest, text);
        return text;
    }
    throw section.wanted(node, key, "text, a number, true, false, or a list of these");
}

std::map<std::string, std::string> read_columns(const Section& section) {
    const toml::node* found = section.node("columns");
    if (!found) return {};
    std::string spelled;
    if (found->is_string()) {
        spelled = section.text("columns");
    } else {
        const auto* table = found->as_table();
        if (!table)
            throw section.wanted(*found, "columns",
                                 "columns = { account = \"user_id\", time = \"created_at\" }");
        std::map<std::string, std::string> columns;
        std::vector<std::string> fields;
        for (const auto& field : post_field_names()) fields.emplace_back(field.name);
        for (const auto& [key, value] : *table) {
            const auto column = value.value_exact<std::string>();
            if (!column || column->empty())
                throw section.wanted(value, "columns", "the name of a column in quotes");
            if (std::find(fields.begin(), fields.end(), key.str()) == fields.end()) {
                const auto near = nearest_word(key.str(), fields);
                throw Error(ErrorKind::input, fmt::format("there is no field '{}'", printable(key.str(), 80)),
                            near.empty() ? fmt::format("Known are: {}", fmt::join(fields, ", "))
                                         : fmt::format("Did you mean '{}'?", near),
                            section.where(key));
            }
            columns[std::string(key.str())] = *column;
        }
        return columns;
    }
    try {
        return parse_columns_option(spelled);
    } catch (const Error& error) {
        rethrow_as_input(error, section.where(*found));
    }
}

CaseEvidence read_evidence(const Section& section) {
    section.allow({"id", "path", "format", "sha256", "obtained", "columns"});
    CaseEvidence evidence;
    evidence.where = section.where();
    evidence.id = section.id();
    evidence.path = section.needed_text("path", "\"posts.csv\"");
    if (std::filesystem::path(evidence.path).is_absolute())
        throw Error(
            ErrorKind::input,
            fmt::format("the path '{}' begins at the root of this machine", printable(evidence.path, 200)),
            "Write it relative to the case file, so that the folder can be moved and sent",
            section.where(*section.node("path")));
    evidence.format = section.text("format");
    evidence.sha256 = section.text("sha256");
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (section.node("sha256") && (evidence.sha256.size() != 64 ||
                                   !std::all_of(evidence.sha256.begin(), evidence.sha256.end(), is_hex)))
        throw section.wanted(*section.node("sha256"), "sha256", "64 digits from 0-9 a-f");
    evidence.obtained = section.text("obtained");
    evidence.columns = read_columns(section);
    if (!evidence.format.empty()) {
        std::vector<std::string> formats;
        for (const auto& format : evidence_formats()) formats.emplace_back(format.name);
        if (std::find(formats.begin(), formats.end(), evidence.format) == formats.end()) {
            const auto near = nearest_word(evidence.format, formats);
            throw Error(ErrorKind::input,
                        fmt::format("there is no format '{}'", printable(evidence.format, 80)),
                        near.empty() ? fmt::format("Known are: {}", fmt::join(formats, ", "))
                                     : fmt::format("Did you mean '{}'?", near),
                        section.where(*section.node("format")));
        }
    }
    return evidence;
}

ClaimKind read_kind(const Section& section) {
    const toml::node* found = section.node("kind");
    if (!found) return ClaimKind::measured;
    const std::string kind = section.text("kind");
    for (const auto known : {ClaimKind::measured, ClaimKind::only, ClaimKind::never})
        if (claim_kind_name(known) == kind) return known;
    throw section.wanted(*found, "kind", "one of measured, only, never");
}

std::vector<std::size_t> read_on(const Section& section, const std::vector<CaseEvidence>& evidence) {
    std::vector<std::size_t> positions;
    const toml::node* found = section.node("on");
    if (!found) {
        for (std::size_t i = 0; i < evidence.size(); ++i) positions.push_back(i);
        return positions;
    }
    std::vector<std::string> ids;
    for (const auto& entry : evidence) ids.push_back(entry.id);
    for (const auto& id : section.texts("on")) {
        const auto known = std::find(ids.begin(), ids.end(), id);
        if (known == ids.end()) {
            const auto near = nearest_word(id, ids);
            throw Error(ErrorKind::input,
                        fmt::format("{} rests on '{}', which is no evidence of this case", section.name(),
                                    printable(id, 80)),
                        near.empty() ? fmt::format("Known are: {}", fmt::join(ids, ", "))
                                     : fmt::format("Did you mean '{}'?", near),
                        section.where(*found));
        }
        positions.push_back(static_cast<std::size_t>(known - ids.begin()));
    }
    if (positions.empty())
        throw Error(ErrorKind::input, fmt::format("{} rests on no evidence", section.name()),
                    "Name evidence ids, or leave 'on' out to use all", section.where(*found));
    // The order of the case file is the order of every run, so that claims can share runs.
    std::sort(positions.begin(), positions.end());
    if (std::adjacent_find(positions.begin(), positions.end()) != positions.end())
        throw Error(ErrorKind::input, fmt::format("{} names the same evidence twice", section.name()),
                    "Name each once", section.where(*found));
    return positions;
}

void check_metric(const Operand& operand, const CaseClaim& claim, const std::string& where) {
    const auto& metrics = claim.instrument->description().metrics;
    if (!operand.is_metric() || is_described(operand.metric, metrics)) return;
    const auto near = nearest_metric(operand.metric, metrics);
    const auto& name = claim.instrument->description().name;
    throw Error(ErrorKind::input, fmt::format("'{}' has no metric '{}'", name, operand.metric),
                near.empty() ? fmt::format("'unveil describe {}' lists its metrics", name)
                             : fmt::format("Did you mean '{}'?", near),
                where);
}

std::vector<Comparison> read_holds(const Section& section, const CaseClaim& claim) {
    const toml::node* found = section.node("holds");
    const toml::array* list = found ? found->as_array() : nullptr;
    if (!list || list->empty() || list->size() > case_items_max / 10)
        throw Error(ErrorKind::input,
                    fmt::format("{} {}", section.name(),
                                !found          ? "lacks 'holds'"
                                : !list         ? "has a 'holds' that is no list"
                                : list->empty() ? "has an empty 'holds': nothing is asserted"
                                                : "has too long a 'holds'"),
                    "Add holds = [\"METRIC >= NUMBER\"]", found ? section.where(*found) : section.where());
    std::vector<Comparison> holds;
    for (const auto& item : *list) {
        const auto text = item.value_exact<std::string>();
        if (!text) throw section.wanted(item, "holds", "comparisons in quotes, such as \"METRIC >= NUMBER\"");
        auto comparison = parse_comparison(*text);
        if (!comparison)
            throw Error(ErrorKind::input,
                        fmt::format("'{}' is not a comparison: {} (column {} of it)", printable(*text, 120),
                                    comparison.error().message, comparison.error().column),
                        "Write METRIC >= NUMBER or METRIC > METRIC", section.where(item));
        check_metric(comparison->left, claim, section.where(item));
        check_metric(comparison->right, claim, section.where(item));
        holds.push_back(std::move(*comparison));
    }
    return holds;
}

const Instrument& read_test(const Section& section, const InstrumentFinder& find_instrument) {
    const std::string test = section.needed_text("test", "\"coordination\"");
    try {
        return find_instrument(test);
    } catch (const Error& error) {
        rethrow_as_input(error, section.where(*section.node("test")));
    }
}

CaseClaim read_claim(const Section& section, const std::vector<CaseEvidence>& evidence,
                     const InstrumentFinder& find_instrument) {
    section.allow({"id", "text", "test", "on", "with", "holds", "kind"});
    const Instrument& instrument = read_test(section, find_instrument);
    CaseClaim claim{section.id(),
                    section.needed_text("text", "\"what is asserted, in plain words\""),
                    read_kind(section),
                    &instrument,
                    read_on(section, evidence),
                    {},
                    ParameterValues(instrument.description().parameters),
                    {},
                    section.where()};
    if (const toml::node* with = section.node("with")) {
        const auto* table = with->as_table();
        if (!table) throw section.wanted(*with, "with", "with = { window = \"60s\" }");
        for (const auto& [key, value] : *table) {
            std::vector<std::string> texts;
            if (const auto* list = value.as_array()) {
                if (list->empty() || list->size() > list_items_max)
                    throw section.wanted(value, key.str(),
                                         fmt::format("a list of 1 to {} values", list_items_max));
                for (const auto& item : *list) texts.push_back(parameter_text(section, key.str(), item));
            } else {
                texts.push_back(parameter_text(section, key.str(), value));
            }
            try {
                claim.parameters.set_list(key.str(), texts);
            } catch (const Error& error) {
                rethrow_as_input(error, section.where(key));
            }
            claim.with.emplace_back(key.str(), std::move(texts));
        }
    }
    claim.holds = read_holds(section, claim);
    return claim;
}

/// The entries of [[key]]; `one` names a single entry in messages.
std::vector<Section> sections_of(const toml::table& root, const std::string& key, const std::string& file) {
    const toml::node* found = root.get(key);
    const toml::array* list = found ? found->as_array() : nullptr;
    if (!list || list->empty() || !list->is_array_of_tables())
        throw Error(ErrorKind::input, fmt::format("the case has no [[{}]]", key),
                    fmt::format("Add a section [[{}]]; docs/case_file.md shows one", key),
                    found && found->source().begin.line
                        ? fmt::format("{}:{}", file, found->source().begin.line)
                        : file);
    if (list->size() > case_items_max)
        throw Error(ErrorKind::input,
                    fmt::format("the case has {} [[{}]], more than {}", list->size(), key, case_items_max),
                    "Split the case", file);
    std::vector<Section> sections;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto& table = *list->get_as<toml::table>(i);
        const auto* id = table.get_as<std::string>("id");
        sections.emplace_back(
            table,
            id ? fmt::format("{} '{}'", key, printable(id->get(), 80)) : fmt::format("{} {}", key, i + 1),
            file);
    }
    return sections;
}

template <typename Items>
void check_ids(const Items& items, std::string_view what) {
    std::map<std::string, std::string> seen;
    for (const auto& item : items) {
        const auto [first, is_new] = seen.emplace(item.id, item.where);
        if (!is_new)
            throw Error(ErrorKind::input,
                        fmt::format("{} '{}' is there twice, first at {}", what, item.id, first->second),
                        "Give each its own id", item.where);
    }
}

}  // namespace

std::string_view claim_kind_name(ClaimKind kind) {
    switch (kind) {
        case ClaimKind::measured:
            return "measured";
        case ClaimKind::only:
            return "only";
        case ClaimKind::never:
            return "never";
    }
    UNVEIL_ASSERT(false);
    return {};
}

CaseFile parse_case(std::string text, const std::string& name, const InstrumentFinder& find_instrument) {
    if (text.size() > case_bytes_max)
        throw Error(ErrorKind::input, fmt::format("a case file may have {} bytes", case_bytes_max),
                    "Keep evidence in files of its own", name);
    const toml::parse_result parsed = toml::parse(std::string_view(text), std::string_view(name));
    if (!parsed) {
        const auto& failure = parsed.error();
        throw Error(
            ErrorKind::input, fmt::format("this is not TOML: {}", printable(failure.description(), 300)),
            "See docs/case_file.md for an example", fmt::format("{}:{}", name, failure.source().begin.line));
    }
    const toml::table& root = parsed.table();
    Section(root, "the case file", name, 1).allow({"case", "evidence", "claim"});

    CaseFile result;
    const toml::node* head = root.get("case");
    if (!head || !head->is_table())
        throw Error(ErrorKind::input, "the section [case] is missing", "Add [case] with title = \"...\"",
                    name);
    const Section section(*head->as_table(), "[case]", name, 1);
    section.allow({"title", "summary", "seed"});
    result.title = section.needed_text("title", "\"what the case is about\"");
    result.summary = section.text("summary");
    if (const toml::node* seed = section.node("seed")) {
        const auto value = seed->value_exact<std::int64_t>();
        if (!value || *value < 0) throw section.wanted(*seed, "seed", "a whole number from 0");
        result.seed = static_cast<std::uint64_t>(*value);
    }

    for (const auto& entry : sections_of(root, "evidence", name))
        result.evidence.push_back(read_evidence(entry));
    check_ids(result.evidence, "evidence");
    for (const auto& entry : sections_of(root, "claim", name))
        result.claims.push_back(read_claim(entry, result.evidence, find_instrument));
    check_ids(result.claims, "claim");
    result.text = std::move(text);
    return result;
}

CaseFile read_case(const std::string& path, const InstrumentFinder& find_instrument) {
    std::error_code failure;
    const auto size = std::filesystem::file_size(path, failure);
    if (failure)
        throw Error(ErrorKind::input, "cannot read the case file: " + failure.message(),
                    "Give the path of a case.toml", path);
    if (size > case_bytes_max)
        throw Error(ErrorKind::input, fmt::format("{} bytes are too many for a case file", size),
                    "Give the path of a case.toml", path);
    std::ifstream file(path, std::ios::binary);
    std::string text(size, '\0');
    if (!file.read(text.data(), static_cast<std::streamsize>(size)))
        throw Error(ErrorKind::input, "cannot read the case file", "Give the path of a case.toml", path);
    const auto nul = text.find('\0');
    if (nul != std::string::npos)
        throw Error(ErrorKind::input, "the case file holds NUL bytes; it is not text",
                    "Give the path of a case.toml", path);
    return parse_case(std::move(text), path, find_instrument);
}

}  // namespace unveil
