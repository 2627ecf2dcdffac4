// Any bytes as a request and as a response. Everything read lies within the stream, a body keeps its limit, and a head that is done stays so when
// more bytes follow.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "net/http.hpp"

namespace {

void require_http(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    const std::span<const std::uint8_t> bytes(data, size);
    const auto* const begin = reinterpret_cast<const char*>(data);
    const auto is_within = [&](std::string_view text) { return text.empty() || (text.data() >= begin && text.data() + text.size() <= begin + size); };
    std::vector<std::uint8_t> longer(bytes.begin(), bytes.end());
    longer.insert(longer.end(), {'a', ':', '\n', '\n'});
    static HttpHead head;
    for (const auto parse : {parse_http_request, parse_http_response}) {
        const HttpParse result = parse(bytes, head);
        require_http(head.headers.size() <= 256 && head.head_bytes <= size);
        for (const auto& [name, value] : head.headers) require_http(is_within(name) && is_within(value) && !name.empty());
        require_http(is_within(head.method) && is_within(head.target) && is_within(head.version) && is_within(head.reason));
        if (result != HttpParse::done) continue;
        require_http(head.head_bytes > 0 && head.status <= 999);
        const std::string body = http_body(bytes, head, 5'000);
        require_http(body.size() <= 5'000 && html_title(body).size() <= body.size());
        require_http(percent_decoded(head.target).size() <= head.target.size());
        HttpHead again;
        require_http(parse(longer, again) == HttpParse::done && again.head_bytes == head.head_bytes && again.headers == head.headers);
    }
    return 0;
}
