#include "evidence/table_posts.hpp"

#include <filesystem>
#include <system_error>

namespace unveil {

TablePosts::TablePosts(TableMapping mapping, std::string container, const std::string& path,
                       std::uint32_t evidence, const EvidenceLimits& limits)
    : m_assembler(std::move(mapping), limits), m_evidence(evidence), m_container(std::move(container)) {
    m_report.path = path;
    m_report.format = m_assembler.mapping().format->name;
    m_report.compression = "none";
    m_report.fields = m_assembler.mapping().fields;
    // For progress while reading; the bytes really read replace it at the end.
    std::error_code unknown;
    const auto size = std::filesystem::file_size(path, unknown);
    if (!unknown) m_report.bytes = size;
}

void TablePosts::finish(std::string sha256, std::uint64_t disk_bytes) {
    m_report.sha256 = std::move(sha256);
    m_report.bytes = disk_bytes;
    m_assembler.finish(m_report, m_report.tally);
    m_is_finished = true;
}

}  // namespace unveil
