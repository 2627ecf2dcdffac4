// Numbers for names, so that millions of flows can carry one. Names are lower case, without the last dot, and fit to be printed.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace unveil {

class NameBook {
  public:
    static constexpr std::size_t names_max = 1'000'000;
    static constexpr std::size_t name_bytes_max = 255;

    /// 0 for an empty or overlong name, and when there are too many.
    std::uint32_t number(std::string_view name);
    std::string_view name(std::uint32_t number) const { return number == 0 ? std::string_view() : std::string_view(m_names[number - 1]); }
    std::size_t size() const { return m_names.size(); }
    std::uint64_t left_out() const { return m_left_out; }

    static constexpr std::size_t requests_max = 100'000;
    /// Of the text that a request asks for (request_text); 0 when there are too many.
    std::uint32_t request_number(std::string_view target);
    std::string_view request(std::uint32_t number) const { return number == 0 ? std::string_view() : std::string_view(m_requests[number - 1]); }

    static constexpr std::size_t issuers_max = 1 << 16;
    static constexpr std::size_t issuer_bytes_max = 120;
    /// Of who signed a certificate, letter case kept; 0 for an empty text, and when there are too many.
    std::uint32_t issuer_number(std::string_view text);
    std::string_view issuer(std::uint32_t number) const { return number == 0 ? std::string_view() : std::string_view(m_issuers[number - 1]); }

  private:
    std::deque<std::string> m_names;
    std::unordered_map<std::string_view, std::uint32_t> m_numbers;
    std::deque<std::string> m_requests;
    std::unordered_map<std::string_view, std::uint32_t> m_request_numbers;
    std::deque<std::string> m_issuers;
    std::unordered_map<std::string_view, std::uint32_t> m_issuer_numbers;
    std::string m_folded;
    std::uint64_t m_left_out = 0;
};

}  // namespace unveil
