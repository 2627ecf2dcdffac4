#include "evidence/byte_stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/digest.hpp"
#include "core/error.hpp"

namespace unveil {
namespace {

class FileInput final : public RawInput {
  public:
    explicit FileInput(std::string path) : m_path(std::move(path)) {
        // O_NONBLOCK: opening a FIFO that nobody writes to must not hang.
        m_descriptor = ::open(m_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (m_descriptor < 0 && m_path == "-") fail("is no file; the standard input is not read", "Evidence needs a digest, so write the stream to a file first and name that file");
        if (m_descriptor < 0)
            throw Error(ErrorKind::input, fmt::format("cannot open: {}", std::strerror(errno)),
                        "Check the spelling of the path and the permissions", m_path);
        struct stat status {};
        const bool is_known = ::fstat(m_descriptor, &status) == 0;
        if (is_known && S_ISREG(status.st_mode)) {
            if (status.st_size == 0) fail("the file is empty", "Get the file anew");
            ::posix_fadvise(m_descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
            return;
        }
        if (is_known && S_ISDIR(status.st_mode)) fail("is a folder", "Name the files in it");
        fail("is not a plain file",
             "Evidence needs a digest, so write the stream to a file first and name that file");
    }
    ~FileInput() override { ::close(m_descriptor); }
    FileInput(const FileInput&) = delete;
    FileInput& operator=(const FileInput&) = delete;

    std::size_t read(char* to, std::size_t size_bytes) override {
        for (;;) {
            const auto got = ::read(m_descriptor, to, size_bytes);
            if (got >= 0) return static_cast<std::size_t>(got);
            if (errno != EINTR)
                throw Error(ErrorKind::input, fmt::format("reading failed: {}", std::strerror(errno)),
                            "Check the disk or copy the file anew", m_path);
        }
    }

  private:
    [[noreturn]] void fail(const char* message, const char* hint) {
        ::close(m_descriptor);
        throw Error(ErrorKind::input, message, hint, m_path);
    }

    std::string m_path;
    int m_descriptor = -1;
};

class MemoryInput final : public RawInput {
  public:
    MemoryInput(std::string bytes, std::size_t piece_bytes_max)
        : m_bytes(std::move(bytes)), m_piece_bytes_max(piece_bytes_max) {}
    std::size_t read(char* to, std::size_t size_bytes) override {
        const auto count = std::min({size_bytes, m_piece_bytes_max, m_bytes.size() - m_done});
        std::memcpy(to, m_bytes.data() + m_done, count);
        m_done += count;
        return count;
    }

  private:
    std::string m_bytes;
    std::size_t m_piece_bytes_max;
    std::size_t m_done = 0;
};

constexpr std::size_t input_bytes = 256u << 10;

}  // namespace

std::unique_ptr<RawInput> open_file_input(const std::string& path) {
    return std::make_unique<FileInput>(path);
}

std::unique_ptr<RawInput> memory_input(std::string bytes, std::size_t piece_bytes_max) {
    return std::make_unique<MemoryInput>(std::move(bytes), piece_bytes_max);
}

struct ByteStream::State {
    enum class Packing { none, gzip, zstd, xz };

    State(std::unique_ptr<RawInput> raw_input, std::string shown_path)
        : raw(std::move(raw_input)), path(std::move(shown_path)) {}
    ~State() {
        if (packing == Packing::gzip) ::inflateEnd(&gzip);
        if (packing == Packing::xz) ::lzma_end(&xz);
        ::ZSTD_freeDStream(zstd);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    std::unique_ptr<RawInput> raw;
    std::string path;
    Sha256 sha;
    std::uint64_t disk_bytes = 0;
    bool is_raw_at_end = false;

    // What was read and not yet unpacked.
    std::vector<char> input = std::vector<char>(input_bytes);
    std::size_t begin = 0;
    std::size_t end = 0;

    Packing packing = Packing::none;
    z_stream gzip{};
    ZSTD_DStream* zstd = nullptr;
    lzma_stream xz = LZMA_STREAM_INIT;
    bool is_between_members = false;  // all that was begun is complete
    bool is_finished = false;

    std::size_t read_raw(char* to, std::size_t size_bytes) {
        if (is_raw_at_end || size_bytes == 0) return 0;
        const auto got = raw->read(to, size_bytes);
        if (got == 0) is_raw_at_end = true;
        sha.update(to, got);
        disk_bytes += got;
        return got;
    }

    bool refill() {
        if (begin < end) return true;
        begin = 0;
        end = read_raw(input.data(), input.size());
        return end > 0;
    }

    std::uint64_t offset() const { return disk_bytes - (end - begin); }

    [[noreturn]] void fail_cut(const char* tool) const {
        throw Error(ErrorKind::input,
                    fmt::format("the compressed data ends too early, at byte {} of the file", disk_bytes),
                    fmt::format("The file was cut: copy or download it again (`{} FILE` must succeed)", tool),
                    path);
    }
    [[noreturn]] void fail_damaged(const char* tool, std::string_view detail) const {
        throw Error(
            ErrorKind::input,
            fmt::format("the compressed data is damaged near byte {} of the file ({})", offset(), detail),
            fmt::format("Copy or download the file again (`{} FILE` must succeed)", tool), path);
    }

    void detect(const EvidenceLimits& limits) {
        // Six bytes tell; a source may hand them out one by one.
        while (end < 6) {
            const auto got = read_raw(input.data() + end, input.size() - end);
            if (got == 0) break;
            end += got;
        }
        const std::string_view head(input.data(), end);
        const auto begins = [&](std::string_view magic) { return head.starts_with(magic); };
        if (begins("\x1f\x8b")) {
            if (::inflateInit2(&gzip, 15 + 16) != Z_OK)
                throw Error(ErrorKind::run, "zlib could not be started");
            packing = Packing::gzip;
        } else if (begins("\x28\xb5\x2f\xfd") || (head.size() >= 4 && (head[0] & '\xf0') == '\x50' &&
                                                  head.substr(1, 3) == "\x2a\x4d\x18")) {
            packing = Packing::zstd;
            zstd = ::ZSTD_createDStream();
            if (!zstd) throw Error(ErrorKind::run, "zstd could not be started");
            ::ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, limits.zstd_window_log_max);
            is_between_members = true;
        } else if (begins(std::string_view("\xfd\x37\x7a\x58\x5a\x00", 6))) {
            if (::lzma_stream_decoder(&xz, limits.xz_memory_bytes_max, LZMA_CONCATENATED) != LZMA_OK)
                throw Error(ErrorKind::run, "xz could not be started");
            packing = Packing::xz;
        } else if (begins("BZh")) {
            throw Error(ErrorKind::input, "is packed with bzip2, which is not read",
                        "Pack it anew: bunzip2 --stdout FILE | zstd > FILE.zst", path);
        } else if (begins("PK\x03\x04")) {
            throw Error(ErrorKind::input, "is a zip archive (or a spreadsheet), which is not read",
                        "Unpack it and name the files inside", path);
        }
    }

    std::size_t read_gzip(char* to, std::size_t size_bytes) {
        gzip.next_out = reinterpret_cast<Bytef*>(to);
        gzip.avail_out = static_cast<uInt>(std::min<std::size_t>(size_bytes, 1u << 30));
        const auto wanted = gzip.avail_out;
        while (gzip.avail_out > 0) {
            if (!refill()) {
                if (is_between_members) break;
                if (gzip.avail_out < wanted) break;  // hand out what came; the next call reports the cut
                fail_cut("gzip -t");
            }
            if (is_between_members) {
                // Tape-like tools pad with zeros; anything else must be another member (RFC 1952,
                // section 2.2).
                if (input[begin] == 0) {
                    ++begin;
                    continue;
                }
                if (input[begin] != '\x1f')
                    fail_damaged("gzip -t", "bytes after the end that are no gzip member");
                ::inflateReset(&gzip);
                is_between_members = false;
            }
            gzip.next_in = reinterpret_cast<Bytef*>(input.data() + begin);
            gzip.avail_in = static_cast<uInt>(end - begin);
            const int code = ::inflate(&gzip, Z_NO_FLUSH);
            begin = end - gzip.avail_in;
            if (code == Z_STREAM_END)
                is_between_members = true;
            else if (code != Z_OK && code != Z_BUF_ERROR)
                fail_damaged("gzip -t", gzip.msg ? gzip.msg : "not gzip");
        }
        return wanted - gzip.avail_out;
    }

    std::size_t read_zstd(char* to, std::size_t size_bytes) {
        ZSTD_outBuffer out{to, size_bytes, 0};
        while (out.pos < out.size) {
            if (!refill()) {
                // Nothing more on disk, but the decoder may still hold output.
                ZSTD_inBuffer none{nullptr, 0, 0};
                const auto before = out.pos;
                if (is_between_members) break;
                const auto left = ::ZSTD_decompressStream(zstd, &out, &none);
                if (::ZSTD_isError(left)) fail_damaged("zstd -t", ::ZSTD_getErrorName(left));
                is_between_members = left == 0;
                if (out.pos > before) continue;
                if (is_between_members || out.pos > 0) break;
                fail_cut("zstd -t");
            }
            ZSTD_inBuffer in{input.data(), end, begin};
            const auto left = ::ZSTD_decompressStream(zstd, &out, &in);
            if (::ZSTD_isError(left)) {
                if (::ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
                    throw Error(
                        ErrorKind::input, "was packed with a window above 128 MiB, too large to read safely",
                        "Pack it anew without --long: zstd -d --long=31 --stdout FILE | zstd > NEW.zst",
                        path);
                fail_damaged("zstd -t", ::ZSTD_getErrorName(left));
            }
            begin = in.pos;
            is_between_members = left == 0;
        }
        return out.pos;
    }

    std::size_t read_xz(char* to, std::size_t size_bytes) {
        if (is_finished) return 0;
        xz.next_out = reinterpret_cast<std::uint8_t*>(to);
        xz.avail_out = size_bytes;
        while (xz.avail_out > 0) {
            const bool has_input = refill();
            xz.next_in = reinterpret_cast<const std::uint8_t*>(input.data() + begin);
            xz.avail_in = end - begin;
            const auto before = xz.avail_out;
            const auto code = ::lzma_code(&xz, has_input ? LZMA_RUN : LZMA_FINISH);
            begin = end - xz.avail_in;
            if (code == LZMA_STREAM_END) {
                is_finished = true;
                break;
            }
            if (code == LZMA_BUF_ERROR || (code == LZMA_OK && !has_input && xz.avail_out == before)) {
                if (xz.avail_out < size_bytes) break;
                if (!has_input) fail_cut("xz -t");
                fail_damaged("xz -t", "no progress");
            }
            if (code == LZMA_MEMLIMIT_ERROR)
                throw Error(ErrorKind::input, "needs more memory to unpack than is safe",
                            "Pack it anew: xz -dc FILE | zstd > FILE.zst", path);
            if (code == LZMA_FORMAT_ERROR && offset() > 0)
                fail_damaged("xz -t", "bytes after the end that are no xz stream");
            if (code != LZMA_OK) fail_damaged("xz -t", fmt::format("xz error {}", static_cast<int>(code)));
        }
        return size_bytes - xz.avail_out;
    }

    std::size_t read_plain(char* to, std::size_t size_bytes) {
        if (begin == end) return read_raw(to, size_bytes);
        const auto count = std::min(size_bytes, end - begin);
        std::memcpy(to, input.data() + begin, count);
        begin += count;
        return count;
    }
};

ByteStream::ByteStream(std::unique_ptr<RawInput> input, std::string path, const EvidenceLimits& limits)
    : m_state(std::make_unique<State>(std::move(input), std::move(path))) {
    m_state->detect(limits);
}
ByteStream::~ByteStream() = default;
ByteStream::ByteStream(ByteStream&&) noexcept = default;

std::size_t ByteStream::read(char* to, std::size_t size_bytes) {
    switch (m_state->packing) {
        case State::Packing::gzip:
            return m_state->read_gzip(to, size_bytes);
        case State::Packing::zstd:
            return m_state->read_zstd(to, size_bytes);
        case State::Packing::xz:
            return m_state->read_xz(to, size_bytes);
        case State::Packing::none:
            break;
    }
    return m_state->read_plain(to, size_bytes);
}

std::string_view ByteStream::compression() const {
    switch (m_state->packing) {
        case State::Packing::gzip:
            return "gzip";
        case State::Packing::zstd:
            return "zstd";
        case State::Packing::xz:
            return "xz";
        case State::Packing::none:
            break;
    }
    return "none";
}

const std::string& ByteStream::path() const {
    return m_state->path;
}
std::uint64_t ByteStream::disk_bytes() const {
    return m_state->disk_bytes;
}

std::string ByteStream::finish_sha256() {
    UNVEIL_ASSERT(m_state->is_raw_at_end);
    return m_state->sha.finish_hex();
}

void ByteStream::finish(SourceReport& report) {
    report.compression = compression();
    report.sha256 = finish_sha256();
    report.bytes = disk_bytes();
}

}  // namespace unveil
