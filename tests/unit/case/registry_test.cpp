// Goal: no instrument enters the registry without what its users and reviewers need. Method: walk the registry and look
// for the files beside it.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "instruments/instrument.hpp"

namespace unveil {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const fs::path source = UNVEIL_SOURCE_DIR;

std::string content(const fs::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

bool has_lab_test(const std::string& instrument) {
    if (!fs::is_directory(source / "tests/lab")) return false;
    for (const auto& entry : fs::recursive_directory_iterator(source / "tests/lab")) {
        const auto name = entry.path().filename().string();
        if (name.ends_with("_test.cpp") && content(entry.path()).find('"' + instrument + '"') != std::string::npos)
            return true;
    }
    return false;
}

TEST(Registry, NamesAreUnique) {
    std::set<std::string> names;
    for (const auto* instrument : instruments()) EXPECT_TRUE(names.insert(instrument->description().name).second);
}

TEST(Registry, EveryInstrumentIsExplainedAndTested) {
    for (const auto* instrument : instruments()) {
        const auto& description = instrument->description();
        SCOPED_TRACE(description.name);
        EXPECT_TRUE(description.question.ends_with("?"));
        EXPECT_FALSE(description.summary.empty());
        EXPECT_FALSE(description.metrics.empty());
        EXPECT_FALSE(description.limits.empty());
        EXPECT_FALSE(description.citations.empty());
        EXPECT_THAT(description.example, StartsWith("unveil " + description.name + " "));
        for (const auto& metric : description.metrics) EXPECT_FALSE(metric.help.empty()) << metric.name;

        const auto page = source / "docs/instruments" / (description.name + ".md");
        ASSERT_TRUE(fs::exists(page)) << page;
        const auto text = content(page);
        for (const auto& parameter : description.parameters)
            if (!parameter.is_hidden) EXPECT_THAT(text, HasSubstr(parameter.name)) << "the doc page does not name it";
        for (const auto& metric : description.metrics)
            EXPECT_THAT(text, HasSubstr(metric.name)) << "the doc page does not name it";

        const auto golden = source / "tests/golden" / description.name;
        EXPECT_TRUE(fs::is_directory(golden) && !fs::is_empty(golden)) << golden;
        EXPECT_TRUE(has_lab_test(description.name)) << "no tests/lab/*/*_test.cpp names it";
    }
}

}  // namespace
}  // namespace unveil
