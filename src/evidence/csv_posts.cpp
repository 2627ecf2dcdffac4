// Posts out of CSV: the reader's rows go straight into the assembler.
#include "evidence/csv_reader.hpp"
#include "evidence/table_posts.hpp"

namespace unveil {
namespace {

class CsvPosts final : public TablePosts {
  public:
    CsvPosts(CsvReader reader, TableMapping mapping, std::uint32_t evidence, const EvidenceLimits& limits)
        : TablePosts(std::move(mapping), "CSV", reader.stream().path(), evidence, limits),
          m_reader(std::move(reader)) {
        m_report.compression = m_reader.stream().compression();
    }

    bool next(PostBatch& batch) override {
        m_assembler.start_batch(batch, m_evidence);
        if (m_is_finished) return false;
        const bool has_more = m_reader.read(
            PostBatch::rows_max, m_assembler.arena(), m_report.tally,
            [&](const CsvRow& row, std::uint64_t record) { return m_assembler.add(batch, record, row); });
        m_report.tally.keep(batch.size());
        if (!has_more) finish(m_reader.stream().finish_sha256(), m_reader.stream().disk_bytes());
        return has_more;
    }

    std::uint64_t bytes_done() const override { return m_reader.stream().disk_bytes(); }

  private:
    CsvReader m_reader;
};

}  // namespace

std::unique_ptr<PostSource> make_csv_posts(InputBuffer input, const EvidenceOptions& options,
                                           std::uint32_t evidence, const EvidenceLimits& limits) {
    CsvReader reader(std::move(input), limits);
    auto mapping = map_table(reader.header(), options, reader.stream().path(), limits);
    return std::make_unique<CsvPosts>(std::move(reader), std::move(mapping), evidence, limits);
}

}  // namespace unveil
