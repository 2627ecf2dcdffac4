// Goal: whatever a table holds and however it is quoted, packed and cut into pieces, the same posts come out;
// and on well-formed files the reader agrees with DuckDB's. Method: seeded random tables of hostile cells,
// written with random quoting, delimiters and line ends, read back in pieces of many sizes; the same files
// read by DuckDB as text.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "../../unit/evidence/read_posts.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "table/duckdb.hpp"

namespace unveil {
namespace {

using testing::PostRow;
using testing::read_bytes;

struct Table {
    std::vector<PostRow> rows;
    std::string bytes;
};

class Generator {
  public:
    explicit Generator(std::uint64_t seed) : m_random(seed) {}
    std::uint64_t below(std::uint64_t bound) { return m_random() % bound; }

    std::string cell(bool may_be_empty) {
        static const std::string pieces[] = {"a",
                                             "bc",
                                             ",",
                                             "\"",
                                             "\"\"",
                                             "\n",
                                             "\r\n",
                                             ";",
                                             "\t",
                                             " ",
                                             "=1+1",
                                             "+",
                                             "@x",
                                             "\xc3\xa9",
                                             "\xe2\x80\x8b",
                                             "0",
                                             "longer than sixteen bytes of text",
                                             "'",
                                             "\\"};
        std::string out;
        for (auto count = below(6) + (may_be_empty ? 0 : 1); count > 0; --count)
            out += pieces[below(std::size(pieces))];
        return out;
    }

    Table table(std::size_t rows, char delimiter, const std::string& line_end) {
        Table table;
        const auto write = [&](const std::string& cell, bool is_first) {
            if (!is_first) table.bytes += delimiter;
            const bool must_be_quoted =
                cell.find_first_of(std::string("\n\r\"") + delimiter) != std::string::npos;
            if (!must_be_quoted && below(3) != 0) {
                table.bytes += cell;
                return;
            }
            table.bytes += '"';
            for (const char c : cell) {
                if (c == '"') table.bytes += '"';
                table.bytes += c;
            }
            table.bytes += '"';
        };
        bool is_first = true;
        for (const auto* name : {"object_id", "account_id", "content_id", "timestamp_share", "extra"}) {
            write(name, is_first);
            is_first = false;
        }
        table.bytes += line_end;
        for (std::size_t i = 0; i < rows; ++i) {
            PostRow row;
            row.row = i + 1;
            row.object = cell(true);
            row.account = cell(false);
            row.content = cell(false);
            const auto seconds = static_cast<std::int64_t>(below(4'000'000'000));
            row.time_us = seconds * 1'000'000;
            write(row.object, true);
            write(row.account, false);
            write(row.content, false);
            write(std::to_string(seconds), false);
            write(cell(true), false);
            if (i + 1 < rows || below(2) == 0) table.bytes += line_end;
            table.rows.push_back(std::move(row));
        }
        return table;
    }

  private:
    std::mt19937_64 m_random;
};

std::string gzip(const std::string& bytes) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string zstd(const std::string& bytes) {
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
    return out;
}

std::string xz(const std::string& bytes) {
    std::string out(lzma_stream_buffer_bound(bytes.size()), '\0');
    std::size_t size = 0;
    EXPECT_EQ(lzma_easy_buffer_encode(3, LZMA_CHECK_CRC64, nullptr,
                                      reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                                      reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size()),
              LZMA_OK);
    out.resize(size);
    return out;
}

TEST(CsvProperty, EveryTableComesBackForEveryPieceSize) {
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        Generator generator(seed);
        const char delimiter = ",;\t"[generator.below(3)];
        const auto table =
            generator.table(generator.below(60) + 1, delimiter, generator.below(2) == 0 ? "\n" : "\r\n");
        EvidenceLimits limits;
        limits.read_bytes = 64 + generator.below(300);
        for (const std::size_t piece :
             {std::size_t{1}, std::size_t{3}, 1 + generator.below(200), std::size_t{4096}}) {
            const auto result = read_bytes(table.bytes, {}, limits, piece);
            ASSERT_EQ(result.posts, table.rows) << "seed " << seed << ", piece " << piece;
            ASSERT_EQ(result.report.tally.skipped(), 0u);
            ASSERT_EQ(result.report.sha256, sha256_hex(table.bytes));
        }
    }
}

TEST(CsvProperty, ManyRowsInSeveralBatches) {
    Generator generator(7);
    const auto table = generator.table(9'000, ',', "\n");
    EXPECT_EQ(read_bytes(table.bytes).posts, table.rows);
}

TEST(CsvProperty, BrokenBytesNeverChangeWithThePieceSize) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Generator generator(seed * 1000);
        auto bytes = generator.table(generator.below(30) + 1, ',', "\n").bytes;
        const auto header = bytes.find('\n') + 1;
        for (auto count = generator.below(6) + 1; count > 0 && bytes.size() > header; --count)
            bytes[header + generator.below(bytes.size() - header)] =
                std::string("\"\n,\0x\r", 6)[generator.below(6)];
        EvidenceLimits limits;
        limits.read_bytes = 64;
        limits.record_bytes_max = 100 + generator.below(400);
        const auto whole = read_bytes(bytes, {}, limits);
        for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, std::size_t{1000}}) {
            const auto result = read_bytes(bytes, {}, limits, piece);
            ASSERT_EQ(result.posts, whole.posts) << "seed " << seed << ", piece " << piece;
            ASSERT_EQ(result.report.tally.skipped(), whole.report.tally.skipped()) << "seed " << seed;
        }
    }
}

TEST(PackedProperty, SameRowsPlainAndPackedInOneOrTwoParts) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Generator generator(seed);
        const auto table = generator.table(200, ',', "\n");
        const auto half = generator.below(table.bytes.size());
        const auto first = table.bytes.substr(0, half);
        const auto second = table.bytes.substr(half);
        for (const auto& [name, packed] : {std::pair{"gzip", gzip(first) + gzip(second)},
                                           {"zstd", zstd(first) + zstd(second)},
                                           {"xz", xz(first) + xz(second)},
                                           {"gzip", gzip(table.bytes) + std::string(100, '\0')}}) {
            for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, SIZE_MAX}) {
                const auto result = read_bytes(packed, {}, {}, piece);
                ASSERT_EQ(result.posts, table.rows) << name << ", seed " << seed << ", piece " << piece;
                ASSERT_EQ(result.report.compression, name);
                ASSERT_EQ(result.report.sha256, sha256_hex(packed));
                ASSERT_EQ(result.report.bytes, packed.size());
            }
        }
    }
}

TEST(PackedProperty, EveryCutIsAnErrorThatNamesTheByte) {
    Generator generator(3);
    const auto table = generator.table(50, ',', "\n");
    for (const auto& packed : {gzip(table.bytes), zstd(table.bytes), xz(table.bytes)}) {
        // The first six bytes make the packing known; before that a cut file is another kind of junk.
        for (std::size_t size = 6; size < packed.size(); ++size) {
            try {
                read_bytes(packed.substr(0, size));
                ADD_FAILURE() << "cut at " << size << " of " << packed.size() << " was not noticed";
            } catch (const Error& error) {
                ASSERT_EQ(error.kind(), ErrorKind::input);
                ASSERT_NE(std::string(error.what()).find(fmt::format("byte {} ", size)), std::string::npos)
                    << error.what();
                ASSERT_FALSE(error.hint().empty());
            }
        }
    }
}

TEST(PackedProperty, FlippedBitsNeverGoUnnoticed) {
    Generator generator(4);
    const auto table = generator.table(50, ',', "\n");
    // xz carries CRC64, gzip CRC32; a plain zstd frame may carry none, so it only must not crash.
    for (const auto& [packed, is_checked] :
         {std::pair{gzip(table.bytes), true}, {xz(table.bytes), true}, {zstd(table.bytes), false}}) {
        for (int round = 0; round < 200; ++round) {
            auto damaged = packed;
            damaged[10 + generator.below(damaged.size() - 10)] ^= static_cast<char>(1u << generator.below(8));
            try {
                const auto result = read_bytes(damaged);
                if (is_checked) EXPECT_EQ(result.posts, table.rows);
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::input);
            }
        }
    }
}

class AgainstDuckDb : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!has_duckdb()) GTEST_SKIP() << "libduckdb.so is not here";
        m_folder = std::filesystem::temp_directory_path() / fmt::format("unveil_evidence_{}", ::getpid());
        std::filesystem::create_directories(m_folder);
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }
    std::string path(const std::string& name) const { return (m_folder / name).string(); }

    std::filesystem::path m_folder;
};

TEST_F(AgainstDuckDb, TheSameCells) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Generator generator(seed + 500);
        const auto table = generator.table(300, ',', "\n");
        std::ofstream(path("posts.csv"), std::ios::binary) << table.bytes;
        DuckDatabase database({});
        auto result = database.query(fmt::format(
            "SELECT * FROM read_csv({}, header = true, all_varchar = true, delim = ',', quote = '\"', escape "
            "= '\"', "
            "new_line = '\\n', nullstr = 'no such cell', auto_detect = false, strict_mode = true, "
            "columns = {{'o': 'VARCHAR', 'a': 'VARCHAR', 'c': 'VARCHAR', 't': 'VARCHAR', 'e': 'VARCHAR'}})",
            sql_literal(path("posts.csv"))));
        const auto own = testing::read_file(path("posts.csv"));
        std::size_t row = 0;
        while (result.next_chunk()) {
            for (std::size_t i = 0; i < result.rows(); ++i, ++row) {
                ASSERT_LT(row, own.posts.size());
                ASSERT_EQ(own.posts[row].object, result.text(0, i).value_or(""))
                    << "seed " << seed << ", row " << row;
                ASSERT_EQ(own.posts[row].account, result.text(1, i).value_or(""));
                ASSERT_EQ(own.posts[row].content, result.text(2, i).value_or(""));
            }
        }
        ASSERT_EQ(row, own.posts.size());
    }
}

TEST_F(AgainstDuckDb, ParquetGivesTheSamePostsInTheSameOrder) {
    DuckDatabase database({});
    // A name in which DuckDB would see a wildcard.
    const auto parquet = path("posts[1]*.parquet");
    database.execute(fmt::format(
        "COPY (SELECT 'o' || (i % 7) AS object_id, CASE WHEN i % 1000 = 999 THEN NULL ELSE 'a' || i END AS "
        "account_id, "
        "i AS content_id, TIMESTAMPTZ '2020-06-11 12:00:00+02' + INTERVAL (i) SECOND AS timestamp_share, "
        "['#x', NULL, 'y' || i] AS tags, DATE '2020-06-11' AS day, CAST(i AS DOUBLE) AS "
        "fans, i - 1 AS shared, TIMESTAMP '2019-01-01 00:00:00.25' AS since FROM range(5000) t(i)) TO {} (FORMAT "
        "parquet)",
        sql_literal(parquet)));
    EvidenceOptions options;
    options.columns = {{"hashtags", "tags"},
                       {"followers", "fans"},
                       {"reposts_received", "shared"},
                       {"account_created", "since"}};
    const auto result = testing::read_file(parquet, options);
    EXPECT_EQ(result.report.format, "coortweet");
    EXPECT_EQ(result.report.sha256, sha256_hex_of_file(parquet));
    EXPECT_EQ(result.report.tally.skips().at("empty account").count, 5u);
    ASSERT_EQ(result.posts.size(), 4995u);
    for (const auto& post : result.posts) {
        const auto i = post.row - 1;
        ASSERT_EQ(post.account, fmt::format("a{}", i));
        ASSERT_EQ(post.content, std::to_string(i));
        ASSERT_EQ(post.object, fmt::format("o{}", i % 7));
        ASSERT_EQ(post.time_us, (1'591'869'600 + static_cast<std::int64_t>(i)) * 1'000'000);
        ASSERT_EQ(post.hashtags, (std::vector<std::string>{"x", fmt::format("y{}", i)}));
        ASSERT_EQ(post.followers, i);
        ASSERT_EQ(post.reposts_received, i == 0 ? PostBatch::count_unknown : i - 1);
        ASSERT_EQ(post.account_created_us, 1'546'300'800'250'000);
    }
    options.columns = {{"time", "day"}};
    EXPECT_EQ(testing::read_file(parquet, options).report.time_resolution.resolution_us, 86'400'000'000);

    // A table that holds only a part of itself.
    std::filesystem::resize_file(parquet, std::filesystem::file_size(parquet) / 2);
    EXPECT_THROW(testing::read_file(parquet), Error);
}

}  // namespace
}  // namespace unveil
