// Goal: every command's table can become a command line, a help text and a manual page. Method: walk all commands.
#include <gmock/gmock.h>

#include <set>

#include "cli/command.hpp"
#include "cli/global.hpp"
#include "cli/help_text.hpp"
#include "core/error.hpp"

namespace unveil::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CommandTable, NamesAreUniqueAndAtMostTwoWords) {
    std::set<std::string> names;
    for (const auto& command : commands()) {
        const auto name = command->description().name;
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_LE(std::count(name.begin(), name.end(), ' '), 1) << name;
    }
    for (const auto& name : names)
        if (const auto blank = name.find(' '); blank != std::string::npos)
            EXPECT_FALSE(names.contains(name.substr(0, blank))) << name << " would be hidden by its first word";
}

TEST(CommandTable, EveryCommandExplainsItself) {
    for (const auto& command : commands()) {
        const auto description = command->description();
        SCOPED_TRACE(description.name);
        EXPECT_FALSE(description.summary.empty());
        EXPECT_FALSE(description.summary.ends_with(".")) << description.summary;
        EXPECT_FALSE(description.examples.empty());
        EXPECT_THAT(description.examples, Contains(HasSubstr("unveil " + description.name)));
        for (const auto& option : description.options) {
            EXPECT_FALSE(option.help.empty()) << option.name;
            EXPECT_FALSE(option.help.ends_with(".")) << option.name;
            EXPECT_FALSE(option.name.starts_with("no-")) << option.name;
            if (option.type == ParameterType::choice) EXPECT_FALSE(option.choices.empty()) << option.name;
            for (const auto& global : global_options()) EXPECT_NE(option.name, global.name);
        }
        EXPECT_NO_THROW(ParameterValues{description.options});
    }
}

TEST(CommandTable, HelpFitsTheWidth) {
    for (const std::size_t width : {60u, 80u, 100u})
        for (const auto& command : commands()) {
            const auto description = command->description();
            const auto help = command_help(description, width);
            EXPECT_THAT(help, StartsWith("usage: unveil " + description.name));
            std::size_t begin = 0;
            for (auto end = help.find('\n'); end != std::string::npos; end = help.find('\n', begin)) {
                const auto line = help.substr(begin, end - begin);
                begin = end + 1;
                // Usage and examples are to be copied whole; a long word cannot be broken.
                if (line.starts_with("usage:") || line.starts_with("  unveil ") || line.find(' ', 40) == std::string::npos)
                    continue;
                EXPECT_LE(display_columns(line), width) << description.name << ": " << line;
            }
        }
}

TEST(CommandTable, ManualPagesHaveTheirSections) {
    for (const auto& command : commands()) {
        const auto page = command_man(command->description());
        for (const auto* section : {".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS", ".SH EXAMPLES",
                                    ".SH DIAGNOSTICS"})
            EXPECT_THAT(page, HasSubstr(section)) << command->description().name;
    }
}

TEST(CommandTable, TyposNameTheNearestCommand) {
    try {
        fail_unknown_command("descirbe");
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_EQ(error.hint(), "Did you mean 'unveil describe'?");
    }
}

}  // namespace
}  // namespace unveil::cli
