#include "core/scratch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.hpp"

namespace unveil {
namespace {

[[noreturn]] void throw_scratch_error(const std::string& folder) {
    throw Error(ErrorKind::run, std::string("scratch file failed: ") + std::strerror(errno),
                "Give a folder with more room with --scratch, or raise --memory-limit", folder);
}

}  // namespace

struct ScratchFile::State {
    std::string folder;
    int descriptor = -1;
    std::uint64_t flushed_bytes = 0;
    std::size_t buffer_bytes = 0;
    std::vector<char> buffer;

    ~State() {
        if (descriptor >= 0) ::close(descriptor);
    }
    void write_out() {
        std::size_t done = 0;
        while (done < buffer.size()) {
            const auto wrote = ::write(descriptor, buffer.data() + done, buffer.size() - done);
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote < 0) throw_scratch_error(folder);
            done += static_cast<std::size_t>(wrote);
        }
        flushed_bytes += buffer.size();
        buffer.clear();
    }
};

ScratchFile::ScratchFile(const std::string& folder, std::size_t buffer_bytes) : m_state(std::make_unique<State>()) {
    m_state->folder = folder;
    m_state->buffer_bytes = buffer_bytes;
    std::string name = folder + "/unveil-scratch-XXXXXX";
    m_state->descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (m_state->descriptor < 0) throw_scratch_error(folder);
    ::unlink(name.c_str());
}

ScratchFile::~ScratchFile() = default;
ScratchFile::ScratchFile(ScratchFile&&) noexcept = default;
ScratchFile& ScratchFile::operator=(ScratchFile&&) noexcept = default;

void ScratchFile::append(const void* data, std::size_t size_bytes) {
    auto& buffer = m_state->buffer;
    if (buffer.capacity() == 0) buffer.reserve(m_state->buffer_bytes);
    if (buffer.size() + size_bytes > m_state->buffer_bytes) m_state->write_out();
    const auto* bytes = static_cast<const char*>(data);
    buffer.insert(buffer.end(), bytes, bytes + size_bytes);
}

void ScratchFile::flush() {
    m_state->write_out();
    m_state->buffer.shrink_to_fit();
}

std::uint64_t ScratchFile::size_bytes() const { return m_state->flushed_bytes + m_state->buffer.size(); }

void ScratchFile::read_at(std::uint64_t offset, void* data, std::size_t size_bytes) const {
    UNVEIL_ASSERT(m_state->buffer.empty() && offset + size_bytes <= m_state->flushed_bytes);
    auto* bytes = static_cast<char*>(data);
    while (size_bytes > 0) {
        const auto got = ::pread(m_state->descriptor, bytes, size_bytes, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw_scratch_error(m_state->folder);
        bytes += got;
        offset += static_cast<std::uint64_t>(got);
        size_bytes -= static_cast<std::size_t>(got);
    }
}

}  // namespace unveil
