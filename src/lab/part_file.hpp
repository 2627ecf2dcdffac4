// A large file written front to back through one buffer, which appears under its name only when it is whole.
#pragma once

#include <cstddef>
#include <string>

namespace unveil {

class PartFile {
  public:
    explicit PartFile(std::string path);
    /// Removes what was written unless finish() succeeded.
    ~PartFile();
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;

    /// Append rows here and call row_done() after each.
    std::string& buffer() { return m_buffer; }
    void row_done() {
        if (m_buffer.size() >= buffer_bytes) flush();
    }
    /// Flushes, syncs and renames PATH.part to PATH; throws Error(run) when the disk is full or fails.
    void finish();

  private:
    static constexpr std::size_t buffer_bytes = 1 << 20;
    void flush();
    [[noreturn]] void fail() const;

    std::string m_path;
    std::string m_part;
    std::string m_buffer;
    int m_descriptor = -1;
};

}  // namespace unveil
