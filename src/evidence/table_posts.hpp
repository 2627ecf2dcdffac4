// What all readers of posts share: the report, the columns asked for, and how the columns of the file were
// understood.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "evidence/byte_stream.hpp"
#include "evidence/input_buffer.hpp"
#include "evidence/open.hpp"
#include "evidence/post_assembler.hpp"

namespace unveil {

class TablePosts : public PostSource {
  public:
    PostFields fields() const override { return m_assembler.mapping().fields; }
    void want(PostFields fields) override { m_assembler.want(fields); }
    const SourceReport& report() const override { return m_report; }
    const TableMapping& mapping() const { return m_assembler.mapping(); }
    /// "CSV", "JSON lines", "JSON document", "Parquet"
    const std::string& container() const { return m_container; }

  protected:
    TablePosts(TableMapping mapping, std::string container, const std::string& path, std::uint32_t evidence,
               const EvidenceLimits& limits);
    /// Completes the report; the source has delivered its last batch.
    void finish(std::string sha256, std::uint64_t disk_bytes);

    PostAssembler m_assembler;
    SourceReport m_report;
    std::uint32_t m_evidence;
    bool m_is_finished = false;

  private:
    std::string m_container;
};

std::unique_ptr<PostSource> make_csv_posts(InputBuffer input, const EvidenceOptions& options,
                                           std::uint32_t evidence, const EvidenceLimits& limits);
std::unique_ptr<PostSource> make_json_posts(InputBuffer input, const EvidenceOptions& options,
                                            std::uint32_t evidence, const EvidenceLimits& limits);
std::unique_ptr<PostSource> make_parquet_posts(const std::string& path, const EvidenceOptions& options,
                                               std::uint32_t evidence, const EvidenceLimits& limits);

/// open_posts() on any bytes with any limits: for tests and fuzzing. `path` is how messages name the input.
std::unique_ptr<PostSource> open_posts_from(std::unique_ptr<RawInput> input, const std::string& path,
                                            const EvidenceOptions& options, std::uint32_t evidence,
                                            const EvidenceLimits& limits);

}  // namespace unveil
