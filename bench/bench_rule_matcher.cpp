// How many messages a second can the lab's filter check? Lists that search engines had, messages of 5,000 characters of sentences; beside it
// looking for each rule by memmem, and an automaton over all components (Aho & Corasick 1975) in its dense form, in the same run.
// usage: bench_rule_matcher DATA_FOLDER [RULES]
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/random.hpp"
#include "evidence/text_file.hpp"
#include "lab/rule_matcher.hpp"

namespace {

using namespace unveil;

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// States by byte; what ends at a state.
class Automaton {
  public:
    explicit Automaton(const std::vector<MatcherRule>& rules) {
        add_state();
        for (std::uint32_t r = 0; r < rules.size(); ++r) {
            // The longest component of a rule stands for it here as well.
            const std::string* longest = &rules[r].components.front();
            for (const auto& component : rules[r].components)
                if (component.size() > longest->size()) longest = &component;
            std::uint32_t state = 0;
            for (const char c : *longest) {
                std::uint32_t next = m_next[state * 256 + static_cast<unsigned char>(c)];
                if (next == 0) {
                    next = add_state();
                    m_next[state * 256 + static_cast<unsigned char>(c)] = next;
                }
                state = next;
            }
            m_ends[state].push_back(r);
        }
        std::vector<std::uint32_t> fail(m_ends.size());
        std::deque<std::uint32_t> queue;
        for (unsigned c = 0; c < 256; ++c)
            if (m_next[c] != 0) queue.push_back(m_next[c]);
        while (!queue.empty()) {
            const std::uint32_t state = queue.front();
            queue.pop_front();
            m_ends[state].insert(m_ends[state].end(), m_ends[fail[state]].begin(), m_ends[fail[state]].end());
            for (unsigned c = 0; c < 256; ++c) {
                std::uint32_t& next = m_next[state * 256 + c];
                if (next == 0) next = m_next[fail[state] * 256 + c];
                else {
                    fail[next] = m_next[fail[state] * 256 + c];
                    queue.push_back(next);
                }
            }
        }
    }
    bool has_match(const RuleMatcher& rules, std::string_view text) const {
        std::uint32_t state = 0;
        for (const char c : text) {
            state = m_next[state * 256 + static_cast<unsigned char>(c)];
            for (const std::uint32_t rule : m_ends[state])
                if (rules.is_in(rule, text)) return true;
        }
        return false;
    }

  private:
    std::uint32_t add_state() {
        m_next.resize(m_next.size() + 256, 0);
        m_ends.emplace_back();
        return static_cast<std::uint32_t>(m_ends.size() - 1);
    }
    std::vector<std::uint32_t> m_next;
    std::vector<std::vector<std::uint32_t>> m_ends;
};

std::size_t characters_in(const std::string& text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return count;
}

template <typename Check>
double checks_a_second(const std::vector<std::string>& messages, std::size_t rounds, const Check& check, std::size_t& matched) {
    const double begin = cpu_seconds();
    matched = 0;
    for (std::size_t round = 0; round < rounds; ++round)
        for (const auto& message : messages) matched += check(message);
    return static_cast<double>(rounds * messages.size()) / (cpu_seconds() - begin);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_rule_matcher DATA_FOLDER [RULES]\n");
        return 2;
    }
    const std::string folder = argv[1];
    const std::size_t wanted = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 20'000;
    const auto sentences = read_text_file(folder + "/carrier_ud_gsdsimp_devtest_sentences_zhHans.txt.gz", {});
    for (const char* list : {"search_rules_baidu_zhidao", "search_rules_sogou-soft"}) {
        std::vector<MatcherRule> rules;
        for (const auto& line : read_text_file(folder + "/" + list + ".txt.gz", {})) {
            auto components = components_of_public_rule(line.text);
            if (!components.empty() && rules.size() < wanted) rules.push_back({std::move(components)});
        }
        Random random(1, 5);
        std::vector<std::string> any;
        // The sample that the matcher is tuned by and the messages share no sentence.
        std::string sample;
        const std::size_t half = sentences.size() / 2;
        for (std::size_t i = 0; i < half; ++i) sample += sentences[i].text + "\n";
        while (any.size() < 400) {
            std::string text;
            while (characters_in(text) < 5000) text += sentences[half + random.below(half)].text;
            any.push_back(std::move(text));
        }
        const RuleMatcher matcher(rules, sample);
        // A message that is blocked early is cheap; what must be read to its end is not.
        std::set<std::uint32_t> common;
        for (const auto& text : any)
            for (const std::uint32_t rule : matcher.matches(text)) common.insert(rule);
        std::vector<MatcherRule> silent;
        for (std::uint32_t r = 0; r < rules.size(); ++r)
            if (common.count(r) == 0) silent.push_back(rules[r]);
        const RuleMatcher all_pass(silent, sample);
        const RuleMatcher untuned(silent);
        const Automaton automaton(silent);
        std::size_t bytes = 0;
        for (const auto& text : any) bytes += text.size();
        fmt::print("{}: {} rules, {} messages of 5,000 characters, {:.0f} bytes each\n", list, silent.size(), any.size(), static_cast<double>(bytes) / static_cast<double>(any.size()));
        std::size_t matched = 0;
        const double ours = checks_a_second(any, 100, [&](const std::string& text) { return all_pass.has_match(text); }, matched);
        fmt::print("  checks a CPU second, nothing blocked         {:>10.0f}   ({} blocked)\n", ours, matched);
        const double blind = checks_a_second(any, 5, [&](const std::string& text) { return untuned.has_match(text); }, matched);
        fmt::print("  without a sample of the texts to come        {:>10.0f}   ({} blocked)\n", blind, matched);
        const double mixed = checks_a_second(any, 100, [&](const std::string& text) { return matcher.has_match(text); }, matched);
        fmt::print("  the same, all {} rules                    {:>10.0f}   ({:.2f} blocked)\n", rules.size(), mixed,
                   static_cast<double>(matched) / 100 / static_cast<double>(any.size()));
        const auto begin = std::chrono::steady_clock::now();
        std::vector<std::thread> threads;
        constexpr unsigned threads_max = 2;
        for (unsigned t = 0; t < threads_max; ++t)
            threads.emplace_back([&] {
                std::size_t own = 0;
                checks_a_second(any, 100, [&](const std::string& text) { return all_pass.has_match(text); }, own);
            });
        for (auto& thread : threads) thread.join();
        const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        fmt::print("  two threads, a second of the clock           {:>10.0f}\n", threads_max * 100 * static_cast<double>(any.size()) / wall);
        const double dense = checks_a_second(any, 2, [&](const std::string& text) { return automaton.has_match(all_pass, text); }, matched);
        fmt::print("  an automaton over bytes                      {:>10.0f}   ({} blocked)\n", dense, matched);
        const std::vector<std::string> few(any.begin(), any.begin() + 4);
        const double each = checks_a_second(few, 1, [&](const std::string& text) {
            for (std::uint32_t r = 0; r < all_pass.size(); ++r)
                if (all_pass.is_in(r, text)) return true;
            return false;
        }, matched);
        fmt::print("  each rule by itself                          {:>10.1f}   ({} blocked)\n", each, matched);
    }
    return 0;
}
