// The only file that knows the option library. It collects texts; what they mean and whether they are right
// is decided by ParameterValues, so that the command line and case.toml fail in the same words.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <thread>

#include "case/run.hpp"
#include "cli/command.hpp"
#include "cli/global.hpp"
#include "cli/help_text.hpp"
#include "cli/progress_terminal.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil::cli {
namespace {

/// One command line, or the part of it before the command's name.
class Line {
  public:
    Line(std::span<const Parameter> options, std::string command, bool stops_at_word)
        : m_command(std::move(command)),
          m_stops_at_word(stops_at_word),
          m_parameters(options.begin(), options.end()) {
        m_app.set_help_flag();
        m_app.allow_extras();
        m_app.prefix_command(stops_at_word);
        for (const auto& parameter : m_parameters) bind(parameter);
    }

    void parse(std::vector<std::string> words) {
        // What follows "--" is never an option.
        const auto marker = m_stops_at_word ? words.end() : std::find(words.begin(), words.end(), "--");
        std::vector<std::string> plain(marker == words.end() ? marker : marker + 1, words.end());
        words.erase(marker, words.end());
        std::reverse(words.begin(), words.end());
        try {
            m_app.parse(std::move(words));
        } catch (const CLI::ParseError& failure) {
            const std::string said = failure.what();
            const auto name = said.substr(0, said.find(':'));
            if (failure.get_name() == "ArgumentMismatch" && name.starts_with("-"))
                throw Error(ErrorKind::usage, fmt::format("'{}' needs a value", name), help_hint());
            throw Error(ErrorKind::usage, said, help_hint());
        }
        bool takes_all = false;
        for (auto& word : m_app.remaining()) {
            takes_all = takes_all || (m_stops_at_word && !is_option(word));
            (!takes_all && is_option(word) ? m_unknown : m_words).push_back(std::move(word));
        }
        m_words.insert(m_words.end(), plain.begin(), plain.end());
    }

    /// Puts what was typed into `values`, for the options that these know.
    void store(ParameterValues& values) const {
        for (std::size_t i = 0; i < m_parameters.size(); ++i) {
            const auto& name = m_parameters[i].name;
            auto texts = m_options[i]->results();
            if (texts.empty() || !values.knows(name)) continue;
            for (const auto& text : texts)
                if (text.starts_with("--") && knows(text))
                    throw Error(ErrorKind::usage,
                                fmt::format("'--{}' needs a value, not the option '{}'", name, text),
                                help_hint());
            // A flag may be repeated ("-vv"); the last one counts.
            if (m_parameters[i].type == ParameterType::flag) texts = {texts.back()};
            values.set_list(name, texts, "--" + name);
        }
    }

    std::size_t count(std::string_view name) const {
        for (std::size_t i = 0; i < m_parameters.size(); ++i)
            if (m_parameters[i].name == name) return m_options[i]->results().size();
        return 0;
    }

    /// What is no option, in order.
    const std::vector<std::string>& words() const { return m_words; }

    void check_no_unknown_option() const {
        if (m_unknown.empty()) return;
        std::vector<std::string> known;
        for (const auto& parameter : m_parameters) {
            if (parameter.is_hidden) continue;
            known.push_back("--" + parameter.name);
            if (parameter.type == ParameterType::flag) known.push_back("--no-" + parameter.name);
        }
        const auto name = m_unknown.front().substr(0, m_unknown.front().find('='));
        const auto near = nearest_word(name, known);
        throw Error(ErrorKind::usage, fmt::format("unknown option '{}'", printable(name, 80)),
                    near.empty() ? help_hint() : fmt::format("Did you mean '{}'?", near));
    }

  private:
    void bind(const Parameter& parameter) {
        std::string names = "--" + parameter.name;
        if (const auto short_form = short_option(parameter.name); !short_form.empty())
            names = std::string(short_form) + "," + names;
        if (parameter.type == ParameterType::flag) {
            m_options.push_back(m_app.add_flag(names + ",!--no-" + parameter.name));
        } else {
            m_options.push_back(m_app.add_option(names));
            m_options.back()->type_size(1)->expected(1)->allow_extra_args(false);
        }
        m_options.back()->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }

    static bool is_option(std::string_view word) { return word.size() > 1 && word.starts_with('-'); }

    bool knows(std::string_view word) const {
        return std::any_of(m_parameters.begin(), m_parameters.end(),
                           [&](const auto& parameter) { return word.substr(2) == parameter.name; });
    }

    std::string help_hint() const {
        return fmt::format("'unveil{}{} --help' lists the options", m_command.empty() ? "" : " ", m_command);
    }

    CLI::App m_app;
    std::string m_command;
    bool m_stops_at_word;
    std::vector<Parameter> m_parameters;
    std::vector<CLI::Option*> m_options;  // beside m_parameters
    std::vector<std::string> m_words;
    std::vector<std::string> m_unknown;
};

/// Gives each declared positional its words: as many as it may take while those after it get what they need.
std::vector<std::vector<std::string>> distribute(const CommandDescription& command,
                                                 const std::vector<std::string>& words) {
    std::size_t needed = 0;
    for (const auto& positional : command.positionals) needed += positional.count_min;
    std::vector<std::vector<std::string>> lists;
    std::size_t next = 0;
    for (const auto& positional : command.positionals) {
        needed -= positional.count_min;
        const auto left = words.size() - next;
        if (left < positional.count_min)
            throw Error(ErrorKind::usage, fmt::format("{} is missing", positional.name),
                        fmt::format("Usage: {}", usage_line(command)));
        const auto taken =
            std::min(positional.count_max, std::max(positional.count_min, left > needed ? left - needed : 0));
        lists.emplace_back(words.begin() + static_cast<std::ptrdiff_t>(next),
                           words.begin() + static_cast<std::ptrdiff_t>(next + taken));
        next += taken;
    }
    if (next < words.size())
        throw Error(ErrorKind::usage, fmt::format("unexpected argument '{}'", printable(words[next], 80)),
                    fmt::format("Usage: {}", usage_line(command)));
    return lists;
}

bool is_color_wanted(const std::string& choice, bool is_terminal) {
    if (choice != "auto") return choice == "always";
    const char* no_color = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return is_terminal && (no_color == nullptr || *no_color == '\0') &&
           (terminal == nullptr || std::string_view(terminal) != "dumb");
}

/// The longest name of a command that the words begin with; empty when there is none.
std::string command_name(const std::vector<std::string>& words) {
    if (words.size() >= 2)
        if (auto two = words[0] + " " + words[1]; find_command(two) != nullptr) return two;
    return find_command(words[0]) != nullptr ? words[0] : std::string();
}

/// Takes the words of the command's name off the front.
std::string take_command_name(std::vector<std::string>& words) {
    const auto name = command_name(words);
    if (!name.empty())
        words.erase(words.begin(), words.begin() + (name.find(' ') == std::string::npos ? 1 : 2));
    return name;
}

}  // namespace

int run_words(std::vector<std::string> words, const Global& global) {
    const auto name = take_command_name(words);
    UNVEIL_ASSERT(!name.empty());
    const Command& command = *find_command(name);
    const auto description = command.description();
    Line line(description.options, name, /*stops_at_word=*/false);
    line.parse(std::move(words));
    line.check_no_unknown_option();
    ParameterValues values(description.options);
    line.store(values);
    return command.run({global, values, distribute(description, line.words())});
}

int run_command_line(int argc, char** argv, TerminalProgress& progress) {
    std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    ParameterValues global_values(global_options());

    Line before(global_options(), {}, /*stops_at_word=*/true);
    before.parse(words);
    before.store(global_values);
    words = before.words();
    before.check_no_unknown_option();
    if (global_values.flag("version")) {
        fmt::print("unveil {} ({})\n", unveil_version(), unveil_commit());
        return 0;
    }
    if (words.empty()) {
        const bool is_asked_for = global_values.flag("help");
        fmt::print(is_asked_for ? stdout : stderr, "{}", overview_help(text_width()));
        return is_asked_for ? 0 : 2;
    }

    const auto name = take_command_name(words);
    if (name.empty()) {
        if (!is_group(words[0])) fail_unknown_command(words[0]);
        const bool is_help =
            global_values.flag("help") || (words.size() > 1 && (words[1] == "--help" || words[1] == "-h"));
        if (words.size() > 1 && !words[1].starts_with("-")) fail_unknown_command(words[0] + " " + words[1]);
        fmt::print(is_help ? stdout : stderr, "{}", group_help(words[0], text_width()));
        return is_help ? 0 : 2;
    }
    const Command& command = *find_command(name);
    const auto description = command.description();

    std::vector<Parameter> options = description.options;
    options.insert(options.end(), global_options().begin(), global_options().end());
    Line line(options, name, /*stops_at_word=*/false);
    line.parse(words);
    ParameterValues values(description.options);
    line.store(global_values);
    if (global_values.flag("help")) {
        fmt::print("{}", command_help(description, text_width()));
        return 0;
    }
    line.check_no_unknown_option();
    line.store(values);

    Global global;
    global.json = global_values.flag("json");
    global.quiet = global_values.flag("quiet");
    global.verbose = static_cast<int>(before.count("verbose") + line.count("verbose"));
    global.threads = global_values.has_value("threads")
                         ? static_cast<unsigned>(global_values.integer("threads"))
                         : std::max(1u, std::thread::hardware_concurrency());
    global.is_terminal = isatty(STDOUT_FILENO) != 0;
    global.use_color = is_color_wanted(global_values.text("color"), global.is_terminal);
    global.progress = &progress;
    progress.show(global_values.is_set("progress") ? global_values.flag("progress")
                                                   : isatty(STDERR_FILENO) != 0 && !global.quiet);
    const auto positionals = distribute(description, line.words());
    return command.run({global, values, positionals});
}

}  // namespace unveil::cli
