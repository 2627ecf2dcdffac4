// Goal: the bridge gives back what DuckDB holds, streams, and cannot be used to leave the sandbox. Method:
// small queries on the real library; skipped where it is not there.
#include "table/duckdb.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace unveil {
namespace {

using ::testing::ElementsAre;

class DuckBridge : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!has_duckdb()) GTEST_SKIP() << "libduckdb.so is not here";
    }
};

TEST_F(DuckBridge, TextsNullsAndLists) {
    DuckDatabase database({});
    auto result = database.query(
        "SELECT * FROM (VALUES ('a', ['x', NULL, 'a text longer than twelve bytes']), (NULL, NULL), ('', "
        "[])) t(c, l)");
    ASSERT_EQ(result.columns().size(), 2u);
    EXPECT_EQ(result.columns()[0].name, "c");
    EXPECT_EQ(result.columns()[0].type, "VARCHAR");
    EXPECT_EQ(result.columns()[1].type, "VARCHAR[]");
    ASSERT_TRUE(result.next_chunk());
    ASSERT_EQ(result.rows(), 3u);
    EXPECT_EQ(result.text(0, 0), "a");
    EXPECT_EQ(result.text(0, 1), std::nullopt);
    EXPECT_EQ(result.text(0, 2), "");
    std::vector<std::string_view> items;
    result.list(1, 0, items);
    EXPECT_THAT(items, ElementsAre("x", "a text longer than twelve bytes"));
    items.clear();
    result.list(1, 1, items);
    result.list(1, 2, items);
    EXPECT_TRUE(items.empty());
    EXPECT_FALSE(result.next_chunk());
}

TEST_F(DuckBridge, ManyChunksInOrder) {
    DuckDatabase database({});
    auto result = database.query("SELECT CAST(range AS VARCHAR) FROM range(10000)");
    std::uint64_t next = 0;
    while (result.next_chunk())
        for (std::size_t i = 0; i < result.rows(); ++i) EXPECT_EQ(result.text(0, i), std::to_string(next++));
    EXPECT_EQ(next, 10'000u);
}

TEST_F(DuckBridge, ResultsOutliveTheDatabaseObject) {
    auto database = std::make_unique<DuckDatabase>(DuckDatabase::Options{});
    auto result = database->query("SELECT 'x'");
    database.reset();
    ASSERT_TRUE(result.next_chunk());
    EXPECT_EQ(result.text(0, 0), "x");
}

TEST_F(DuckBridge, MistakesInSqlAreInputErrors) {
    DuckDatabase database({});
    EXPECT_THROW(database.query("SELEC 1"), Error);
    EXPECT_THROW(database.execute("SELECT * FROM no_such_table"), Error);
    EXPECT_THROW(
        {
            auto result = database.query(
                "SELECT CAST(CAST(i AS VARCHAR) || 'x' AS INTEGER)::VARCHAR FROM range(5000) t(i)");
            while (result.next_chunk()) {
            }
        },
        Error);
    EXPECT_NO_THROW(database.execute("SELECT 1"));
}

TEST_F(DuckBridge, LockedMeansNoFilesAndNoWayBack) {
    DuckDatabase database({});
    database.lock_external_access();
    EXPECT_THROW(database.execute("SELECT * FROM read_csv('/etc/passwd')"), Error);
    EXPECT_THROW(database.execute("COPY (SELECT 1) TO 'left_behind.csv'"), Error);
    EXPECT_THROW(database.execute("SET enable_external_access = true"), Error);
    EXPECT_THROW(database.execute("INSTALL httpfs"), Error);
    EXPECT_NO_THROW(database.execute("SELECT 1"));
}

TEST(SqlSpelling, QuotesAreDoubled) {
    EXPECT_EQ(sql_literal("it's"), "'it''s'");
    EXPECT_EQ(sql_identifier("a\"b"), "\"a\"\"b\"");
}

}  // namespace
}  // namespace unveil
