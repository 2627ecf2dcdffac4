// OONI measurements from any bytes, every view touched. First byte: limits; second: size of the pieces.
#include <algorithm>

#include "core/error.hpp"
#include "evidence/ooni.hpp"
#include "read_whole.hpp"

namespace {

std::uint64_t touch(std::string_view text) {
    std::uint64_t sum = text.size();
    for (const char c : text) sum += static_cast<unsigned char>(c);
    return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size < 2) return 0;
    std::string bytes(reinterpret_cast<const char*>(data + 2), size - 2);
    const auto limits = fuzz::small_limits(data[0]);
    try {
        const auto source = open_measurements_from(memory_input(std::move(bytes), std::max<std::size_t>(1, data[1])), "m.jsonl", 0, limits);
        MeasurementBatch batch;
        std::uint64_t kept = 0;
        std::uint64_t sum = 0;
        std::uint64_t row_before = 0;
        while (source->next(batch)) {
            fuzz::require(batch.size > 0 && batch.size <= MeasurementSource::batch_measurements_max);
            kept += batch.size;
            for (const Measurement& m : batch.all()) {
                fuzz::require(m.where.row > row_before && !m.test_name.empty());
                row_before = m.where.row;
                for (const auto text : {m.report_id, m.test_name, m.test_version, m.country, m.network_name, m.input, m.domain, m.blocking()}) sum += touch(text);
                for (const auto& key : m.keys) sum += touch(key.name) + touch(key.value);
                for (const auto* queries : {&m.queries, &m.duplicate_answers})
                    for (const auto& query : *queries) {
                        fuzz::require(query.answers_begin <= query.answers_end && query.answers_end <= m.answers.size());
                        sum += touch(query.hostname) + touch(query.failure) + touch(query.resolver);
                        for (const auto& answer : m.answers_of(query)) sum += touch(answer.address) + touch(answer.name);
                    }
                for (const auto& connect : m.connects) sum += touch(connect.address) + touch(connect.failure);
                for (const auto& handshake : m.handshakes) sum += touch(handshake.endpoint) + touch(handshake.server_name) + touch(handshake.failure);
                for (const auto& request : m.requests) {
                    fuzz::require(request.headers_begin <= request.headers_end && request.headers_end <= m.headers.size());
                    sum += touch(request.url) + touch(request.body_json) + touch(http_title(request)) + touch(http_body(request, 1000));
                }
                for (const auto& header : m.headers) sum += touch(header.name) + touch(header.value);
                for (const auto& target : m.targets) sum += touch(target.name) + touch(target.failure);
                for (const auto& connect : m.control.connects) sum += touch(connect.endpoint) + touch(connect.failure);
                for (const auto& address : m.control.dns_addresses) sum += touch(address);
                sum += touch(m.control.title);
            }
        }
        fuzz::require(kept == source->report().tally.kept());
        if (sum == 1) std::abort();
    } catch (const Error& error) {
        fuzz::require(error.kind() != ErrorKind::internal);
    }
    return 0;
}
