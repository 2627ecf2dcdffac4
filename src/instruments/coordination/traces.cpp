#include "instruments/coordination/traces.hpp"

#include <fmt/format.h>
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "instruments/coordination/canonical_url.hpp"

namespace unveil::coordination {
namespace {

constexpr PostFields only(PostField field) { return static_cast<PostFields>(field); }
constexpr PostFields repost_fields = PostField::repost_of | PostField::is_repost;

constexpr std::array<TraceDescription, 11> descriptions = {{
    {Trace::co_share, "co-share", only(PostField::object), 0, true,
     "the ready-made object column of the evidence"},
    {Trace::co_retweet, "co-retweet", only(PostField::repost_of), 0, true, "the post that is repeated"},
    {Trace::co_link, "co-link", only(PostField::urls), repost_fields, true,
     "a web address, in canonical spelling (host folded, default ports, fragments and tracking parameters off)"},
    {Trace::co_domain, "co-domain", PostField::urls | PostField::domains, repost_fields, false,
     "the host of a web address without www."},
    {Trace::co_hashtag, "co-hashtag", only(PostField::hashtags), repost_fields, false, "a hashtag, case folded"},
    {Trace::hashtag_sequence, "hashtag-sequence", only(PostField::hashtags), repost_fields, true,
     "the ordered list of a post's hashtags, when it has at least hashtags-min different ones"},
    {Trace::co_mention, "co-mention", only(PostField::mentions), repost_fields, false, "an account that is mentioned"},
    {Trace::co_reply, "co-reply", only(PostField::reply_to), repost_fields, true, "the post that is replied to"},
    {Trace::co_quote, "co-quote", only(PostField::quote_of), repost_fields, true, "the post that is quoted"},
    {Trace::exact_text, "exact-text", only(PostField::text), repost_fields, true,
     "the same text once addresses, mentions, case and blanks are put aside"},
    {Trace::near_text, "near-text", only(PostField::text), repost_fields, false,
     "nearly the same text: at least --text-similarity of its short runs of characters in common"},
}};

bool is_repost(const PostBatch& batch, std::size_t post) {
    return (!batch.is_repost.empty() && batch.is_repost[post] != 0) ||
           (!batch.repost_of.empty() && !batch.repost_of[post].empty());
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_address_character(char c) { return c > 0x20 && c < 0x7f; }

/// Calls use(word) for each run of bytes that are not blank.
template <typename Use>
void for_each_word(std::string_view text, const Use& use) {
    for (std::size_t i = 0; i < text.size();) {
        while (i < text.size() && is_blank(text[i])) ++i;
        const std::size_t begin = i;
        while (i < text.size() && !is_blank(text[i])) ++i;
        if (i > begin) use(text.substr(begin, i - begin));
    }
}

bool is_dense_script(UChar32 c) {
    return u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) || (c >= 0x3040 && c <= 0x30ff) || (c >= 0xac00 && c <= 0xd7a3) ||
           (c >= 0x0e01 && c <= 0x0e5b);
}

bool says_enough(std::string_view text) {
    constexpr int dense_min = 8;
    constexpr int other_min = 20;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    int dense = 0;
    int other = 0;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(text.size());) {
        UChar32 c;
        U8_NEXT(bytes, i, static_cast<std::int32_t>(text.size()), c);
        if (c < 0) continue;
        if (is_dense_script(c)) ++dense;
        else if (u_isalnum(c)) ++other;
    }
    return dense >= dense_min || other >= other_min;
}

}  // namespace

std::span<const TraceDescription> trace_descriptions() { return descriptions; }

const TraceDescription& description_of(Trace trace) { return descriptions[static_cast<std::size_t>(trace)]; }

std::string comparable_text(std::string_view text) {
    std::string kept;
    for_each_word(text, [&](std::string_view word) {
        // Addresses and mentions also stand inside a run of Chinese text without blanks.
        while (!word.empty()) {
            const auto cut = std::min({word.find("http://"), word.find("https://"), word.find('@'), word.size()});
            if (cut > 0) {
                if (!kept.empty()) kept += ' ';
                kept += word.substr(0, cut);
            }
            word.remove_prefix(cut);
            const bool is_mention = word.starts_with('@');
            std::size_t end = is_mention ? 1 : 0;
            while (end < word.size() && (is_mention ? is_name_character(word[end]) : is_address_character(word[end])))
                ++end;
            word.remove_prefix(end);
        }
    });
    std::string out = folded(kept);
    if (!says_enough(out)) return {};
    return out;
}

std::string text_name(std::string_view comparable) {
    const Hash128 hash = hash128_bytes(comparable);
    return fmt::format("text:{:016x}{:016x}", hash.high, hash.low);
}

std::string qut_text(std::string_view text) {
    std::string kept;
    for_each_word(text, [&](std::string_view word) {
        word = word.substr(0, word.find('@'));
        if (word.empty()) return;
        if (!kept.empty()) kept += ' ';
        kept += word;
    });
    std::string lower;
    icu::UnicodeString::fromUTF8(kept).toLower(icu::Locale::getRoot()).toUTF8String(lower);
    return lower;
}

void TraceRows::add(std::size_t post, std::string_view object) {
    m_posts.push_back(static_cast<std::uint32_t>(post));
    m_objects.push_back(object);
}

void TraceRows::add_made(std::size_t post) {
    m_made_rows.push_back(m_posts.size());
    m_made_ends.push_back(m_made.size());
    add(post, {});
}

void TraceRows::add_distinct(std::size_t post) {
    std::sort(m_items.begin(), m_items.end());
    m_items.erase(std::unique(m_items.begin(), m_items.end()), m_items.end());
    for (const auto& item : m_items) {
        if (item.empty()) continue;
        m_made += item;
        add_made(post);
    }
    m_items.clear();
}

void TraceRows::finish() {
    // Views are taken last: the string may have moved while it grew.
    std::size_t begin = 0;
    for (std::size_t i = 0; i < m_made_rows.size(); ++i) {
        m_objects[m_made_rows[i]] = std::string_view(m_made).substr(begin, m_made_ends[i] - begin);
        begin = m_made_ends[i];
    }
}

void TraceRows::extract(Trace trace, const PostBatch& batch, const TraceOptions& options) {
    m_posts.clear();
    m_objects.clear();
    m_made.clear();
    m_made_ends.clear();
    m_made_rows.clear();
    const bool is_native = options.semantics == Semantics::native;
    const auto each = [&](const std::vector<std::string_view>& column) {
        for (std::size_t post = 0; post < column.size(); ++post)
            if (!column[post].empty()) add(post, column[post]);
    };
    const bool skip_reposts = !options.include_reposts && options.semantics != Semantics::coortweet;
    // A run over several inputs also meets batches of inputs that lack the column.
    const auto own_posts = [&](bool has_column, const auto& use) {
        if (!has_column) return;
        for (std::size_t post = 0; post < batch.size(); ++post)
            if (!skip_reposts || !is_repost(batch, post)) use(post);
    };
    const auto own_items = [&](const ListColumn& column, const auto& made) {
        own_posts(!column.ends.empty(), [&](std::size_t post) {
            for (const auto item : column.of(post)) m_items.push_back(made(item));
            add_distinct(post);
        });
    };
    const auto as_given = [](std::string_view item) { return std::string(item); };
    switch (trace) {
        case Trace::co_share: each(batch.object); break;
        case Trace::co_retweet: each(batch.repost_of); break;
        case Trace::co_reply:
            own_posts(!batch.reply_to.empty(), [&](std::size_t post) {
                if (!batch.reply_to[post].empty()) add(post, batch.reply_to[post]);
            });
            break;
        case Trace::co_quote:
            own_posts(!batch.quote_of.empty(), [&](std::size_t post) {
                if (!batch.quote_of[post].empty()) add(post, batch.quote_of[post]);
            });
            break;
        case Trace::co_link:
            if (is_native) own_items(batch.urls, [](std::string_view item) { return canonical_url(item); });
            else own_items(batch.urls, as_given);
            break;
        case Trace::co_domain:
            if (!batch.domains.ends.empty()) own_items(batch.domains, [&](std::string_view item) { return is_native ? folded(item) : std::string(item); });
            else own_items(batch.urls, [](std::string_view item) { return url_host(item); });
            break;
        case Trace::co_hashtag:
            if (is_native) own_items(batch.hashtags, [](std::string_view item) { return folded(item); });
            else own_items(batch.hashtags, as_given);
            break;
        case Trace::co_mention: own_items(batch.mentions, as_given); break;
        case Trace::hashtag_sequence:
            own_posts(!batch.hashtags.ends.empty(), [&](std::size_t post) {
                for (const auto item : batch.hashtags.of(post)) m_items.push_back(folded(item));
                auto distinct = m_items;
                std::sort(distinct.begin(), distinct.end());
                const auto different = std::unique(distinct.begin(), distinct.end()) - distinct.begin();
                if (static_cast<std::size_t>(different) >= options.hashtags_min) {
                    for (std::size_t i = 0; i < m_items.size(); ++i) m_made += (i > 0 ? " #" : "#") + m_items[i];
                    add_made(post);
                }
                m_items.clear();
            });
            break;
        case Trace::exact_text:
            own_posts(!batch.text.empty(), [&](std::size_t post) {
                const std::string text =
                    options.semantics == Semantics::qut ? qut_text(batch.text[post]) : comparable_text(batch.text[post]);
                if (text.empty()) return;
                m_made += text_name(text);
                add_made(post);
            });
            break;
        case Trace::near_text:
            own_posts(!batch.text.empty(), [&](std::size_t post) {
                const std::string text = comparable_text(batch.text[post]);
                if (text.empty()) return;
                m_made += text;
                add_made(post);
            });
            break;
    }
    finish();
}

}  // namespace unveil::coordination
