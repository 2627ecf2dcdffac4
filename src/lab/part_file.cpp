#include "lab/part_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/error.hpp"

namespace unveil {

PartFile::PartFile(std::string path) : m_path(std::move(path)), m_part(m_path + ".part") {
    m_descriptor = ::open(m_part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (m_descriptor < 0) fail();
    m_buffer.reserve(buffer_bytes + (1 << 14));
}

PartFile::~PartFile() {
    if (m_descriptor < 0) return;
    ::close(m_descriptor);
    ::unlink(m_part.c_str());
}

void PartFile::fail() const {
    throw Error(ErrorKind::run, std::string("cannot write: ") + std::strerror(errno),
                "Check that the folder is writable and the disk is not full", m_part);
}

void PartFile::flush() {
    std::string_view bytes = m_buffer;
    while (!bytes.empty()) {
        const auto wrote = ::write(m_descriptor, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) fail();
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    m_buffer.clear();
}

void PartFile::finish() {
    flush();
    if (::fsync(m_descriptor) != 0) fail();
    if (::close(std::exchange(m_descriptor, -1)) != 0) fail();
    if (std::rename(m_part.c_str(), m_path.c_str()) != 0) fail();
}

}  // namespace unveil
