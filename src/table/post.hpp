// The record that social-media evidence yields: who posted what, when, pointing at which objects.
// Sources fill PostBatches column by column; instruments read them. Only asked-for columns are filled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/locator.hpp"
#include "table/source.hpp"

namespace unveil {

/// Bits of a set; the names users know them by are in post_field_names().
enum class PostField : std::uint32_t {
    account = 1u << 0,         // who posted; never empty
    content = 1u << 1,         // id of the post itself; never empty
    time = 1u << 2,            // always there
    object = 1u << 3,          // a ready-made shared object (CooRTweet's object_id)
    text = 1u << 4,
    repost_of = 1u << 5,       // id of the post that this one repeats
    reply_to = 1u << 6,
    quote_of = 1u << 7,
    urls = 1u << 8,            // lists
    hashtags = 1u << 9,        // without '#', as written
    mentions = 1u << 10,
    domains = 1u << 11,
    is_repost = 1u << 12,      // known to be a repeat even when the id of the original is missing
    name = 1u << 13,           // screen name shown beside the account id
    language = 1u << 14,
    client = 1u << 15,
    repost_author = 1u << 16,     // account that wrote the repeated post
    account_created = 1u << 17,   // when the account was opened
    reposts_received = 1u << 18,  // how often the post was repeated, as the platform counted
    followers = 1u << 19,         // of the account, when the evidence was collected
    label = 1u << 20,             // what somebody else calls the account or its campaign; never used to find anything
};
using PostFields = std::uint32_t;  // a union of PostField bits
constexpr PostFields operator|(PostField a, PostField b) {
    return static_cast<PostFields>(a) | static_cast<PostFields>(b);
}
constexpr PostFields operator|(PostFields a, PostField b) { return a | static_cast<PostFields>(b); }
constexpr bool contains(PostFields fields, PostField field) { return (fields & static_cast<PostFields>(field)) != 0; }

struct PostFieldName {
    PostField field;
    std::string_view name;  // as in --columns account=user_id
};
std::span<const PostFieldName> post_field_names();
std::string_view post_field_name(PostField field);

/// Cells that hold lists, flattened: the items of row i are items[ends[i-1]..ends[i]).
struct ListColumn {
    std::vector<std::uint32_t> ends;
    std::vector<std::string_view> items;
    std::span<const std::string_view> of(std::size_t row) const {
        const std::size_t begin = row == 0 ? 0 : ends[row - 1];
        return {items.data() + begin, ends[row] - begin};
    }
    void clear() {
        ends.clear();
        items.clear();
    }
};

/// Up to rows_max posts in columns. Views point into memory owned by the source and die with the next call of next().
/// A column that the evidence lacks or nobody asked for stays empty; all other columns have size() entries.
struct PostBatch {
    static constexpr std::size_t rows_max = 2048;
    static constexpr std::int64_t time_unknown = INT64_MIN;     // in account_created_us
    static constexpr std::uint64_t count_unknown = UINT64_MAX;  // in reposts_received and followers
    // What no platform has ever counted is no count; a sum over 18 million posts still fits.
    static constexpr std::uint64_t count_max = 1'000'000'000'000;

    std::uint32_t evidence = 0;       // position in the run's inputs
    std::vector<std::uint64_t> row;   // data record number from 1, see Locator
    std::vector<std::int64_t> time_us;
    std::vector<std::string_view> account;
    std::vector<std::string_view> content;
    std::vector<std::string_view> object;
    std::vector<std::string_view> text;
    std::vector<std::string_view> repost_of;
    std::vector<std::string_view> reply_to;
    std::vector<std::string_view> quote_of;
    std::vector<std::string_view> name;
    std::vector<std::string_view> language;
    std::vector<std::string_view> client;
    std::vector<std::string_view> repost_author;
    std::vector<std::string_view> label;
    std::vector<std::int64_t> account_created_us;
    std::vector<std::uint64_t> reposts_received;
    std::vector<std::uint64_t> followers;
    ListColumn urls;
    ListColumn hashtags;
    ListColumn mentions;
    ListColumn domains;
    std::vector<std::uint8_t> is_repost;

    std::size_t size() const { return row.size(); }
    void clear();
};

/// One evidence file being read. next() throws Error(input) for what ends the reading (truncated gzip, no such
/// column), counts in the tally what can be skipped, and is called from one thread only.
class PostSource : public RecordSource {
  public:
    /// Columns that the evidence can give; known before the first batch.
    virtual PostFields fields() const = 0;
    /// Asks for columns; account, content and time are always given. Call before the first next().
    virtual void want(PostFields fields) = 0;
    /// Fills `batch` with at least one post, or returns false at the end.
    virtual bool next(PostBatch& batch) = 0;
};

}  // namespace unveil
