#include "field/spans.hpp"

#include <nlohmann/json.hpp>

namespace unveil {

std::optional<std::vector<TrialSpan>> read_spans(const nlohmann::json& spans, std::size_t message_bytes) {
    if (!spans.is_array()) return {};
    std::vector<TrialSpan> read;
    for (const auto& span : spans) {
        if (!span.is_array() || span.size() != 2 || !span[0].is_number_unsigned() || !span[1].is_number_unsigned()) return {};
        const auto begin = span[0].get<std::uint64_t>();
        const auto end = span[1].get<std::uint64_t>();
        if (begin > end || end > message_bytes) return {};
        read.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    }
    return read;
}

}  // namespace unveil
