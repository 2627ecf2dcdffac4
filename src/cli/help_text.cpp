#include "cli/help_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "case/run.hpp"
#include "cli/global.hpp"
#include "core/error.hpp"
#include "core/output_table.hpp"
#include "core/text.hpp"

namespace unveil::cli {
namespace {

constexpr std::size_t option_column_max = 30;
constexpr std::string_view tagline =
    "unveil turns claims about how platforms and networks are controlled into evidence that anyone can "
    "re-run.";

struct ExitCode {
    std::string_view code;
    std::string_view meaning;
};
constexpr ExitCode exit_codes[] = {
    {"0", "done (also when the reader of a pipe, such as head, has left)"},
    {"1", "the evidence or the run failed; the message says where and what to do"},
    {"2", "the command line or a setting is wrong"},
    {"3", "done, and a --fail-if condition held"},
    {"130", "interrupted; the same command goes on or starts anew"},
};

std::string default_metavar(const Parameter& option) {
    if (!option.metavar.empty()) return option.metavar;
    switch (option.type) {
        case ParameterType::integer:
            return "N";
        case ParameterType::real:
            return "NUMBER";
        case ParameterType::duration:
            return "DURATION";
        case ParameterType::bytes:
            return "SIZE";
        case ParameterType::choice:
            return "CHOICE";
        case ParameterType::text:
            return "TEXT";
        case ParameterType::flag:
            break;
    }
    return {};
}

std::string bound_text(const Parameter& option, double value) {
    if (option.type == ParameterType::duration)
        return format_duration(static_cast<std::int64_t>(value * 1e6));
    std::string text;
    append_real(value, RealStyle::shortest, text);
    return text;
}

/// "default 60s; at least 0s; a list: a,b,c"
std::string option_facts(const Parameter& option) {
    std::vector<std::string> facts;
    if (!option.choices.empty()) facts.push_back(fmt::format("one of {}", fmt::join(option.choices, ", ")));
    if (option.is_list) facts.push_back("several: a,b or repeated");
    if (!option.default_text.empty() && option.type != ParameterType::flag)
        facts.push_back("default " + option.default_text);
    if (option.type == ParameterType::flag && option.default_text == "true")
        facts.push_back("on unless --no-" + option.name);
    if (option.minimum && option.maximum)
        facts.push_back(fmt::format("{} to {}", bound_text(option, *option.minimum),
                                    bound_text(option, *option.maximum)));
    else if (option.minimum)
        facts.push_back("at least " + bound_text(option, *option.minimum));
    else if (option.maximum)
        facts.push_back("at most " + bound_text(option, *option.maximum));
    return fmt::format("{}", fmt::join(facts, "; "));
}

std::string option_text(const Parameter& option) {
    const auto facts = option_facts(option);
    return facts.empty() ? option.help : fmt::format("{} ({})", option.help, facts);
}

std::vector<HelpRow> option_rows(std::span<const Parameter> options) {
    std::vector<HelpRow> rows;
    for (const auto& option : options)
        if (!option.is_hidden) rows.push_back({option_spelling(option), option_text(option)});
    return rows;
}

std::vector<HelpRow> exit_code_rows() {
    std::vector<HelpRow> rows;
    for (const auto& [code, meaning] : exit_codes) rows.push_back({std::string(code), std::string(meaning)});
    return rows;
}

std::string positional_spelling(const Positional& positional) {
    auto text = positional.name;
    if (positional.count_max > 1) text += "...";
    if (positional.count_min == 0) text = "[" + text + "]";
    return text;
}

std::vector<HelpRow> positional_rows(const CommandDescription& command) {
    std::vector<HelpRow> rows;
    for (const auto& positional : command.positionals)
        rows.push_back({positional.name + (positional.count_max > 1 ? "..." : ""), positional.help});
    return rows;
}

std::vector<HelpRow> command_rows(std::string_view first_word) {
    std::vector<HelpRow> rows;
    for (const auto& command : commands()) {
        const auto description = command->description();
        if (first_word.empty() || description.name.starts_with(std::string(first_word) + " "))
            rows.push_back({description.name, description.summary});
    }
    return rows;
}

std::string roff(std::string_view text) {
    std::string out;
    bool is_line_start = true;
    for (const char c : text) {
        if (is_line_start && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
        is_line_start = c == '\n';
    }
    return out;
}

std::string roff_title(std::string name) {
    std::replace(name.begin(), name.end(), ' ', '-');
    std::string upper = name == "unveil" ? name : "unveil-" + name;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return fmt::format(".TH {} 1 \"\" \"unveil {}\" \"unveil\"\n", upper, unveil_version());
}

std::string roff_rows(const std::vector<HelpRow>& rows) {
    std::string out;
    for (const auto& row : rows) out += fmt::format(".TP\n.B {}\n{}\n", roff(row.left), roff(row.right));
    return out;
}

std::string roff_paragraphs(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto paragraph = trimmed(text.substr(0, end));
        if (!paragraph.empty()) out += ".PP\n" + roff(paragraph) + "\n";
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return out;
}

std::string roff_examples(const std::vector<std::string>& examples) {
    std::string out;
    for (const auto& example : examples) out += ".PP\n.nf\n.RS\n" + roff(example) + "\n.RE\n.fi\n";
    return out;
}

}  // namespace

std::string help_rows(const std::vector<HelpRow>& rows, std::size_t width) {
    std::size_t column = 0;
    for (const auto& row : rows)
        if (row.left.size() <= option_column_max) column = std::max(column, row.left.size());
    column += 4;
    std::string out;
    for (const auto& row : rows) {
        auto text = wrapped(row.right, column, width);
        if (row.left.size() + 4 <= column)
            text.replace(0, row.left.size() + 2, "  " + row.left);
        else
            out += "  " + row.left + "\n";
        out += text;
    }
    return out;
}

std::string parameters_help(std::span<const Parameter> options, std::size_t width) {
    return help_rows(option_rows(options), width);
}

std::string option_spelling(const Parameter& option) {
    const auto metavar = default_metavar(option);
    std::string text = "--" + std::string(option.name);
    if (option.type == ParameterType::flag && option.default_text == "true") text = "--no-" + option.name;
    if (const auto short_form = short_option(option.name); !short_form.empty())
        text = std::string(short_form) + ", " + text;
    return metavar.empty() ? text : text + " " + metavar;
}

std::string usage_line(const CommandDescription& command) {
    std::string line = "unveil " + command.name;
    for (const auto& positional : command.positionals) line += " " + positional_spelling(positional);
    return line + " [options]";
}

const Command* find_command(std::string_view name) {
    for (const auto& command : commands())
        if (command->description().name == name) return command.get();
    return nullptr;
}

bool is_group(std::string_view word) {
    return !word.empty() && !command_rows(word).empty();
}

void fail_unknown_command(std::string_view name) {
    std::vector<std::string> names;
    std::set<std::string> groups;
    for (const auto& command : commands()) {
        names.push_back(command->description().name);
        if (const auto blank = names.back().find(' '); blank != std::string::npos)
            groups.insert(names.back().substr(0, blank));
    }
    names.insert(names.end(), groups.begin(), groups.end());
    const auto near = nearest_word(name, names);
    throw Error(
        ErrorKind::usage, fmt::format("no command is called '{}'", printable(name, 80)),
        near.empty() ? "'unveil --help' lists the commands" : fmt::format("Did you mean 'unveil {}'?", near));
}

std::string overview_help(std::size_t width) {
    std::string out = wrapped(tagline, 0, width);
    out += "\nusage: unveil COMMAND [arguments] [options]\n\ncommands:\n";
    out += help_rows(command_rows({}), width);
    out += "\noptions of every command:\n" + help_rows(option_rows(global_options()), width);
    out +=
        "\nFirst steps: 'unveil demo' shows everything on made-up posts; 'unveil inspect FILE' says what a "
        "file is.\n"
        "'unveil COMMAND --help' explains one command.\n";
    return out;
}

std::string group_help(std::string_view word, std::size_t width) {
    return fmt::format("usage: unveil {} COMMAND [arguments] [options]\n\ncommands:\n{}", word,
                       help_rows(command_rows(word), width)) +
           fmt::format("\n'unveil {} COMMAND --help' explains one command.\n", word);
}

std::string command_help(const CommandDescription& command, std::size_t width) {
    std::string out = "usage: " + usage_line(command) + "\n\n" + wrapped(command.summary, 0, width);
    if (!command.details.empty()) out += "\n" + wrapped(command.details, 0, width);
    if (!command.positionals.empty()) out += "\narguments:\n" + help_rows(positional_rows(command), width);
    if (const auto rows = option_rows(command.options); !rows.empty())
        out += "\noptions:\n" + help_rows(rows, width);
    out += "\noptions of every command:\n" + help_rows(option_rows(global_options()), width);
    if (!command.examples.empty()) {
        out += "\nexamples:\n";
        for (const auto& example : command.examples) out += "  " + example + "\n";
    }
    out += "\nexit codes:\n" + help_rows(exit_code_rows(), width);
    for (const auto& line : command.diagnostics) out += wrapped(line, 2, width);
    if (!command.memory.empty()) out += "\nmemory:\n" + wrapped(command.memory, 2, width);
    return out;
}

std::string overview_man() {
    return roff_title("unveil") +
           ".SH NAME\nunveil \\- claims about platforms and networks, turned into evidence\n" +
           ".SH SYNOPSIS\n.B unveil\n\\fICOMMAND\\fR [arguments] [options]\n.SH DESCRIPTION\n" +
           roff(tagline) + "\n" + ".SH COMMANDS\n" + roff_rows(command_rows({})) + ".SH OPTIONS\n" +
           roff_rows(option_rows(global_options())) + ".SH DIAGNOSTICS\n" + roff_rows(exit_code_rows());
}

std::string command_man(const CommandDescription& command) {
    auto page_name = "unveil-" + command.name;
    std::replace(page_name.begin(), page_name.end(), ' ', '-');
    std::string out = roff_title(command.name);
    out += ".SH NAME\n" + roff(page_name) + " \\- " + roff(command.summary) + "\n";
    out += ".SH SYNOPSIS\n.B " + roff(usage_line(command)) + "\n";
    out += ".SH DESCRIPTION\n" + roff_paragraphs(command.details.empty() ? command.summary : command.details);
    if (!command.positionals.empty()) out += ".SH ARGUMENTS\n" + roff_rows(positional_rows(command));
    out +=
        ".SH OPTIONS\n" + roff_rows(option_rows(command.options)) + roff_rows(option_rows(global_options()));
    if (!command.examples.empty()) out += ".SH EXAMPLES\n" + roff_examples(command.examples);
    out += ".SH DIAGNOSTICS\n" + roff_rows(exit_code_rows());
    for (const auto& line : command.diagnostics) out += roff_paragraphs(line);
    if (!command.memory.empty()) out += ".SH MEMORY USAGE\n" + roff_paragraphs(command.memory);
    return out;
}

}  // namespace unveil::cli
