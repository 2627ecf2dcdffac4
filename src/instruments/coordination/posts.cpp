#include "instruments/coordination/posts.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace unveil::coordination {

std::uint32_t Posts::add(Locator locator, std::string_view id, std::int64_t time_us) {
    if (m_size == 0xffffffff)
        throw Error(ErrorKind::run, "more than 4,294,967,295 posts in one run", "Split the evidence by time");
    const bool continues = !m_runs.empty() && m_runs.back().first.evidence == locator.evidence &&
                           m_runs.back().first.row + (m_size - m_runs.back().first_post) == locator.row;
    if (!continues) m_runs.push_back({m_size, locator});
    if (m_keep_ids) {
        m_ids.insert(m_ids.end(), id.begin(), id.end());
        m_id_ends.push_back(m_ids.size());
        m_times_us.push_back(time_us);
    }
    return m_size++;
}

Locator Posts::locator(std::uint32_t post) const {
    UNVEIL_ASSERT(post < m_size);
    auto run = std::upper_bound(m_runs.begin(), m_runs.end(), post,
                                [](std::uint32_t value, const Run& r) { return value < r.first_post; });
    --run;
    return {run->first.evidence, run->first.row + (post - run->first_post)};
}

std::string_view Posts::id(std::uint32_t post) const {
    UNVEIL_ASSERT(m_keep_ids && post < m_size);
    const std::uint64_t begin = post == 0 ? 0 : m_id_ends[post - 1];
    return {m_ids.data() + begin, m_id_ends[post] - begin};
}

std::uint64_t Posts::memory_bytes() const {
    return m_runs.capacity() * sizeof(Run) + m_ids.capacity() + (m_id_ends.capacity() + m_times_us.capacity()) * 8;
}

}  // namespace unveil::coordination
