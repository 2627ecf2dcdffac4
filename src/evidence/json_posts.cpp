// Posts out of JSON: flat objects with the columns of a table, or the nested answers of the X/Twitter API v2.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <unordered_map>

#include "core/error.hpp"
#include "evidence/json_reader.hpp"
#include "evidence/table_posts.hpp"

namespace unveil {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

/// A scalar as the text that a CSV cell would hold; empty for null, arrays and objects.
std::string_view scalar_text(element value, TextArena& arena) {
    char* begin;
    char* end;
    switch (value.type()) {
        case simdjson::dom::element_type::STRING:
            return arena.copy(value.get_string().value_unsafe());
        case simdjson::dom::element_type::INT64:
            begin = arena.reserve(32);
            end = fmt::format_to(begin, "{}", value.get_int64().value_unsafe());
            return arena.commit(begin, static_cast<std::size_t>(end - begin));
        case simdjson::dom::element_type::UINT64:
            begin = arena.reserve(32);
            end = fmt::format_to(begin, "{}", value.get_uint64().value_unsafe());
            return arena.commit(begin, static_cast<std::size_t>(end - begin));
        case simdjson::dom::element_type::DOUBLE:
            begin = arena.reserve(64);
            end = fmt::format_to(begin, "{}", value.get_double().value_unsafe());
            return arena.commit(begin, static_cast<std::size_t>(end - begin));
        case simdjson::dom::element_type::BOOL:
            return value.get_bool().value_unsafe() ? "true" : "false";
        default:
            return {};
    }
}

std::string_view member_text(object parent, std::string_view key, TextArena& arena) {
    element value;
    return parent.at_key(key).get(value) == simdjson::SUCCESS ? scalar_text(value, arena)
                                                              : std::string_view();
}

std::optional<object> member_object(object parent, std::string_view key) {
    object value;
    if (parent.at_key(key).get(value) != simdjson::SUCCESS) return {};
    return value;
}

std::optional<array> member_array(object parent, std::string_view key) {
    array value;
    if (parent.at_key(key).get(value) != simdjson::SUCCESS) return {};
    return value;
}

/// What JSON sources share: values are taken apart into posts, and a value may hold more posts than a batch.
class JsonPosts : public TablePosts {
  public:
    bool next(PostBatch& batch) override {
        m_assembler.start_batch(batch, m_evidence);
        if (m_is_finished) return false;
        while (batch.size() < PostBatch::rows_max) {
            if (m_assembler.arena().used_bytes() > batch_bytes_max) {
                if (batch.size() > 0) break;
                m_assembler.arena().clear();
            }
            if (m_next_item == m_items.size()) {
                // Views of this batch are copies, so the next value may replace the one they came from.
                const auto value = m_reader.next(m_report.tally);
                m_record += m_reader.broken_lines();
                if (!value) break;
                m_items.clear();
                m_next_item = 0;
                take_apart(*value);
                continue;
            }
            ++m_record;
            const auto item = m_items[m_next_item++];
            object post;
            const char* reason = "not an object";
            if (item.get(post) == simdjson::SUCCESS) reason = add(batch, post);
            if (reason) {
                const auto where = m_reader.is_document()
                                       ? fmt::format("{}: item {}", m_reader.where(), m_record)
                                       : m_reader.where();
                m_report.tally.skip(reason, where,
                                    m_reader.is_document() ? std::string_view() : m_reader.line_text());
            }
        }
        m_report.tally.keep(batch.size());
        if (batch.size() > 0) return true;
        add_notes(m_report.tally);
        finish(m_reader.stream().finish_sha256(), m_reader.stream().disk_bytes());
        return false;
    }

    std::uint64_t bytes_done() const override { return m_reader.stream().disk_bytes(); }

  protected:
    JsonPosts(JsonReader reader, TableMapping mapping, std::uint32_t evidence, const EvidenceLimits& limits)
        : TablePosts(std::move(mapping), reader.is_document() ? "JSON document" : "JSON lines",
                     reader.stream().path(), evidence, limits),
          m_reader(std::move(reader)) {
        m_report.compression = m_reader.stream().compression();
    }

    /// Puts the posts of a value into m_items.
    virtual void take_apart(element value) = 0;
    /// nullptr, or why the object is no post.
    virtual const char* add(PostBatch& batch, object post) = 0;
    virtual void add_notes(Tally&) const {}

    // A batch ends early when its texts take more than this.
    static constexpr std::size_t batch_bytes_max = 32u << 20;

    JsonReader m_reader;
    std::vector<element> m_items;
    std::size_t m_next_item = 0;
    std::uint64_t m_record = 0;
};

/// A row of a table spelled as a flat object.
class FlatRow {
  public:
    FlatRow(const std::vector<std::optional<element>>& cells, TextArena& arena)
        : m_cells(cells), m_arena(arena) {}
    std::string_view text(std::size_t column) const {
        return m_cells[column] ? scalar_text(*m_cells[column], m_arena) : std::string_view();
    }
    bool list(std::size_t column, std::vector<std::string_view>& items) const {
        array values;
        if (!m_cells[column] || m_cells[column]->get(values) != simdjson::SUCCESS) return false;
        for (const auto value : values)
            if (const auto text = scalar_text(value, m_arena); !text.empty()) items.push_back(text);
        return true;
    }

  private:
    const std::vector<std::optional<element>>& m_cells;
    TextArena& m_arena;
};

class FlatPosts final : public JsonPosts {
  public:
    FlatPosts(JsonReader reader, TableMapping table, std::uint32_t evidence, const EvidenceLimits& limits)
        : JsonPosts(std::move(reader), std::move(table), evidence, limits),
          m_cells(mapping().columns.size()) {
        for (std::size_t i = 0; i < m_cells.size(); ++i) m_column_of.emplace(mapping().columns[i], i);
        for (const auto& known : mapping().format->columns) m_column_of.emplace(known.column, late);
    }

  private:
    void take_apart(element value) override {
        array values;
        if (value.get(values) != simdjson::SUCCESS)
            m_items.push_back(value);
        else
            for (const auto item : values) m_items.push_back(item);
    }

    const char* add(PostBatch& batch, object post) override {
        std::fill(m_cells.begin(), m_cells.end(), std::nullopt);
        for (const auto [key, value] : post) {
            const auto found = m_column_of.find(key);
            if (found == m_column_of.end()) continue;
            if (found->second == late)
                ++m_late_cells;
            else
                m_cells[found->second] = value;
        }
        return m_assembler.add(batch, m_record, FlatRow(m_cells, m_assembler.arena()));
    }

    void add_notes(Tally& tally) const override {
        tally.note("cells of columns that first appear far into the file (not read)", m_late_cells);
    }

    static constexpr std::size_t late = static_cast<std::size_t>(-1);
    std::vector<std::optional<element>> m_cells;
    std::unordered_map<std::string_view, std::size_t> m_column_of;
    std::uint64_t m_late_cells = 0;
};

// Where each field stands in a tweet of the API v2; the names are what `inspect` shows.
constexpr FormatColumn v2_columns[] = {
    {PostField::account, "author_id", CellKind::plain},
    {PostField::content, "id", CellKind::plain},
    {PostField::time, "created_at", CellKind::time},
    {PostField::text, "text", CellKind::plain},
    {PostField::repost_of, "referenced_tweets[retweeted].id", CellKind::plain},
    {PostField::reply_to, "referenced_tweets[replied_to].id", CellKind::plain},
    {PostField::quote_of, "referenced_tweets[quoted].id", CellKind::plain},
    {PostField::urls, "entities.urls[].expanded_url", CellKind::urls},
    {PostField::hashtags, "entities.hashtags[].tag", CellKind::list},
    {PostField::mentions, "entities.mentions[].id", CellKind::list},
    {PostField::is_repost, "referenced_tweets[retweeted]", CellKind::flag},
    {PostField::name, "includes.users[].username", CellKind::plain},
    {PostField::language, "lang", CellKind::plain},
    {PostField::client, "source", CellKind::plain},
    {PostField::repost_author, "includes.tweets[].author_id", CellKind::reference},
    {PostField::account_created, "includes.users[].created_at", CellKind::time},
    {PostField::reposts_received, "public_metrics.retweet_count", CellKind::count},
    {PostField::followers, "includes.users[].public_metrics.followers_count", CellKind::count},
};
constexpr std::size_t v2_column_count = std::size(v2_columns);
constexpr TableFormat v2_format = {"twitter-v2", v2_columns, {}, true, true};

constexpr std::size_t v2_column(PostField field) {
    for (std::size_t i = 0; i < v2_column_count; ++i)
        if (v2_columns[i].field == field) return i;
    return v2_column_count;
}

struct TweetRow {
    std::array<std::string_view, v2_column_count> texts;
    std::vector<std::string_view> urls;
    std::vector<std::string_view> hashtags;
    std::vector<std::string_view> mentions;

    std::string_view text(std::size_t column) const { return texts[column]; }
    bool list(std::size_t column, std::vector<std::string_view>& items) const {
        const auto& found = column == v2_column(PostField::urls)       ? urls
                            : column == v2_column(PostField::hashtags) ? hashtags
                                                                       : mentions;
        items.insert(items.end(), found.begin(), found.end());
        return true;
    }
};

class TweetPosts final : public JsonPosts {
  public:
    TweetPosts(JsonReader reader, TableMapping mapping, std::uint32_t evidence, const EvidenceLimits& limits)
        : JsonPosts(std::move(reader), std::move(mapping), evidence, limits), m_wanted(this->mapping().fields) {}

    void want(PostFields fields) override {
        m_wanted = fields;
        JsonPosts::want(fields);
    }

  private:
    void take_apart(element value) override {
        m_users.reset();
        m_context.reset();
        object answer;
        array values;
        if (value.get(values) == simdjson::SUCCESS) {
            for (const auto item : values) take_apart_answer(item);
        } else if (value.get(answer) == simdjson::SUCCESS) {
            if (const auto includes = member_object(answer, "includes")) {
                m_users = member_array(*includes, "users");
                m_context = member_array(*includes, "tweets");
            }
            take_apart_answer(value);
        } else {
            m_items.push_back(value);
        }
        remember(m_users, m_user_of);
        if (contains(m_wanted, PostField::repost_author)) remember(m_context, m_tweet_of);
    }

    void take_apart_answer(element value) {
        object answer;
        element data;
        if (value.get(answer) != simdjson::SUCCESS) {
            m_items.push_back(value);
        } else if (answer.at_key("data").get(data) == simdjson::SUCCESS) {
            array tweets;
            if (data.get(tweets) != simdjson::SUCCESS)
                m_items.push_back(data);
            else
                for (const auto tweet : tweets) m_items.push_back(tweet);
        } else if (answer.at_key("id").error() != simdjson::SUCCESS &&
                   (answer.at_key("meta").error() == simdjson::SUCCESS ||
                    answer.at_key("errors").error() == simdjson::SUCCESS)) {
            ++m_empty_answers;
        } else {
            m_items.push_back(value);
        }
    }

    using ObjectOf = std::unordered_map<std::string_view, object>;
    static void remember(const std::optional<array>& included, ObjectOf& object_of) {
        object_of.clear();
        if (!included) return;
        for (const auto value : *included) {
            object fields;
            std::string_view id;
            if (value.get(fields) == simdjson::SUCCESS && fields.at_key("id").get(id) == simdjson::SUCCESS)
                object_of.emplace(id, fields);
        }
    }

    /// The account of a tweet: in the tweet itself (twarc2 flatten), else beside the tweets of the answer.
    std::optional<object> author_of(object tweet, std::string_view account) const {
        if (const auto author = member_object(tweet, "author")) return author;
        if (const auto known = m_user_of.find(account); known != m_user_of.end()) return known->second;
        return {};
    }

    /// Who wrote the post that this one repeats: in the reference itself (twarc2 flatten), else beside the tweets.
    std::string_view repost_author(object reference, std::string_view id) {
        auto& arena = m_assembler.arena();
        if (const auto author = member_text(reference, "author_id", arena); !author.empty()) return author;
        const auto known = m_tweet_of.find(id);
        return known == m_tweet_of.end() ? std::string_view() : member_text(known->second, "author_id", arena);
    }

    const char* add(PostBatch& batch, object tweet) override {
        auto& arena = m_assembler.arena();
        TweetRow& row = m_row;
        row.texts.fill({});
        row.urls.clear();
        row.hashtags.clear();
        row.mentions.clear();
        const auto set = [&](PostField field, std::string_view text) { row.texts[v2_column(field)] = text; };
        set(PostField::account, member_text(tweet, "author_id", arena));
        set(PostField::content, member_text(tweet, "id", arena));
        set(PostField::time, member_text(tweet, "created_at", arena));
        set(PostField::text, member_text(tweet, "text", arena));
        set(PostField::language, member_text(tweet, "lang", arena));
        set(PostField::client, member_text(tweet, "source", arena));
        // Posts above 280 characters carry their whole text apart.
        if (const auto note = member_object(tweet, "note_tweet"))
            if (const auto text = member_text(*note, "text", arena); !text.empty())
                set(PostField::text, text);
        if (const auto author = author_of(tweet, row.text(v2_column(PostField::account)))) {
            set(PostField::name, member_text(*author, "username", arena));
            if (contains(m_wanted, PostField::account_created))
                set(PostField::account_created, member_text(*author, "created_at", arena));
            if (contains(m_wanted, PostField::followers))
                if (const auto metrics = member_object(*author, "public_metrics"))
                    set(PostField::followers, member_text(*metrics, "followers_count", arena));
        }
        if (contains(m_wanted, PostField::reposts_received))
            if (const auto metrics = member_object(tweet, "public_metrics"))
                set(PostField::reposts_received, member_text(*metrics, "retweet_count", arena));
        if (const auto references = member_array(tweet, "referenced_tweets")) {
            for (const auto reference : *references) {
                object fields;
                std::string_view kind;
                if (reference.get(fields) != simdjson::SUCCESS ||
                    fields.at_key("type").get(kind) != simdjson::SUCCESS)
                    continue;
                const auto id = member_text(fields, "id", arena);
                if (kind == "retweeted") {
                    set(PostField::repost_of, id);
                    set(PostField::is_repost, "true");
                    if (contains(m_wanted, PostField::repost_author))
                        set(PostField::repost_author, repost_author(fields, id));
                } else if (kind == "quoted") {
                    set(PostField::quote_of, id);
                } else if (kind == "replied_to") {
                    set(PostField::reply_to, id);
                }
            }
        }
        if (const auto entities = member_object(tweet, "entities")) {
            add_items(*entities, "urls", {"unwound_url", "expanded_url", "url"}, row.urls);
            add_items(*entities, "hashtags", {"tag"}, row.hashtags);
            add_items(*entities, "mentions", {"id", "username"}, row.mentions);
        }
        return m_assembler.add(batch, m_record, row);
    }

    /// Of each object in the list, the first of the keys that is there.
    void add_items(object entities, std::string_view list, std::initializer_list<std::string_view> keys,
                   std::vector<std::string_view>& items) {
        const auto found = member_array(entities, list);
        if (!found) return;
        for (const auto item : *found) {
            object fields;
            if (item.get(fields) != simdjson::SUCCESS) continue;
            for (const auto key : keys) {
                const auto text = member_text(fields, key, m_assembler.arena());
                if (text.empty()) continue;
                items.push_back(text);
                break;
            }
        }
    }

    void add_notes(Tally& tally) const override { tally.note("answers without posts", m_empty_answers); }

    PostFields m_wanted;
    std::optional<array> m_users;    // beside the tweets of the answer at hand
    std::optional<array> m_context;  // tweets that the posts refer to
    ObjectOf m_user_of;
    ObjectOf m_tweet_of;
    TweetRow m_row;
    std::uint64_t m_empty_answers = 0;
};

TableMapping v2_mapping() {
    TableMapping mapping;
    mapping.format = &v2_format;
    for (std::size_t i = 0; i < v2_column_count; ++i) {
        mapping.columns.emplace_back(v2_columns[i].column);
        mapping.mapped.push_back({v2_columns[i].field, v2_columns[i].kind, i});
        mapping.fields |= static_cast<PostFields>(v2_columns[i].field);
    }
    return mapping;
}

/// Is this an answer of the API, or a tweet of one?
bool is_tweet(object value) {
    const auto has = [&](std::string_view key) { return value.at_key(key).error() == simdjson::SUCCESS; };
    return has("id") && has("text") &&
           (has("author_id") || has("created_at") || has("edit_history_tweet_ids"));
}

bool is_v2(element value) {
    array values;
    if (value.get(values) == simdjson::SUCCESS) {
        const auto first = values.begin();
        return first != values.end() && (*first).is_object() && is_v2(*first);
    }
    object top;
    if (value.get(top) != simdjson::SUCCESS) return false;
    if (is_tweet(top)) return true;
    element data;
    if (top.at_key("data").get(data) != simdjson::SUCCESS) return false;
    object tweet;
    if (data.get(tweet) == simdjson::SUCCESS) return is_tweet(tweet);
    array tweets;
    if (data.get(tweets) != simdjson::SUCCESS) return false;
    const auto first = tweets.begin();
    return first != tweets.end() && (*first).get(tweet) == simdjson::SUCCESS && is_tweet(tweet);
}

/// The keys of flat objects, in the order in which they first appear.
class KeyCollector {
  public:
    explicit KeyCollector(std::size_t keys_max) : m_keys_max(keys_max) {}
    std::vector<std::string>& keys() { return m_keys; }

    void look(element value) {
        constexpr std::size_t items_max = 1000;
        array values;
        if (value.get(values) == simdjson::SUCCESS) {
            std::size_t count = 0;
            for (const auto item : values)
                if (item.is_object() && count++ < items_max) look(item);
            return;
        }
        object top;
        if (value.get(top) != simdjson::SUCCESS) return;
        for (const auto [key, ignored] : top)
            if (m_keys.size() < m_keys_max && m_seen.emplace(key).second) m_keys.emplace_back(key);
    }

  private:
    std::size_t m_keys_max;
    std::set<std::string, std::less<>> m_seen;
    std::vector<std::string> m_keys;
};

}  // namespace

std::unique_ptr<PostSource> make_json_posts(InputBuffer input, const EvidenceOptions& options,
                                            std::uint32_t evidence, const EvidenceLimits& limits) {
    constexpr std::size_t values_looked_at = 1000;
    JsonReader reader(std::move(input), limits);
    bool is_api_answer = options.format == "twitter-v2";
    KeyCollector collector(limits.columns_max);
    reader.look_ahead(values_looked_at, [&](element value) {
        if (options.format.empty() && is_v2(value)) is_api_answer = true;
        collector.look(value);
    });
    if (options.format.empty() && detect_table_format(collector.keys())) is_api_answer = false;
    if (is_api_answer) {
        if (!options.columns.empty())
            throw Error(ErrorKind::usage, "--columns says nothing about twitter-v2, whose fields are nested",
                        "Leave it away, or read the top-level keys as columns with --format table",
                        reader.stream().path());
        return std::make_unique<TweetPosts>(std::move(reader), v2_mapping(), evidence, limits);
    }
    auto mapping = map_table(std::move(collector.keys()), options, reader.stream().path(), limits);
    return std::make_unique<FlatPosts>(std::move(reader), std::move(mapping), evidence, limits);
}

}  // namespace unveil
