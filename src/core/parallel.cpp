#include "core/parallel.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace unveil {

void parallel_parts(std::size_t parts, unsigned threads, const std::function<void(std::size_t)>& work) {
    if (threads <= 1 || parts <= 1) {
        for (std::size_t part = 0; part < parts; ++part) work(part);
        return;
    }
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    const auto loop = [&] {
        for (;;) {
            const auto part = next.fetch_add(1);
            if (part >= parts) return;
            try {
                work(part);
            } catch (...) {
                const std::lock_guard lock(failure_mutex);
                if (!failure) failure = std::current_exception();
                next.store(parts);
            }
        }
    };
    std::vector<std::jthread> pool;
    for (unsigned i = 1; i < threads && i < parts; ++i) pool.emplace_back(loop);
    loop();
    pool.clear();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace unveil
