// Reads a source to its end as an instrument would, touching every byte it hands out, and checks what must
// always hold.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "evidence/table_posts.hpp"

namespace unveil::fuzz {

/// Small, so that limits are reached by inputs of fuzzing size.
inline EvidenceLimits small_limits(std::uint8_t choice) {
    EvidenceLimits limits;
    if (choice & 1) {
        limits.record_bytes_max = 128;
        limits.read_bytes = 64;
        limits.columns_max = 40;
        limits.list_items_max = 8;
        limits.document_bytes_max = 4096;
    } else {
        limits.record_bytes_max = 64u << 10;
        limits.read_bytes = 4096;
        limits.document_bytes_max = 1u << 20;
    }
    return limits;
}

inline void require(bool condition) {
    if (!condition) std::abort();
}

/// What was read, as one text; empty when the input was refused.
inline std::string read_whole(std::string bytes, const EvidenceOptions& options, const EvidenceLimits& limits,
                              std::size_t piece_bytes_max) {
    std::string seen;
    try {
        const auto size = bytes.size();
        const auto source =
            open_posts_from(memory_input(std::move(bytes), piece_bytes_max), "input", options, 0, limits);
        PostBatch batch;
        std::uint64_t kept = 0;
        std::uint64_t row_before = 0;
        while (source->next(batch)) {
            require(batch.size() > 0 && batch.size() <= PostBatch::rows_max);
            kept += batch.size();
            for (std::size_t i = 0; i < batch.size(); ++i) {
                require(batch.row[i] > row_before);
                row_before = batch.row[i];
                require(!batch.account[i].empty() && !batch.content[i].empty());
                seen += std::to_string(batch.time_us[i]);
                for (const auto* column :
                     {&batch.account, &batch.content, &batch.object, &batch.text, &batch.repost_of,
                      &batch.reply_to, &batch.quote_of, &batch.name, &batch.language, &batch.client,
                      &batch.repost_author, &batch.label}) {
                    require(column->empty() || column->size() == batch.size());
                    if (!column->empty()) seen += (*column)[i];
                    seen += '\x1f';
                }
                for (const auto* list : {&batch.urls, &batch.hashtags, &batch.mentions, &batch.domains}) {
                    require(list->ends.empty() || list->ends.size() == batch.size());
                    if (list->ends.empty()) continue;
                    require(list->of(i).size() <= limits.list_items_max);
                    for (const auto& item : list->of(i)) {
                        require(!item.empty());
                        seen += item;
                        seen += '\x1e';
                    }
                }
                require(batch.is_repost.empty() || batch.is_repost.size() == batch.size());
                for (const auto* counts : {&batch.reposts_received, &batch.followers}) {
                    require(counts->empty() || counts->size() == batch.size());
                    if (counts->empty()) continue;
                    require((*counts)[i] <= PostBatch::count_max || (*counts)[i] == PostBatch::count_unknown);
                    seen += std::to_string((*counts)[i]) + '\x1f';
                }
                require(batch.account_created_us.empty() || batch.account_created_us.size() == batch.size());
                if (!batch.account_created_us.empty()) seen += std::to_string(batch.account_created_us[i]);
            }
        }
        const auto& report = source->report();
        require(report.tally.kept() == kept && report.bytes == size && report.sha256.size() == 64);
        seen += "skipped " + std::to_string(report.tally.skipped());
    } catch (const Error& error) {
        require(error.kind() != ErrorKind::internal);
        return {};
    }
    return seen;
}

}  // namespace unveil::fuzz
