// Splits work over threads so that the answer cannot depend on how many there are.
#pragma once

#include <cstddef>
#include <functional>

namespace unveil {

/// Calls work(part) for part = 0..parts-1 on up to `threads` threads, in any order; the first exception is rethrown
/// after all threads have ended. Callers keep one result slot per part and fold them in part order.
void parallel_parts(std::size_t parts, unsigned threads, const std::function<void(std::size_t)>& work);

}  // namespace unveil
