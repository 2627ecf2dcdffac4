#include "core/error.hpp"

#include <utility>

namespace unveil {

Error::Error(ErrorKind kind, std::string message, std::string hint, std::string where)
    : m_kind(kind), m_message(std::move(message)), m_hint(std::move(hint)), m_where(std::move(where)) {
    if (!m_where.empty()) m_full = m_where + ": ";
    m_full += m_message;
    if (!m_hint.empty()) m_full += ". " + m_hint;
}

void assertion_failed(const char* condition, const char* file, int line) {
    throw Error(ErrorKind::internal, std::string("internal check failed: ") + condition,
                "This is a defect of unveil; please report it with the command you ran",
                std::string(file) + ":" + std::to_string(line));
}

}  // namespace unveil
