// Room on disk for what does not fit in memory. Files have no name once opened, so a killed run leaves nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace unveil {

/// An append-then-read file of bytes. Not for two threads at once, but reads at offsets may run in parallel.
class ScratchFile {
  public:
    explicit ScratchFile(const std::string& folder, std::size_t buffer_bytes = 1 << 16);
    ~ScratchFile();
    ScratchFile(ScratchFile&&) noexcept;
    ScratchFile& operator=(ScratchFile&&) noexcept;

    void append(const void* data, std::size_t size_bytes);
    /// Must be called between the last append and the first read; frees the write buffer.
    void flush();
    std::uint64_t size_bytes() const;
    /// Reads exactly size_bytes at offset; throws Error(run) when the disk fails.
    void read_at(std::uint64_t offset, void* data, std::size_t size_bytes) const;

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

/// Where scratch files may be made and how much memory a run may take before it uses them.
struct Scratch {
    std::string folder;                       // an existing folder on a disk with room
    std::uint64_t memory_bytes_max = 0;       // 0: no limit
};

}  // namespace unveil
