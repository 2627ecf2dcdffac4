// A capture from any bytes, followed and judged, with block pages to look for. First byte: limits; second: size of the pieces. The same flows with signs
// must come out however the bytes are cut into pieces.
#include <algorithm>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "evidence/capture.hpp"
#include "instruments/interference/capture_book.hpp"
#include "instruments/interference/capture_watch.hpp"
#include "read_whole.hpp"

namespace unveil::fuzz {

inline const interference::FingerprintSet& watched_pages() {
    using interference::Fingerprint;
    static const interference::FingerprintSet set({
        {"address", "nat", "dns", "192.0.2.1", Fingerprint::Match::full, {"IT"}, 5},
        {"page", "isp", "body", "blocked", Fingerprint::Match::contains, {"IT"}, 5},
        {"short", "prod", "body", "no", Fingerprint::Match::contains, {}, 5},
        {"server", "prod", "header.server", "wall", Fingerprint::Match::prefix, {}, 5},
        {"fine", "fp", "body", "parked", Fingerprint::Match::contains, {}, 5},
    });
    return set;
}

inline std::uint64_t watch_capture(const std::string& bytes, const EvidenceLimits& limits, std::size_t piece) {
    std::uint64_t seen = 0;
    const auto see = [&](std::uint64_t value) { seen = seen * 0x9E3779B97F4A7C15 + value; };
    try {
        const auto source = open_capture_from(memory_input(bytes, piece), "c.pcap", 0, limits);
        NameBook names;
        CaptureBook book(built_in_facts(), names, {});
        std::uint64_t flows = 0;
        CaptureWatch watch(built_in_facts(), names,
                           {[&](const FlowRecord& flow) {
                                ++flows;
                                require((flow.fingerprint != 0) == ((flow.signs & sign::page_known) != 0));
                                require(flow.fingerprint <= 4);
                                book.add(flow);
                            },
                            [&](const RateRecord& rate) { book.add(rate); }},
                           &watched_pages());
        std::vector<Frame> batch;
        while (source->next(batch)) watch.add(batch);
        watch.finish();
        book.judge();
        see(watch.counts().packets);
        see(flows);
        for (const auto& judged : book.flows()) {
            see(judged.flow.signs);
            see(judged.flow.fingerprint);
            for (const auto frame : judged.flow.frames) see(frame);
        }
        for (const auto& verdict : book.verdicts()) {
            require(verdict.p_value >= 0 && verdict.p_value <= 1 && verdict.q_value >= 0 && verdict.q_value <= 1);
            see(verdict.is_firm);
            see(hash_bytes(verdict.trigger));
        }
    } catch (const Error& error) {
        require(error.kind() != ErrorKind::internal);
    }
    return seen;
}

}  // namespace unveil::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size < 2) return 0;
    const auto limits = fuzz::small_limits(data[0] & 0xFEu);   // those of captures are of blocks, and small ones refuse all
    const std::string bytes(reinterpret_cast<const char*>(data + 2), size - 2);
    fuzz::require(fuzz::watch_capture(bytes, limits, std::max<std::size_t>(1, data[1])) == fuzz::watch_capture(bytes, limits, SIZE_MAX));
    return 0;
}
