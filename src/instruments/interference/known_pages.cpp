#include "instruments/interference/known_pages.hpp"

#include <string>
#include <utility>

namespace unveil {

KnownPage best_match(const interference::FingerprintSet& fingerprints, const std::vector<std::uint32_t>& places) {
    KnownPage best;
    for (const auto place : places) {
        const auto& fingerprint = fingerprints.at(place);
        if (fingerprint.scope == "fp") return {};
        const bool is_wide = fingerprint.scope == "nat" || fingerprint.scope == "isp";
        if (best.fingerprint != 0 && (best.is_wide || !is_wide)) continue;
        best = {place + 1, is_wide};
    }
    return best;
}

std::unique_ptr<TcpStream> PageWatch::begin(const Packet& first) {
    if (m_fingerprints == nullptr || !m_fingerprints->has_pages()) return nullptr;
    if (m_open >= pages_open_max) {
        ++m_not_compared;
        return nullptr;
    }
    auto page = std::make_unique<TcpStream>(OverlapPolicy::first, page_bytes_max);
    page->start(first.sequence);
    ++m_open;
    return page;
}

bool PageWatch::add(TcpStream& page, const Packet& packet) {
    page.add(packet.sequence, packet.payload);
    return page.front().size() >= page_bytes_max || packet.has_flag(tcp_flag::fin);
}

KnownPage PageWatch::end(std::unique_ptr<TcpStream> page) {
    --m_open;
    const auto front = page->front();
    if (parse_http_response(front, m_head) != HttpParse::done) return {};
    std::vector<std::uint32_t> places;
    std::string name;
    for (const auto& [written, value] : m_head.headers) {
        name.assign(written);
        for (char& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        for (const auto& more : {m_fingerprints->of_header(name, value), m_fingerprints->of_expressions("header." + name, value)})
            places.insert(places.end(), more.begin(), more.end());
    }
    const auto in_body = m_fingerprints->of_page(http_body(front, m_head, page_bytes_max));
    places.insert(places.end(), in_body.begin(), in_body.end());
    return best_match(*m_fingerprints, places);
}

}  // namespace unveil
