// What must be remembered of each post beside the rows of the traces: where it stands in the evidence and, when pairs
// are written, its id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/locator.hpp"
#include "core/scratch.hpp"

namespace unveil::coordination {

class Posts {
  public:
    /// Ids are needed again only for the few posts that lead to an edge. Those that are their own content_key() are not
    /// kept at all, the others go to a scratch file: 4 bytes of memory for each of them.
    Posts(bool keep_ids, const Scratch& scratch);

    /// Numbers posts in the order of the calls; `key` is the id's content_key().
    std::uint32_t add(Locator locator, std::string_view id, std::uint64_t key);
    /// Must be called between the last add and the first id.
    void finish();
    std::uint32_t size() const { return m_size; }
    Locator locator(std::uint32_t post) const;
    /// Only when ids are kept. At most one read of the scratch file.
    std::string id(std::uint32_t post, std::uint64_t key) const;
    std::uint64_t memory_bytes() const;

  private:
    static constexpr std::uint32_t block_posts = 32;
    struct Run {
        std::uint32_t first_post;
        Locator first;
    };
    std::uint32_t m_size = 0;
    std::vector<Run> m_runs;  // posts whose rows follow each other without a gap
    std::optional<ScratchFile> m_ids;  // of m_named, each a length in 4 bytes and the bytes
    std::vector<std::uint32_t> m_named;  // posts whose id is not a number
    std::uint64_t m_id_bytes = 0;
    std::vector<std::uint64_t> m_block_begins;
};

}  // namespace unveil::coordination
