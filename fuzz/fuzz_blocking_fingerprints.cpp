// Lists of block pages from any bytes. First byte: limits; second: size of the pieces. The same fingerprints must come out however the bytes are cut.
#include <algorithm>

#include "core/error.hpp"
#include "evidence/blocking_fingerprints.hpp"
#include "read_whole.hpp"

namespace unveil::fuzz {

inline std::string fingerprints_read_whole(const std::string& bytes, const EvidenceLimits& limits, std::size_t piece) {
    std::string out;
    try {
        const auto source = open_blocking_fingerprints_from(memory_input(bytes, piece), "list.csv", limits);
        std::vector<BlockingFingerprint> batch;
        std::uint64_t kept = 0;
        while (source->next(batch)) {
            kept += batch.size();
            for (const auto& one : batch) {
                require(!one.name.empty() && !one.pattern.empty());
                out += one.name + '\x1f' + one.location + '\x1f' + one.pattern + '\x1f' + std::to_string(one.countries.size()) + '\n';
            }
        }
        require(kept == source->report().tally.kept());
        out += std::to_string(source->report().tally.skipped());
    } catch (const Error& error) {
        require(error.kind() != ErrorKind::internal);
        out = "refused";  // which fault is told first may depend on the pieces
    }
    return out;
}

}  // namespace unveil::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size < 2) return 0;
    const auto limits = fuzz::small_limits(data[0]);
    std::string bytes("name,scope,location_found,pattern_type,pattern,expected_countries,confidence_no_fp\n");
    if ((data[1] & 1) != 0) bytes.clear();
    bytes.append(reinterpret_cast<const char*>(data + 2), size - 2);
    fuzz::require(fuzz::fingerprints_read_whole(bytes, limits, std::max<std::size_t>(1, data[1])) == fuzz::fingerprints_read_whole(bytes, limits, SIZE_MAX));
    return 0;
}
