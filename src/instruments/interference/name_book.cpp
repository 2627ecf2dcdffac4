#include "instruments/interference/name_book.hpp"

#include "core/text.hpp"
#include "instruments/interference/request_words.hpp"

namespace unveil {

std::uint32_t NameBook::number(std::string_view name) {
    if (!name.empty() && name.back() == '.') name.remove_suffix(1);
    if (name.empty()) return 0;
    if (name.size() > name_bytes_max) {
        ++m_left_out;
        return 0;
    }
    m_folded.clear();
    for (const char c : name) m_folded.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
    for (const char c : m_folded)
        if (c < 0x21 || c > 0x7E) {
            m_folded = printable(m_folded, name_bytes_max);
            break;
        }
    if (const auto known = m_numbers.find(m_folded); known != m_numbers.end()) return known->second;
    if (m_names.size() >= names_max) {
        ++m_left_out;
        return 0;
    }
    m_names.push_back(m_folded);
    const auto number = static_cast<std::uint32_t>(m_names.size());
    m_numbers.emplace(m_names.back(), number);
    return number;
}

std::uint32_t NameBook::request_number(std::string_view target) {
    std::string text = request_text(target);
    if (const auto known = m_request_numbers.find(text); known != m_request_numbers.end()) return known->second;
    if (m_requests.size() >= requests_max) {
        ++m_left_out;
        return 0;
    }
    m_requests.push_back(std::move(text));
    const auto number = static_cast<std::uint32_t>(m_requests.size());
    m_request_numbers.emplace(m_requests.back(), number);
    return number;
}

std::uint32_t NameBook::issuer_number(std::string_view text) {
    std::string fit = printable(text, issuer_bytes_max);
    if (fit.empty()) return 0;
    if (const auto known = m_issuer_numbers.find(fit); known != m_issuer_numbers.end()) return known->second;
    if (m_issuers.size() >= issuers_max) {
        ++m_left_out;
        return 0;
    }
    m_issuers.push_back(std::move(fit));
    const auto number = static_cast<std::uint32_t>(m_issuers.size());
    m_issuer_numbers.emplace(m_issuers.back(), number);
    return number;
}

}  // namespace unveil
