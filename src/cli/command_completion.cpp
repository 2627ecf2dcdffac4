#include "cli/command_completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/global.hpp"

namespace unveil::cli {
namespace {

struct Option {
    std::string spelling;  // "--window"
    std::string help;
    bool takes_value;
    std::vector<std::string> choices;
};

/// One command with every option it takes.
struct Entry {
    std::string name;
    std::string summary;
    std::vector<Option> options;
};

std::vector<Entry> entries() {
    std::vector<Entry> all;
    for (const auto& command : commands()) {
        const auto description = command->description();
        Entry entry{description.name, description.summary, {}};
        auto options = description.options;
        options.insert(options.end(), global_options().begin(), global_options().end());
        for (const auto& option : options) {
            if (option.is_hidden) continue;
            const bool is_flag = option.type == ParameterType::flag;
            const bool is_on = is_flag && option.default_text == "true";
            entry.options.push_back(
                {(is_on ? "--no-" : "--") + option.name, option.help, !is_flag, option.choices});
        }
        all.push_back(std::move(entry));
    }
    return all;
}

std::set<std::string> first_words(const std::vector<Entry>& all) {
    std::set<std::string> words;
    for (const auto& entry : all) words.insert(entry.name.substr(0, entry.name.find(' ')));
    return words;
}

/// Second words of a group: "make", "list" of "lab".
std::vector<std::string> second_words(const std::vector<Entry>& all, const std::string& group) {
    std::vector<std::string> words;
    for (const auto& entry : all)
        if (entry.name.starts_with(group + " ")) words.push_back(entry.name.substr(group.size() + 1));
    return words;
}

/// Fit for single quotes in every one of the three shells.
std::string quoted(std::string_view text, bool is_fish) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'')
            out += is_fish ? "\\'" : "'\\''";
        else
            out += c;
    }
    return out + "'";
}

std::string bash_script(const std::vector<Entry>& all) {
    std::string out =
        "# bash completion for unveil; put it into /etc/bash_completion.d/ or source it\n"
        "_unveil() {\n"
        "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
        "  local command=${COMP_WORDS[1]} options='' choices=''\n"
        "  case $command in\n";
    for (const auto& word : first_words(all))
        if (const auto seconds = second_words(all, word); !seconds.empty())
            out += fmt::format(
                "    {0})\n      if ((COMP_CWORD == 2)); then COMPREPLY=($(compgen -W '{1}' -- "
                "\"$current\")); return; fi\n"
                "      command=\"{0} ${{COMP_WORDS[2]}}\" ;;\n",
                word, fmt::join(seconds, " "));
    out += fmt::format(
        "  esac\n  if ((COMP_CWORD == 1)); then COMPREPLY=($(compgen -W '{}' -- \"$current\")); return; fi\n",
        fmt::join(first_words(all), " "));
    out += "  case $command in\n";
    for (const auto& entry : all) {
        std::vector<std::string> spellings, valued, choice_cases;
        for (const auto& option : entry.options) {
            spellings.push_back(option.spelling);
            if (!option.choices.empty())
                choice_cases.push_back(fmt::format("        {}) choices='{}' ;;\n", option.spelling,
                                                   fmt::join(option.choices, " ")));
        }
        out += fmt::format("    '{}')\n      options='{}'\n      case $previous in\n{}      esac ;;\n",
                           entry.name, fmt::join(spellings, " "), fmt::join(choice_cases, ""));
    }
    out +=
        "  esac\n"
        "  if [[ -n $choices ]]; then COMPREPLY=($(compgen -W \"$choices\" -- \"$current\"))\n"
        "  elif [[ $current == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
        "  else COMPREPLY=($(compgen -f -- \"$current\")); fi\n"
        "}\n"
        "complete -o filenames -F _unveil unveil\n";
    return out;
}

std::string zsh_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

std::string zsh_script(const std::vector<Entry>& all) {
    std::string out =
        "#compdef unveil\n"
        "# zsh completion for unveil; put it as _unveil into a folder of $fpath\n"
        "_unveil() {\n"
        "  local command=${words[2]}\n"
        "  if ((CURRENT == 2)); then\n"
        "    local -a names=(\n";
    for (const auto& word : first_words(all)) {
        const auto found =
            std::find_if(all.begin(), all.end(), [&](const auto& entry) { return entry.name == word; });
        const auto summary =
            found == all.end() ? fmt::format("{}", fmt::join(second_words(all, word), ", ")) : found->summary;
        out += fmt::format("      {}\n", quoted(word + ":" + zsh_text(summary), false));
    }
    out += "    )\n    _describe command names\n    return\n  fi\n  case $command in\n";
    for (const auto& word : first_words(all))
        if (const auto seconds = second_words(all, word); !seconds.empty())
            out += fmt::format(
                "    {0})\n      if ((CURRENT == 3)); then compadd {1}; return; fi\n"
                "      command=\"{0} ${{words[3]}}\" ;;\n",
                word, fmt::join(seconds, " "));
    out += "  esac\n  case $command in\n";
    for (const auto& entry : all) {
        out += fmt::format("    '{}') _arguments", entry.name);
        for (const auto& option : entry.options) {
            std::string spec = fmt::format("*{}[{}]", option.spelling + (option.takes_value ? "=" : ""),
                                           zsh_text(option.help));
            if (option.takes_value)
                spec += option.choices.empty() ? ":value:_files"
                                               : fmt::format(":value:({})", fmt::join(option.choices, " "));
            out += " \\\n      " + quoted(spec, false);
        }
        out += " \\\n      '*:file:_files' ;;\n";
    }
    return out + "  esac\n}\n_unveil \"$@\"\n";
}

std::string fish_script(const std::vector<Entry>& all) {
    std::string out = "# fish completion for unveil; put it into ~/.config/fish/completions/unveil.fish\n";
    for (const auto& entry : all) {
        const auto blank = entry.name.find(' ');
        const auto first = entry.name.substr(0, blank);
        std::string condition = fmt::format("__fish_seen_subcommand_from {}", first);
        if (blank == std::string::npos) {
            out += fmt::format("complete -c unveil -n __fish_use_subcommand -a {} -d {}\n", first,
                               quoted(entry.summary, true));
        } else {
            const auto second = entry.name.substr(blank + 1);
            out += fmt::format("complete -c unveil -n __fish_use_subcommand -a {}\n", first);
            out += fmt::format("complete -c unveil -n {} -a {} -d {}\n", quoted(condition, true), second,
                               quoted(entry.summary, true));
            condition += fmt::format("; and __fish_seen_subcommand_from {}", second);
        }
        for (const auto& option : entry.options) {
            out += fmt::format("complete -c unveil -n {} -l {} -d {}", quoted(condition, true),
                               option.spelling.substr(2), quoted(option.help, true));
            if (!option.choices.empty())
                out += fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
            else if (option.takes_value)
                out += " -r";
            out += "\n";
        }
    }
    return out;
}

class CompletionCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "completion";
        description.summary = "Print a script that completes unveil's commands and options in a shell";
        description.positionals = {{"SHELL", "bash, zsh or fish"}};
        description.examples = {"source <(unveil completion bash)",
                                "unveil completion fish > ~/.config/fish/completions/unveil.fish"};
        return description;
    }

    int run(const Invocation& invocation) const override {
        Parameter shell;
        shell.name = "SHELL";
        shell.type = ParameterType::choice;
        shell.choices = {"bash", "zsh", "fish"};
        ParameterValues values(std::span(&shell, 1));
        values.set("SHELL", invocation.positionals.at(0).at(0));
        const auto name = values.text("SHELL");
        const auto all = entries();
        fmt::print("{}", name == "bash"  ? bash_script(all)
                         : name == "zsh" ? zsh_script(all)
                                         : fish_script(all));
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_completion_command() {
    return std::make_unique<CompletionCommand>();
}

}  // namespace unveil::cli
