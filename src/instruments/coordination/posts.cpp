#include "instruments/coordination/posts.hpp"

#include <algorithm>
#include <cstring>

#include "core/error.hpp"
#include "instruments/coordination/row_store.hpp"

namespace unveil::coordination {

Posts::Posts(bool keep_ids, const Scratch& scratch) {
    if (keep_ids) m_ids.emplace(scratch.folder, 1 << 18);
}

std::uint32_t Posts::add(Locator locator, std::string_view id, std::uint64_t key) {
    if (m_size == 0xffffffff)
        throw Error(ErrorKind::run, "more than 4,294,967,295 posts in one run", "Split the evidence by time");
    const bool continues = !m_runs.empty() && m_runs.back().first.evidence == locator.evidence &&
                           m_runs.back().first.row + (m_size - m_runs.back().first_post) == locator.row;
    if (!continues) m_runs.push_back({m_size, locator});
    if (m_ids && !is_number_key(key)) {
        if (m_named.size() % block_posts == 0) m_block_begins.push_back(m_id_bytes);
        const auto length = static_cast<std::uint32_t>(id.size());
        m_ids->append(&length, sizeof(length));
        m_ids->append(id.data(), id.size());
        m_id_bytes += sizeof(length) + id.size();
        m_named.push_back(m_size);
    }
    return m_size++;
}

void Posts::finish() {
    if (m_ids) m_ids->flush();
}

Locator Posts::locator(std::uint32_t post) const {
    UNVEIL_ASSERT(post < m_size);
    auto run = std::upper_bound(m_runs.begin(), m_runs.end(), post,
                                [](std::uint32_t value, const Run& r) { return value < r.first_post; });
    --run;
    return {run->first.evidence, run->first.row + (post - run->first_post)};
}

std::string Posts::id(std::uint32_t post, std::uint64_t key) const {
    UNVEIL_ASSERT(m_ids && post < m_size);
    if (is_number_key(key)) return std::to_string(key);
    const auto named = static_cast<std::size_t>(std::lower_bound(m_named.begin(), m_named.end(), post) - m_named.begin());
    UNVEIL_ASSERT(named < m_named.size() && m_named[named] == post);
    std::uint64_t offset = m_block_begins[named / block_posts];
    const std::size_t next = named / block_posts + 1;
    const std::uint64_t end = next < m_block_begins.size() ? m_block_begins[next] : m_id_bytes;
    std::string block(end - offset, 0);
    m_ids->read_at(offset, block.data(), block.size());
    offset = 0;
    std::uint32_t length = 0;
    for (std::size_t before = named % block_posts;; --before) {
        std::memcpy(&length, block.data() + offset, sizeof(length));
        offset += sizeof(length);
        if (before == 0) return block.substr(offset, length);
        offset += length;
    }
}

std::uint64_t Posts::memory_bytes() const { return m_runs.capacity() * sizeof(Run) + m_block_begins.capacity() * 8 + m_named.capacity() * 4; }

}  // namespace unveil::coordination
