// Goal: what an export holds does not depend on what cells happen to look like. Method: a table whose text cells look like numbers and truth values, and
// whose real numbers are whole, goes out as Parquet and as JSON; types and cells are read back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "report/export.hpp"
#include "table/duckdb.hpp"

namespace unveil {
namespace {

using ::testing::ElementsAre;

class Export : public ::testing::Test {
  protected:
    void SetUp() override {
        m_folder = std::filesystem::path(::testing::TempDir()) / ("export_" + std::to_string(::getpid()));
        std::filesystem::create_directories(m_folder);
        std::ofstream(m_folder / "sites.csv") << "country,network_name,since,share,measurements\nNO,2119,,1,7\nNO,2119,,0,8\n";
        m_case.runs.push_back({"interference", m_folder.string(), {}, {{"sites", (m_folder / "sites.csv").string(),
                               {{"country", "text"}, {"network_name", "text"}, {"since", "text"}, {"share", "real"}, {"measurements", "integer"}}}}});
        m_case.report.runs.emplace_back();
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }

    std::filesystem::path m_folder;
    CaseFolder m_case;
};

TEST_F(Export, ParquetHasTheTypesThatTheRunDeclares) {
    if (!has_duckdb()) GTEST_SKIP() << "libduckdb.so is not here";
    ExportOptions options;
    options.out = (m_folder / "out").string();
    export_parquet(m_case, options);
    const std::string table = "read_parquet(" + sql_literal(options.out + "/sites.parquet") + ")";
    DuckDatabase database({});
    std::vector<std::string> found;
    for (const auto& query : {"SELECT column_name || ' ' || column_type FROM (DESCRIBE SELECT * FROM " + table + ")", "SELECT DISTINCT country || ' ' || network_name FROM " + table}) {
        auto result = database.query(query);
        while (result.next_chunk())
            for (std::size_t row = 0; row < result.rows(); ++row) found.emplace_back(result.text(0, row).value_or(""));
    }
    EXPECT_THAT(found, ElementsAre("country VARCHAR", "network_name VARCHAR", "since VARCHAR", "share DOUBLE", "measurements BIGINT", "NO 2119"));
}

TEST_F(Export, JsonKeepsTextThatLooksLikeANumber) {
    ExportOptions options;
    options.out = (m_folder / "case.json").string();
    export_json(m_case, options);
    std::ifstream file(options.out);
    const auto document = nlohmann::json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    EXPECT_EQ(document["runs"][0]["tables"]["sites"]["rows"][0], nlohmann::json({"NO", "2119", nullptr, 1, 7}));
}

}  // namespace
}  // namespace unveil
