// How soon is it seen that a rule left a list or came back, with so many messages a day? Lists that live-streaming clients had from 2015 to 2020, replayed
// hour by hour; the schedule of the instrument beside others that get the same messages.
// usage: bench_filter_tracking FOLDER [PASSES_A_DAY [WITH_FAILURES]]     FOLDER holds folders of dated lists (NAME-RAW/.../2015-02-06-22.plain), as bench/filter_tracking.sh unpacks them
//        bench_filter_tracking churn FOLDER OUT.csv                     one folder of dated lists as a table for `unveil lab serve --churn`
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/text.hpp"
#include "core/time.hpp"
#include "instruments/filter/watch_schedule.hpp"
#include "lab/service_churn.hpp"

namespace {

using namespace unveil;
namespace fs = std::filesystem;

constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::int64_t day_us = 24 * hour_us;

/// "2015-02-06-22.plain": 22 o'clock, UTC.
std::int64_t time_of(const fs::path& path) {
    const std::string name = path.stem();
    const auto time_us = name.size() == 13 ? parse_time_us(name.substr(0, 10) + " " + name.substr(11) + ":00") : std::nullopt;
    return time_us.value_or(-1);
}

/// One folder is one list over time. A line is a rule; "2: " before it is a class of the client.
std::vector<DatedList> read_lists(const fs::path& folder) {
    std::vector<DatedList> lists;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (!entry.is_regular_file() || entry.path().extension() != ".plain" || time_of(entry.path()) < 0) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        std::string bytes((std::istreambuf_iterator<char>(in)), {});
        std::replace(bytes.begin(), bytes.end(), '\r', '\n');
        DatedList list{time_of(entry.path()), {}};
        std::istringstream lines(bytes);
        for (std::string line; std::getline(lines, line);) {
            std::string_view rule = trimmed(line);
            if (rule.size() > 2 && rule[0] >= '0' && rule[0] <= '9' && rule[1] == ':' && rule[2] == ' ') rule = trimmed(rule.substr(3));
            if (!rule.empty() && is_valid_utf8(rule)) list.rules.emplace_back(rule);
        }
        std::sort(list.rules.begin(), list.rules.end());
        list.rules.erase(std::unique(list.rules.begin(), list.rules.end()), list.rules.end());
        lists.push_back(std::move(list));
    }
    std::sort(lists.begin(), lists.end(), [](const auto& a, const auto& b) { return a.time_us < b.time_us; });
    return lists;
}

/// What happened to one rule: on the list from the first time on, off it from the second, and so on.
struct History {
    std::string rule;
    std::vector<std::int64_t> flips_us;
    bool is_on(std::int64_t time_us) const { return (std::upper_bound(flips_us.begin(), flips_us.end(), time_us) - flips_us.begin()) % 2 == 1; }
};

struct Replay {
    std::vector<History> histories;
    std::int64_t begin_us = 0;
    std::int64_t end_us = 0;
};

Replay replay_of(const std::vector<DatedList>& lists) {
    Replay replay{{}, lists.front().time_us, lists.back().time_us};
    std::unordered_map<std::string, std::size_t> positions;
    const auto flip = [&](const std::string& rule, std::int64_t time_us) {
        const auto [entry, is_new] = positions.try_emplace(rule, replay.histories.size());
        if (is_new) replay.histories.push_back({rule, {}});
        replay.histories[entry->second].flips_us.push_back(time_us);
    };
    for (const auto& rule : lists.front().rules) flip(rule, lists.front().time_us);
    for (const auto& change : changes_between(lists)) flip(change.rule, change.time_us);
    return replay;
}

enum class Method { uniform, one_hazard, schedule };

struct Delays {
    std::vector<double> days;         // of changes that were seen
    std::size_t missed = 0;           // came and went between two answers
    std::size_t open = 0;             // not seen when the history ended
    std::size_t all() const { return days.size() + missed + open; }
    /// Of those that were not missed; what was still open counts as longer than all others.
    std::string quantile(double share) const {
        std::vector<double> sorted = days;
        std::sort(sorted.begin(), sorted.end());
        const std::size_t n = days.size() + open;
        if (n == 0) return "-";
        const auto at = static_cast<std::size_t>(std::ceil(share * static_cast<double>(n))) - 1;
        return at < sorted.size() ? fmt::format("{:.2f}", sorted[at]) : "open";
    }
    double mean() const {
        double sum = open_days;
        for (const double one : days) sum += one;
        return days.size() + open == 0 ? 0 : sum / static_cast<double>(days.size() + open);
    }
    double open_days = 0;
};

struct Result {
    Delays removed;
    Delays added;
    std::uint64_t messages = 0;
    double seconds = 0;
};

/// A rule is known from the hour on in which it first came onto the list; what finds it is not looked at here. An answer that differs from the last one is
/// asked for twice more, as the campaign does.
Result run(const Replay& replay, Method method, double messages_a_day, int passes_a_day) {
    const auto started = std::chrono::steady_clock::now();
    filter::WatchSchedule schedule;
    std::vector<std::size_t> arrivals(replay.histories.size());
    for (std::size_t i = 0; i < arrivals.size(); ++i) arrivals[i] = i;
    std::stable_sort(arrivals.begin(), arrivals.end(), [&](auto a, auto b) { return replay.histories[a].flips_us.front() < replay.histories[b].flips_us.front(); });
    std::vector<const History*> known;
    std::vector<std::int64_t> first_us;
    std::vector<std::uint32_t> changes;
    std::set<std::pair<std::int64_t, std::size_t>> by_last;   // for the uniform one
    Result result;
    std::size_t next_arrival = 0;
    double credit = 0;
    for (std::int64_t now_us = replay.begin_us; now_us <= replay.end_us; now_us += day_us / passes_a_day) {
        for (; next_arrival < arrivals.size() && replay.histories[arrivals[next_arrival]].flips_us.front() <= now_us; ++next_arrival) {
            const History& history = replay.histories[arrivals[next_arrival]];
            const std::size_t rule = schedule.add(std::vector<std::string>{history.rule}, "");
            schedule.note(rule, history.flips_us.front(), true);
            known.push_back(&history);
            first_us.push_back(history.flips_us.front());
            changes.push_back(0);
            by_last.emplace(history.flips_us.front(), rule);
        }
        credit += messages_a_day / passes_a_day;
        std::vector<std::size_t> turns;
        const auto wanted = static_cast<std::size_t>(std::max(0.0, credit));
        if (wanted == 0) continue;
        if (method == Method::uniform) {
            for (const auto& [last_us, rule] : by_last) {
                if (turns.size() == wanted) break;
                turns.push_back(rule);
            }
        } else if (method == Method::schedule) {
            for (const auto& turn : schedule.rank(now_us, wanted)) turns.push_back(turn.rule);
        } else {
            // Each rule has one hazard over all its life, and the most likely changed comes first.
            double days_all = 0;
            double changes_all = 0;
            const auto days = [](std::int64_t from_us, std::int64_t to_us) { return static_cast<double>(to_us - from_us) / static_cast<double>(day_us); };
            for (std::size_t i = 0; i < known.size(); ++i) {
                days_all += days(first_us[i], schedule.last_us(i));
                changes_all += changes[i];
            }
            const double days_for_one = days_all > 0 ? std::min(days_all / (changes_all + 0.5), 3650.0) : 365.0;
            std::vector<std::pair<double, std::size_t>> order;
            for (std::size_t i = 0; i < known.size(); ++i)
                order.emplace_back(-(changes[i] + 1.0) / (days(first_us[i], schedule.last_us(i)) + days_for_one) * days(schedule.last_us(i), now_us), i);
            const auto count = std::min(wanted, order.size());
            std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end());
            for (std::size_t i = 0; i < count; ++i) turns.push_back(order[i].second);
        }
        for (const std::size_t rule : turns) {
            if (credit < 1) break;
            const History& history = *known[rule];
            const bool is_on = history.is_on(now_us);
            const std::int64_t last_us = schedule.last_us(rule);
            const int cost = is_on == schedule.is_blocked(rule) ? 1 : 3;
            credit -= cost;
            result.messages += static_cast<std::uint64_t>(cost);
            auto first = std::upper_bound(history.flips_us.begin(), history.flips_us.end(), last_us);
            const auto last = std::upper_bound(history.flips_us.begin(), history.flips_us.end(), now_us);
            for (; first != last; ++first) {
                const bool is_addition = (first - history.flips_us.begin()) % 2 == 0;
                Delays& delays = is_addition ? result.added : result.removed;
                // Of several changes since the last answer only the last may be seen, and only when an odd number happened.
                if (first + 1 == last && is_on != schedule.is_blocked(rule)) delays.days.push_back(static_cast<double>(now_us - *first) / static_cast<double>(day_us));
                else ++delays.missed;
            }
            changes[rule] += is_on != schedule.is_blocked(rule);
            by_last.erase({last_us, rule});
            by_last.emplace(now_us, rule);
            schedule.note(rule, now_us, is_on);
        }
    }
    for (std::size_t rule = 0; rule < known.size(); ++rule)
        for (auto flip = std::upper_bound(known[rule]->flips_us.begin(), known[rule]->flips_us.end(), schedule.last_us(rule)); flip != known[rule]->flips_us.end(); ++flip) {
            Delays& delays = (flip - known[rule]->flips_us.begin()) % 2 == 0 ? result.added : result.removed;
            // One that the next change undid cannot be seen any more.
            if (flip + 1 != known[rule]->flips_us.end()) {
                ++delays.missed;
                continue;
            }
            ++delays.open;
            delays.open_days += static_cast<double>(replay.end_us - *flip) / static_cast<double>(day_us);
        }
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return result;
}

void print(const char* name, const Result& result, double days) {
    const auto half = [](const Delays& delays) {
        return fmt::format("{:>6} {:>8} {:>8} {:>8.1f} {:>7} {:>6}", delays.all(), delays.quantile(0.5), delays.quantile(0.9), delays.mean(), delays.missed, delays.open);
    };
    fmt::print("    {:<12} {:>9.1f} |{} |{} | {:.1f} s\n", name, static_cast<double>(result.messages) / days, half(result.removed), half(result.added), result.seconds);
    std::fflush(stdout);
}

int write_churn(const char* folder, const char* out) {
    std::ofstream table(out, std::ios::binary);
    table << "time,change,rule\n";
    for (const auto& change : changes_between(read_lists(folder))) {
        std::string rule = "\"";
        for (const char c : change.rule) rule += c == '"' ? std::string("\"\"") : std::string(1, c);
        table << format_time(change.time_us) << (change.is_added ? ",added," : ",removed,") << rule << "\"\n";
    }
    return table.flush() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4 && std::strcmp(argv[1], "churn") == 0) return write_churn(argv[2], argv[3]);
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_filter_tracking FOLDER [PASSES_A_DAY [WITH_FAILURES]]\n       bench_filter_tracking churn FOLDER OUT.csv\n");
        return 2;
    }
    const int passes_a_day = argc > 2 ? std::clamp(std::atoi(argv[2]), 1, 24) : 4;
    const bool has_failures = argc > 3;
    constexpr std::size_t lists_min = 10;
    std::map<std::string, fs::path> folders;
    for (const auto& entry : fs::recursive_directory_iterator(argv[1]))
        if (entry.is_directory()) folders.emplace(entry.path().lexically_relative(argv[1]).string(), entry.path());
    fmt::print("{} passes a day; delays in days: all, median, 90 %, mean, missed, open\n", passes_a_day);
    for (const auto& [name, folder] : folders) {
        auto lists = read_lists(folder);
        if (lists.size() < lists_min) continue;
        const std::size_t read = lists.size();
        const std::size_t failures = has_failures ? 0 : take_out_failures(lists);
        const Replay replay = replay_of(lists);
        const double days = static_cast<double>(replay.end_us - replay.begin_us) / static_cast<double>(day_us);
        fmt::print("{}: {} lists, {} of them failures, {:.0f} days, {} rules at first, {} in all\n", name, read, failures, days, lists.front().rules.size(), replay.histories.size());
        for (const double messages_a_day : {30.0, 100.0, 300.0, 1000.0}) {
            if (messages_a_day > static_cast<double>(lists.front().rules.size())) continue;
            fmt::print("  {} messages a day\n", messages_a_day);
            print("uniform", run(replay, Method::uniform, messages_a_day, passes_a_day), days);
            print("one hazard", run(replay, Method::one_hazard, messages_a_day, passes_a_day), days);
            print("schedule", run(replay, Method::schedule, messages_a_day, passes_a_day), days);
        }
    }
    return 0;
}
