// What counts as "the same object": the traces. Each turns posts into (post, object) rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "instruments/coordination/edges.hpp"
#include "table/post.hpp"

namespace unveil::coordination {

enum class Trace {
    co_share,
    co_retweet,
    co_link,
    co_domain,
    co_hashtag,
    hashtag_sequence,
    co_mention,
    co_reply,
    co_quote,
    exact_text,
    near_text,
};

struct TraceDescription {
    Trace trace;
    std::string_view name;
    PostFields any_of;      // the evidence must have one of these fields
    PostFields also;        // used when there
    bool is_specific;       // part of `--traces auto`: broad objects such as domains must be asked for
    std::string_view help;
};
std::span<const TraceDescription> trace_descriptions();
const TraceDescription& description_of(Trace trace);

struct TraceOptions {
    Semantics semantics = Semantics::native;
    bool include_reposts = false;    // in the traces of a post's own content
    std::size_t hashtags_min = 5;    // of a sequence (Pacheco et al., ICWSM 2021)
};

/// The rows that one batch gives for one trace. Views live until the next call.
class TraceRows {
  public:
    void extract(Trace trace, const PostBatch& batch, const TraceOptions& options);

    std::span<const std::uint32_t> posts() const { return m_posts; }        // positions in the batch
    std::span<const std::string_view> objects() const { return m_objects; }

  private:
    void add(std::size_t post, std::string_view object);
    void add_made(std::size_t post);
    void add_distinct(std::size_t post);
    void finish();

    std::vector<std::uint32_t> m_posts;
    std::vector<std::string_view> m_objects;
    std::string m_made;                       // strings made here, one after another
    std::vector<std::size_t> m_made_ends;     // with the row they belong to
    std::vector<std::size_t> m_made_rows;
    std::vector<std::string> m_items;         // of the post in work
};

/// The text without addresses and mentions, folded (NFKC_Casefold), blanks collapsed; empty when fewer than 8 Han, Kana,
/// Hangul or Thai characters and fewer than 20 others are left: too little to say that two posts share it.
std::string comparable_text(std::string_view text);

/// What stands for a comparable text where objects are named: "text:" and 128 bits of hash. The text itself is not printed.
std::string text_name(std::string_view comparable);

/// QUT's co-tweet text: lower case, "@..." up to the next blank removed, blanks collapsed.
std::string qut_text(std::string_view text);

}  // namespace unveil::coordination
