#include "instruments/coordination/profiles.hpp"

#include <algorithm>

#include "instruments/coordination/row_store.hpp"

namespace unveil::coordination {

PostFields Profiles::fields() {
    return PostField::repost_of | PostField::is_repost | PostField::reply_to | PostField::quote_of | PostField::repost_author |
           PostField::account_created | PostField::reposts_received | PostField::hashtags | PostField::domains | PostField::label;
}

void Profiles::add(const PostBatch& batch, std::span<const std::uint32_t> account_numbers,
                   std::span<const std::uint64_t> content_keys, std::uint32_t first_post, bool is_control,
                   Dictionary& accounts) {
    const std::size_t size = batch.size();
    if (m_topics.size() == 0) {
        constexpr std::string_view none[] = {""};
        std::uint32_t zero = 0;
        m_topics.number(none, &zero);
        m_labels.number(none, &zero);
    }
    m_authors.assign(size, no_account);
    if (!batch.repost_author.empty()) {
        // Only authors that are there are numbered: the empty name must not become an account.
        m_views.clear();
        for (const auto author : batch.repost_author)
            if (!author.empty()) m_views.push_back(author);
        std::vector<std::uint32_t> found(m_views.size());
        accounts.number(m_views, found.data());
        std::size_t next = 0;
        for (std::size_t i = 0; i < size; ++i)
            if (!batch.repost_author[i].empty()) m_authors[i] = found[next++];
    }
    m_topic_numbers.assign(size, 0);
    if (!batch.hashtags.ends.empty() || !batch.domains.ends.empty()) {
        m_views.assign(size, {});
        for (std::size_t i = 0; i < size; ++i) {
            if (!batch.hashtags.ends.empty() && !batch.hashtags.of(i).empty()) m_views[i] = batch.hashtags.of(i).front();
            else if (!batch.domains.ends.empty() && !batch.domains.of(i).empty()) m_views[i] = batch.domains.of(i).front();
        }
        m_topics.number(m_views, m_topic_numbers.data());
    }
    m_label_numbers.assign(size, 0);
    if (!batch.label.empty()) m_labels.number(batch.label, m_label_numbers.data());

    for (std::size_t i = 0; i < size; ++i) {
        const std::uint32_t account = account_numbers[i];
        if (account >= m_created_us.size()) {
            const std::size_t grown = std::max<std::size_t>(account + std::size_t{1}, m_created_us.size() * 2);
            m_created_us.resize(grown, PostBatch::time_unknown);
            m_label.resize(grown, 0);
            m_is_control.resize(grown, 0);
            m_is_poster.resize(grown, 0);
            m_is_of_inputs.resize(grown, 0);
        }
        m_is_poster[account] = 1;
        // What a later row says of the same account must not depend on the order of rows: the earliest date, and the label
        // whose bytes come first.
        if (!batch.account_created_us.empty() && batch.account_created_us[i] != PostBatch::time_unknown) {
            std::int64_t& created_us = m_created_us[account];
            created_us = created_us == PostBatch::time_unknown ? batch.account_created_us[i]
                                                               : std::min(created_us, batch.account_created_us[i]);
        }
        if (m_label_numbers[i] != 0) {
            std::uint32_t& label = m_label[account];
            if (label == 0 || m_labels.string(m_label_numbers[i]) < m_labels.string(label)) label = m_label_numbers[i];
        }
        if (is_control) {
            m_is_control[account] = 1;
            m_has_controls = true;
            ++m_control_posts;
        } else {
            m_is_of_inputs[account] = 1;
        }
        ActivityPost post{};
        post.time_us = batch.time_us[i];
        post.content = content_keys[i];
        post.repost_of = batch.repost_of.empty() || batch.repost_of[i].empty() ? content_key_none : content_key(batch.repost_of[i]);
        post.account = account;
        post.repost_author = m_authors[i];
        post.post = first_post + static_cast<std::uint32_t>(i);
        post.reposts_received = batch.reposts_received.empty() || batch.reposts_received[i] == PostBatch::count_unknown
                                    ? reposts_unknown
                                    : static_cast<std::uint32_t>(std::min<std::uint64_t>(batch.reposts_received[i], reposts_unknown - 1));
        post.topic = m_topic_numbers[i];
        const auto has = [i](const std::vector<std::string_view>& column) { return !column.empty() && !column[i].empty(); };
        if (post.repost_of != content_key_none || (!batch.is_repost.empty() && batch.is_repost[i] != 0)) post.flags |= activity_repost;
        if (has(batch.reply_to)) post.flags |= activity_reply;
        if (has(batch.quote_of)) post.flags |= activity_quote;
        m_activity.add(post);
    }
}

std::uint64_t Profiles::settle_controls(std::uint32_t accounts) {
    m_is_control.resize(std::max<std::size_t>(accounts, m_is_control.size()), 0);
    std::uint64_t both = 0;
    for (std::size_t account = 0; account < m_is_of_inputs.size(); ++account)
        if (m_is_control[account] != 0 && m_is_of_inputs[account] != 0) {
            m_is_control[account] = 0;
            ++both;
        }
    return both;
}

std::uint64_t Profiles::memory_bytes() const {
    return m_topics.memory_bytes() + m_labels.memory_bytes() + m_created_us.capacity() * 8 + m_label.capacity() * 4 +
           m_is_control.capacity() * 3;
}

}  // namespace unveil::coordination
