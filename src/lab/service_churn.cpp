#include "lab/service_churn.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "evidence/csv_reader.hpp"

namespace unveil {
namespace {

constexpr std::size_t rule_bytes_max = 1000;
constexpr std::size_t changes_max = 1'000'000;
constexpr std::size_t batch_changes_max = 4096;

std::size_t column_of(const std::vector<std::string>& header, std::string_view name) {
    for (std::size_t i = 0; i < header.size(); ++i)
        if (trimmed(header[i]) == name) return i;
    return SIZE_MAX;
}

std::size_t in_both(const DatedList& a, const DatedList& b) {
    std::size_t count = 0;
    for (auto x = a.rules.begin(), y = b.rules.begin(); x != a.rules.end() && y != b.rules.end();) {
        if (*x < *y) ++x;
        else if (*y < *x) ++y;
        else ++count, ++x, ++y;
    }
    return count;
}

}  // namespace

ServiceChurn read_service_churn(const std::string& path) {
    const EvidenceLimits limits;
    CsvReader reader(InputBuffer(ByteStream(open_file_input(path), path, limits), limits), limits);
    const std::size_t time = column_of(reader.header(), "time");
    const std::size_t change = column_of(reader.header(), "change");
    const std::size_t rule = column_of(reader.header(), "rule");
    const std::size_t context = column_of(reader.header(), "context");
    if (time == SIZE_MAX || change == SIZE_MAX || rule == SIZE_MAX)
        throw Error(ErrorKind::input, "is no table of changes: it needs the columns 'time', 'change' and 'rule'", "Write time,change,rule in its first line", path);
    ServiceChurn churn;
    TextArena arena;
    bool is_more = true;
    while (is_more) {
        arena.clear();
        const std::size_t before = churn.changes.size();
        is_more = reader.read(batch_changes_max, arena, churn.tally, [&](const CsvRow& row, std::uint64_t) -> const char* {
            const auto time_us = parse_time_us(trimmed(row.text(time)));
            if (!time_us) return "time not understood";
            const std::string_view what = trimmed(row.text(change));
            if (what != "added" && what != "removed") return "the change is neither 'added' nor 'removed'";
            const std::string_view line = trimmed(row.text(rule));
            const std::string_view where = context == SIZE_MAX ? std::string_view() : trimmed(row.text(context));
            if (std::max(line.size(), where.size()) > rule_bytes_max) return "longer than 1,000 bytes";
            if (!is_valid_utf8(line) || !is_valid_utf8(where)) return "text is not UTF-8";
            ServiceChange made{*time_us, what == "added", service_rule_of(line), std::string(where)};
            if (made.rule.components.empty()) return "a part of the rule is empty";
            if (churn.changes.size() == changes_max)
                throw Error(ErrorKind::input, fmt::format("there are more than {} changes", changes_max), "Split the table by time", path);
            churn.changes.push_back(std::move(made));
            return nullptr;
        });
        churn.tally.keep(churn.changes.size() - before);
    }
    std::stable_sort(churn.changes.begin(), churn.changes.end(), [](const auto& a, const auto& b) { return a.time_us < b.time_us; });
    return churn;
}

std::vector<ListChange> changes_between(std::span<const DatedList> lists) {
    std::vector<ListChange> changes;
    for (std::size_t i = 1; i < lists.size(); ++i) {
        const auto add = [&](const DatedList& from, const DatedList& without, bool is_added) {
            std::vector<std::string> rules;
            std::set_difference(from.rules.begin(), from.rules.end(), without.rules.begin(), without.rules.end(), std::back_inserter(rules));
            for (auto& rule : rules) changes.push_back({lists[i].time_us, is_added, std::move(rule)});
        };
        add(lists[i - 1], lists[i], false);
        add(lists[i], lists[i - 1], true);
    }
    return changes;
}

std::size_t take_out_failures(std::vector<DatedList>& lists) {
    constexpr std::int64_t soon_us = 3 * 86'400'000'000LL;
    std::vector<DatedList> kept;
    std::size_t failures = 0;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const bool is_short = !kept.empty() && in_both(lists[i], kept.back()) * 5 < kept.back().rules.size() * 4;
        bool is_restored = false;
        for (std::size_t next = i + 1; is_short && !is_restored && next < lists.size() && lists[next].time_us - lists[i].time_us <= soon_us; ++next)
            is_restored = in_both(lists[next], kept.back()) * 10 >= kept.back().rules.size() * 9;
        if (is_restored) ++failures;
        else kept.push_back(std::move(lists[i]));
    }
    lists = std::move(kept);
    return failures;
}

}  // namespace unveil
