// Reads a whole source into rows that own their text, so that tests can compare them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "evidence/table_posts.hpp"

namespace unveil::testing {

struct PostRow {
    std::uint64_t row = 0;
    std::int64_t time_us = 0;
    std::string account, content, object, text, repost_of, reply_to, quote_of, name, language, client, repost_author,
        label;
    std::vector<std::string> urls, hashtags, mentions, domains;
    bool is_repost = false;
    std::int64_t account_created_us = PostBatch::time_unknown;
    std::uint64_t reposts_received = PostBatch::count_unknown;
    std::uint64_t followers = PostBatch::count_unknown;
    bool operator==(const PostRow&) const = default;
};

struct ReadResult {
    std::vector<PostRow> posts;
    SourceReport report;
};

inline ReadResult read_all(PostSource& source) {
    ReadResult result;
    PostBatch batch;
    const auto cell = [](const std::vector<std::string_view>& column, std::size_t i) {
        return column.empty() ? std::string() : std::string(column.at(i));
    };
    const auto list = [](const ListColumn& column, std::size_t i) {
        std::vector<std::string> items;
        if (!column.ends.empty())
            for (const auto& item : column.of(i)) items.emplace_back(item);
        return items;
    };
    while (source.next(batch)) {
        if (batch.size() == 0 || batch.size() > PostBatch::rows_max)
            throw std::logic_error("a batch of no valid size");
        for (std::size_t i = 0; i < batch.size(); ++i) {
            PostRow row;
            row.row = batch.row[i];
            row.time_us = batch.time_us.at(i);
            row.account = batch.account.at(i);
            row.content = batch.content.at(i);
            row.object = cell(batch.object, i);
            row.text = cell(batch.text, i);
            row.repost_of = cell(batch.repost_of, i);
            row.reply_to = cell(batch.reply_to, i);
            row.quote_of = cell(batch.quote_of, i);
            row.name = cell(batch.name, i);
            row.language = cell(batch.language, i);
            row.client = cell(batch.client, i);
            row.repost_author = cell(batch.repost_author, i);
            row.label = cell(batch.label, i);
            if (!batch.account_created_us.empty()) row.account_created_us = batch.account_created_us.at(i);
            if (!batch.reposts_received.empty()) row.reposts_received = batch.reposts_received.at(i);
            if (!batch.followers.empty()) row.followers = batch.followers.at(i);
            row.urls = list(batch.urls, i);
            row.hashtags = list(batch.hashtags, i);
            row.mentions = list(batch.mentions, i);
            row.domains = list(batch.domains, i);
            row.is_repost = !batch.is_repost.empty() && batch.is_repost.at(i) != 0;
            result.posts.push_back(std::move(row));
        }
    }
    result.report = source.report();
    return result;
}

inline ReadResult read_bytes(std::string bytes, const EvidenceOptions& options = {},
                             EvidenceLimits limits = {}, std::size_t piece_bytes_max = SIZE_MAX) {
    const auto source =
        open_posts_from(memory_input(std::move(bytes), piece_bytes_max), "posts.csv", options, 0, limits);
    return read_all(*source);
}

inline ReadResult read_file(const std::string& path, const EvidenceOptions& options = {}) {
    const auto source = open_posts(path, options, 0);
    return read_all(*source);
}

}  // namespace unveil::testing
