// How much of a hostile file may be held at once. Every allocation that evidence can steer is bounded by one
// of these.
#pragma once

#include <cstddef>
#include <cstdint>

namespace unveil {

struct EvidenceLimits {
    std::size_t record_bytes_max = 16u
                                   << 20;  // a CSV record or a JSON line; longer ones are counted and skipped
    std::size_t read_bytes = 512u << 10;   // asked from the file at once; the usual size of the read buffer
    std::size_t columns_max = 4096;        // of a table
    std::size_t list_items_max = 65'536;   // in one cell; the rest is cut and noted
    std::size_t document_bytes_max = 256u << 20;  // a JSON document that is not one object a line
    std::uint64_t xz_memory_bytes_max = 512u << 20;
    int zstd_window_log_max = 27;  // 128 MiB, what zstd gives without --long
};

}  // namespace unveil
