// Any file at all: detection, unpacking and whatever reader follows. First byte: limits; second: size of the
// pieces.
#include <algorithm>

#include "read_whole.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size < 2) return 0;
    std::string bytes(reinterpret_cast<const char*>(data + 2), size - 2);
    // Parquet is DuckDB's to read, and needs a file.
    if (bytes.starts_with("PAR1")) return 0;
    fuzz::read_whole(std::move(bytes), {}, fuzz::small_limits(data[0]), std::max<std::size_t>(1, data[1]));
    return 0;
}
