#include "evidence/table_posts.hpp"

namespace unveil {

TablePosts::TablePosts(TableMapping mapping, std::string container, const std::string& path,
                       std::uint32_t evidence, const EvidenceLimits& limits)
    : m_assembler(std::move(mapping), limits), m_evidence(evidence), m_container(std::move(container)) {
    m_report.path = path;
    m_report.format = m_assembler.mapping().format->name;
    m_report.compression = "none";
    m_report.fields = m_assembler.mapping().fields;
}

void TablePosts::finish(std::string sha256, std::uint64_t disk_bytes) {
    m_report.sha256 = std::move(sha256);
    m_report.bytes = disk_bytes;
    m_assembler.finish(m_report, m_report.tally);
    m_is_finished = true;
}

}  // namespace unveil
