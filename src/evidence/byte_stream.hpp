// What are the bytes of this evidence file, once unpacked, and what is the digest of the file as it lies on
// disk? The file is read once, front to back; compression is known by its magic bytes, never by the name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "evidence/limits.hpp"
#include "table/source.hpp"

namespace unveil {

/// Bytes as they are stored.
class RawInput {
  public:
    virtual ~RawInput() = default;
    /// Between 1 and size_bytes bytes, or 0 at the end. Throws Error(input) when reading fails.
    virtual std::size_t read(char* to, std::size_t size_bytes) = 0;
};

/// Throws Error(input) for what is missing, unreadable, or not a plain file.
std::unique_ptr<RawInput> open_file_input(const std::string& path);
/// Hands out `bytes` in pieces of at most piece_bytes_max: for tests and fuzzing.
std::unique_ptr<RawInput> memory_input(std::string bytes, std::size_t piece_bytes_max = SIZE_MAX);

class ByteStream {
  public:
    /// `path` is how messages name the file.
    ByteStream(std::unique_ptr<RawInput> input, std::string path, const EvidenceLimits& limits);
    ~ByteStream();
    ByteStream(ByteStream&&) noexcept;

    /// Unpacked bytes: between 1 and size_bytes of them, or 0 at the end. Throws Error(input) with the offset
    /// in the file and the remedy when compressed data is damaged or cut.
    std::size_t read(char* to, std::size_t size_bytes);

    std::string_view compression() const;  // "none", "gzip", "zstd", "xz"
    const std::string& path() const;
    /// Of the file on disk, so far.
    std::uint64_t disk_bytes() const;
    /// Call once, after read() has returned 0: digest of the whole file on disk.
    std::string finish_sha256();
    /// Likewise once: what a report says of the file as it lies on disk.
    void finish(SourceReport& report);

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace unveil
