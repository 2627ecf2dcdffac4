#include "cli/command_help.hpp"

#include <fmt/format.h>

#include "cli/global.hpp"
#include "cli/help_text.hpp"

namespace unveil::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, " "));
}

class HelpCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "help";
        description.summary = "Explain unveil or one command";
        description.positionals = {{"COMMAND", "The command to explain; all in brief when left out", 0, 2}};
        description.examples = {"unveil help investigate", "unveil help lab make"};
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto name = joined(invocation.positionals.at(0));
        if (name.empty())
            fmt::print("{}", overview_help(text_width()));
        else if (const auto* command = find_command(name))
            fmt::print("{}", command_help(command->description(), text_width()));
        else if (is_group(name))
            fmt::print("{}", group_help(name, text_width()));
        else
            fail_unknown_command(name);
        return 0;
    }
};

class ManCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "man";
        description.summary = "Print the manual page of unveil or of one command as roff";
        description.positionals = {{"COMMAND", "The command; unveil itself when left out", 0, 2}};
        description.examples = {"unveil man investigate | man -l -",
                                "unveil man > /usr/local/share/man/man1/unveil.1"};
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto name = joined(invocation.positionals.at(0));
        if (name.empty())
            fmt::print("{}", overview_man());
        else if (const auto* command = find_command(name))
            fmt::print("{}", command_man(command->description()));
        else
            fail_unknown_command(name);
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_help_command() {
    return std::make_unique<HelpCommand>();
}
std::unique_ptr<Command> make_man_command() {
    return std::make_unique<ManCommand>();
}

}  // namespace unveil::cli
