// JSON of any bytes, as what it seems to be or as a table. First byte: limits and format; second: size of the
// pieces.
#include <algorithm>

#include "read_whole.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size < 2) return 0;
    const auto limits = fuzz::small_limits(data[0]);
    EvidenceOptions options;
    if (data[0] & 2) options.columns = {{"account", "a"}, {"time", "t"}, {"hashtags", "h"}, {"text", "x"}};
    if (data[0] & 4) options.format = "twitter-v2", options.columns.clear();
    const std::string bytes = "{" + std::string(reinterpret_cast<const char*>(data + 2), size - 2);
    fuzz::read_whole(bytes, options, limits, std::max<std::size_t>(1, data[1]));
    return 0;
}
