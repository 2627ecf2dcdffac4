// What every post did, kept on disk while evidence is read and streamed back once it is known whose posts matter: tiers and
// rhythm look at all posts of the accounts that act together, not only at those that met.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/scratch.hpp"

namespace unveil::coordination {

constexpr std::uint32_t no_account = 0xffffffff;
constexpr std::uint32_t reposts_unknown = 0xffffffff;

constexpr std::uint32_t activity_repost = 1;  // repeats another post, known or not
constexpr std::uint32_t activity_reply = 2;
constexpr std::uint32_t activity_quote = 4;

struct ActivityPost {
    std::int64_t time_us;
    std::uint64_t content;           // content_key() of its id
    std::uint64_t repost_of;         // content_key() of the repeated post's id, content_key_none: none or not known
    std::uint32_t account;
    std::uint32_t repost_author;     // account that wrote the repeated post, or no_account
    std::uint32_t post;              // position in the run's input
    std::uint32_t reposts_received;  // as the platform counted, or reposts_unknown
    std::uint32_t topic;             // a number for its leading hashtag or domain; 0: none
    std::uint32_t flags;
};
static_assert(sizeof(ActivityPost) == 48);

class Activity {
  public:
    explicit Activity(const Scratch& scratch) : m_file(scratch.folder, 1 << 18) {}

    void add(const ActivityPost& post) {
        m_file.append(&post, sizeof(post));
        ++m_size;
    }
    /// Must be called between the last add and the first walk.
    void finish() { m_file.flush(); }
    std::uint64_t size() const { return m_size; }

    /// Calls visit(post) for every post in the order of the calls of add(); may be repeated.
    template <typename Visit>
    void for_each(const Visit& visit) const {
        constexpr std::uint64_t block_posts = 4096;
        std::vector<ActivityPost> block(block_posts);
        for (std::uint64_t begin = 0; begin < m_size; begin += block_posts) {
            const std::uint64_t count = std::min(block_posts, m_size - begin);
            m_file.read_at(begin * sizeof(ActivityPost), block.data(), count * sizeof(ActivityPost));
            for (std::uint64_t i = 0; i < count; ++i) visit(block[i]);
        }
    }

  private:
    ScratchFile m_file;
    std::uint64_t m_size = 0;
};

}  // namespace unveil::coordination
