// Posts and tables in memory, for tests of instruments.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/output_table.hpp"
#include "instruments/instrument.hpp"
#include "table/post.hpp"

namespace unveil::testing {

struct Post {
    std::string account;
    std::string content;
    std::int64_t time_us = 0;
    std::string object = {};
    std::string text = {};
    std::string repost_of = {};
    std::vector<std::string> urls = {};
    std::vector<std::string> hashtags = {};
};

class MemoryPosts final : public PostSource {
  public:
    MemoryPosts(std::vector<Post> posts, PostFields fields, std::size_t batch_rows = 7)
        : m_posts(std::move(posts)), m_fields(fields), m_batch_rows(batch_rows) {
        m_report.path = "memory";
        m_report.time_resolution = {1, "as given"};
    }
    void set_resolution(TimeResolution resolution) { m_report.time_resolution = std::move(resolution); }

    PostFields fields() const override { return m_fields | PostField::account | PostField::content | PostField::time; }
    void want(PostFields fields) override { m_wanted = fields; }
    bool next(PostBatch& batch) override {
        batch.clear();
        for (; m_next < m_posts.size() && batch.size() < m_batch_rows; ++m_next) {
            const Post& post = m_posts[m_next];
            batch.row.push_back(m_next + 1);
            batch.account.push_back(post.account);
            batch.content.push_back(post.content);
            batch.time_us.push_back(post.time_us);
            if (contains(m_wanted, PostField::object)) batch.object.push_back(post.object);
            if (contains(m_wanted, PostField::text)) batch.text.push_back(post.text);
            if (contains(m_wanted, PostField::repost_of)) batch.repost_of.push_back(post.repost_of);
            add_list(PostField::urls, post.urls, batch.urls);
            add_list(PostField::hashtags, post.hashtags, batch.hashtags);
        }
        return batch.size() > 0;
    }
    const SourceReport& report() const override { return m_report; }
    std::uint64_t bytes_done() const override { return m_next; }

  private:
    void add_list(PostField field, const std::vector<std::string>& items, ListColumn& column) const {
        if (!contains(m_wanted, field)) return;
        for (const auto& item : items) column.items.push_back(item);
        column.ends.push_back(static_cast<std::uint32_t>(column.items.size()));
    }
    std::vector<Post> m_posts;
    PostFields m_fields;
    std::size_t m_batch_rows;
    PostFields m_wanted = 0;
    std::size_t m_next = 0;
    SourceReport m_report;
};

/// Tables as lines of "cell|cell|...".
class MemoryTables final : public OutputTables {
  public:
    class Table final : public OutputTable {
      public:
        explicit Table(RealStyle style) : m_style(style) {}
        void text(std::string_view cell) override { add(std::string(cell)); }
        void integer(std::int64_t cell) override { add(std::to_string(cell)); }
        void real(double cell) override {
            std::string out;
            append_real(cell, m_style, out);
            add(out);
        }
        void missing() override { add(""); }
        void end_row() override {
            lines.push_back(m_line);
            m_line.clear();
            m_is_first = true;
        }
        std::vector<std::string> lines;

      private:
        void add(const std::string& cell) {
            if (!m_is_first) m_line += '|';
            m_is_first = false;
            m_line += cell;
        }
        RealStyle m_style;
        std::string m_line;
        bool m_is_first = true;
    };

    OutputTable& open(std::string_view name, std::vector<Column>, RealStyle style) override {
        return *(m_tables[std::string(name)] = std::make_unique<Table>(style));
    }
    const std::vector<std::string>& lines(const std::string& name) const { return m_tables.at(name)->lines; }
    bool has(const std::string& name) const { return m_tables.contains(name); }

  private:
    std::map<std::string, std::unique_ptr<Table>> m_tables;
};

using Settings = std::vector<std::pair<std::string, std::string>>;

struct Outcome {
    Findings findings;
    MemoryTables tables;
    std::vector<std::string> edges() const { return tables.lines("edges"); }
    /// Without the nine columns that speak of chance.
    std::vector<std::string> counted_edges() const {
        std::vector<std::string> lines = edges();
        for (auto& line : lines)
            for (int column = 0; column < 9; ++column) line.resize(line.rfind('|'));
        return lines;
    }
    double value(const std::string& metric) const {
        const auto* finding = findings.find(metric);
        return finding ? finding->value : -1;
    }
};

/// Counts edges by weight unless the settings say otherwise, so that tests of counting see every edge; loops have no chance.
inline Outcome run_posts(const std::string& instrument, std::vector<Post> posts, PostFields fields, const Settings& settings,
                         unsigned threads = 1, std::uint64_t memory_bytes_max = 0, TimeResolution resolution = {1, ""}) {
    MemoryPosts source(std::move(posts), fields);
    source.set_resolution(std::move(resolution));
    const Instrument& found = instrument_named(instrument);
    ParameterValues parameters(found.description().parameters);
    for (const auto& [name, text] : settings) parameters.set(name, text);
    if (instrument == "coordination" && parameters.text("semantics") == "native") {
        if (parameters.flag("keep-loops")) parameters.set("chance", "off");
        else if (!parameters.is_set("keep")) parameters.set("keep", "weight");
    }
    Outcome outcome;
    SilentProgress progress;
    InstrumentContext context{.seed = 0,
                              .threads = threads,
                              .scratch = {.folder = ::testing::TempDir(), .memory_bytes_max = memory_bytes_max},
                              .tables = outcome.tables,
                              .progress = progress};
    outcome.findings = found.run({.posts = {&source}}, parameters, context);
    return outcome;
}

}  // namespace unveil::testing
