// What is remembered of every account and post beside the traces, for tiers, rhythm and scores against controls.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "instruments/coordination/activity.hpp"
#include "instruments/coordination/dictionary.hpp"
#include "table/post.hpp"

namespace unveil::coordination {

class Profiles {
  public:
    explicit Profiles(const Scratch& scratch) : m_activity(scratch) {}

    /// The columns it can use.
    static PostFields fields();
    /// `account_numbers` and `content_keys` of the batch's posts; accounts whose posts were repeated get numbers in
    /// `accounts` as well, without being posters.
    void add(const PostBatch& batch, std::span<const std::uint32_t> account_numbers,
             std::span<const std::uint64_t> content_keys, std::uint32_t first_post, bool is_control, Dictionary& accounts);

    /// Must be called between the last add and the first use of activity().
    void finish() { m_activity.finish(); }
    const Activity& activity() const { return m_activity; }
    const Dictionary& topics() const { return m_topics; }
    const Dictionary& labels() const { return m_labels; }
    /// By account number; none for accounts beyond the end.
    std::int64_t created_us(std::uint32_t account) const {
        return account < m_created_us.size() ? m_created_us[account] : PostBatch::time_unknown;
    }
    /// Number in labels(), 0 for none.
    std::uint32_t label(std::uint32_t account) const { return account < m_label.size() ? m_label[account] : 0; }
    bool is_poster(std::uint32_t account) const { return account < m_is_poster.size() && m_is_poster[account] != 0; }
    bool is_control(std::uint32_t account) const { return account < m_is_control.size() && m_is_control[account] != 0; }
    /// By account number. Whoever posts in an input as well is no control; returns how many those are.
    std::uint64_t settle_controls(std::uint32_t accounts);
    const std::vector<std::uint8_t>& controls() const { return m_is_control; }
    std::uint64_t control_accounts() const { return static_cast<std::uint64_t>(std::count(m_is_control.begin(), m_is_control.end(), 1)); }
    std::uint64_t control_posts() const { return m_control_posts; }
    bool has_controls() const { return m_has_controls; }
    std::uint64_t memory_bytes() const;

  private:
    Activity m_activity;
    Dictionary m_topics;   // number 0 is "no topic"
    Dictionary m_labels;   // number 0 is "no label"
    std::vector<std::int64_t> m_created_us;
    std::vector<std::uint32_t> m_label;
    std::vector<std::uint8_t> m_is_control;
    std::vector<std::uint8_t> m_is_poster;
    std::vector<std::uint8_t> m_is_of_inputs;
    std::uint64_t m_control_posts = 0;
    bool m_has_controls = false;
    std::vector<std::uint32_t> m_authors;
    std::vector<std::uint32_t> m_topic_numbers;
    std::vector<std::uint32_t> m_label_numbers;
    std::vector<std::string_view> m_views;
};

}  // namespace unveil::coordination
