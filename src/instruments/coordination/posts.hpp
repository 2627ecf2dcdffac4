// What must be remembered of each post beside the rows of the traces: where it stands in the evidence and, when pairs
// are written, its id and time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/locator.hpp"

namespace unveil::coordination {

class Posts {
  public:
    explicit Posts(bool keep_ids) : m_keep_ids(keep_ids) {}

    /// Numbers posts in the order of the calls.
    std::uint32_t add(Locator locator, std::string_view id, std::int64_t time_us);
    std::uint32_t size() const { return m_size; }
    Locator locator(std::uint32_t post) const;
    /// Only when ids are kept.
    std::string_view id(std::uint32_t post) const;
    std::int64_t time_us(std::uint32_t post) const { return m_times_us[post]; }
    std::uint64_t memory_bytes() const;

  private:
    struct Run {
        std::uint32_t first_post;
        Locator first;
    };
    bool m_keep_ids;
    std::uint32_t m_size = 0;
    std::vector<Run> m_runs;  // posts whose rows follow each other without a gap
    std::vector<char> m_ids;
    std::vector<std::uint64_t> m_id_ends;
    std::vector<std::int64_t> m_times_us;
};

}  // namespace unveil::coordination
