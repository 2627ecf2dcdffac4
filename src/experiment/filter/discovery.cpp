#include "experiment/filter/discovery.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "experiment/filter/characters.hpp"

namespace unveil {
namespace {

constexpr std::size_t group_max = 128;
constexpr std::size_t word_characters_max = 60;
// Before anything was sent: a rule for thirty passed messages, worth one rule of experience.
constexpr double prior_rules = 1;
constexpr double prior_price = 30;
// Experience of so much price ago counts half.
constexpr double half_life_price = 1000;
constexpr double lexicon_beforehand = 0.01;
constexpr double list_beforehand = 0.005;
constexpr double component_beforehand = 0.02;
constexpr double companion_weight = 0.1;
// What stood beside the components of an earlier rule counts less with each later one.
constexpr double companions_kept = 0.9;
constexpr double word_strength = 5;

/// Cost of resolving groups of 1 ... most: known to be blocked, and untouched.
struct GroupCosts {
    std::vector<double> blocked{0, 0};
    std::vector<double> fresh{0};
};

GroupCosts group_costs(std::size_t most, double probability, double blocked_price) {
    const double q = 1 - probability;
    GroupCosts costs;
    costs.fresh.push_back(q + probability * blocked_price);
    std::vector<double> clean{1, q};
    for (std::size_t n = 2; n <= most; ++n) {
        clean.push_back(clean.back() * q);
        const std::size_t left = n / 2;
        const std::size_t right = n - left;
        const double all = 1 - clean[n];
        const double left_passes = all > 0 ? clean[left] * (1 - clean[right]) / all : 0;
        costs.blocked.push_back(left_passes * (1 + costs.blocked[right]) + (1 - left_passes) * (blocked_price + costs.blocked[left] + costs.fresh[right]));
        costs.fresh.push_back(clean[n] + all * (blocked_price + costs.blocked[n]));
    }
    return costs;
}

}  // namespace

double group_cost(std::size_t count, double probability, double blocked_price) { return group_costs(std::max<std::size_t>(1, count), probability, blocked_price).fresh[count]; }

std::size_t best_group(double probability, double blocked_price, std::size_t most) {
    const auto costs = group_costs(most, probability, blocked_price);
    std::size_t best = 1;
    for (std::size_t n = 2; n <= most; ++n)
        if (costs.fresh[n] / static_cast<double>(n) < costs.fresh[best] / static_cast<double>(best)) best = n;
    return best;
}

SourceBandit::SourceBandit(std::size_t sources, std::uint64_t seed) : m_arms(sources), m_random(seed, 0xba2d) {}

/// Marsaglia & Tsang 2000; shape at least 1, as it is here.
double SourceBandit::gamma(double shape) {
    const double d = shape - 1.0 / 3;
    const double c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = std::sqrt(-2 * std::log(m_random.uniform())) * std::cos(2 * std::numbers::pi * m_random.uniform());
        const double v = std::pow(1 + c * x, 3);
        if (v > 0 && std::log(m_random.uniform()) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
    }
}

std::optional<std::size_t> SourceBandit::choose() {
    std::optional<std::size_t> best;
    double best_draw = -1;
    for (std::size_t i = 0; i < m_arms.size(); ++i) {
        if (m_arms[i].is_exhausted) continue;
        const double draw = gamma(prior_rules + m_arms[i].yield) / (prior_price + m_arms[i].price);
        if (draw > best_draw) best = i;
        best_draw = std::max(best_draw, draw);
    }
    return best;
}

void SourceBandit::note(std::size_t source, double yield, double price) {
    const double kept = std::exp2(-price / half_life_price);
    Arm& arm = m_arms[source];
    arm.yield = arm.yield * kept + yield;
    arm.price = arm.price * kept + price;
}

double SourceBandit::rate(std::size_t source) const { return (prior_rules + m_arms[source].yield) / (prior_price + m_arms[source].price); }

Discovery::Discovery(Settings settings)
    : m_blocked_price(settings.blocked_price), m_characters_max(settings.characters_max), m_bandit(settings.sources.size(), settings.seed) {
    for (const auto& one : settings.lexicon) word(one, lexicon_beforehand);
    for (const auto& source : settings.sources)
        for (const auto& candidate : source.candidates)
            for (const auto& component : candidate.components) word(component, list_beforehand);
    // By their first character, how long words are: most places of a text begin none.
    std::unordered_map<char32_t, std::uint64_t> lengths_of;
    for (const auto& [bytes, number] : m_word_of)
        if (const std::u32string characters = characters_of(bytes); !characters.empty() && characters.size() <= word_characters_max)
            lengths_of[characters.front()] |= std::uint64_t{1} << characters.size();
    for (std::size_t s = 0; s < settings.sources.size(); ++s) {
        CampaignSource& given = settings.sources[s];
        Source& source = m_sources.emplace_back();
        source.name = std::move(given.name);
        source.kind = given.kind;
        for (auto& text : given.candidates) {
            Candidate candidate;
            // Words are looked for in each component by itself.
            const auto look_at = [&](const std::string& bytes) {
                const std::u32string characters = characters_of(bytes);
                candidate.characters += characters.size();
                for (std::size_t begin = 0; begin < characters.size(); ++begin) {
                    const auto known = lengths_of.find(characters[begin]);
                    if (known == lengths_of.end()) continue;
                    for (std::size_t length = 1; length <= std::min(word_characters_max, characters.size() - begin); ++length)
                        if ((known->second >> length & 1) != 0)
                            if (const auto found = m_word_of.find(bytes_of(std::u32string_view(characters).substr(begin, length))); found != m_word_of.end())
                                candidate.words.push_back(found->second);
                }
            };
            if (text.components.empty()) look_at(text.text);
            for (const auto& component : text.components) look_at(component);
            std::sort(candidate.words.begin(), candidate.words.end());
            candidate.words.erase(std::unique(candidate.words.begin(), candidate.words.end()), candidate.words.end());
            for (const auto number : candidate.words) m_words[number].candidates += 1;
            candidate.text = std::move(text);
            source.candidates.push_back(std::move(candidate));
        }
        source.left = source.candidates.size();
        m_left += source.left;
        if (source.left == 0) m_bandit.exhaust(s);
    }
}

std::uint32_t Discovery::word(const std::string& text, double beforehand) {
    const auto [found, is_new] = m_word_of.emplace(text, static_cast<std::uint32_t>(m_words.size()));
    if (is_new) m_words.push_back({});
    m_words[found->second].beforehand = std::max(m_words[found->second].beforehand, beforehand);
    return found->second;
}

double Discovery::score(const Candidate& candidate) const {
    double none = 1;
    for (const auto number : candidate.words) {
        const Word& one = m_words[number];
        const double beforehand = one.beforehand + companion_weight * one.companions / (one.candidates + word_strength);
        none *= 1 - std::min(0.95, (one.rules + word_strength * beforehand) / (one.sent + one.rules + word_strength));
    }
    return 1 - none;
}

std::size_t Discovery::longest(std::size_t separator_characters) const {
    std::size_t longest = 0;
    for (const Source& source : m_sources) {
        std::size_t together = 0;
        for (const Candidate& candidate : source.candidates) {
            const std::size_t own = candidate.characters + std::max<std::size_t>(1, candidate.text.components.size()) * separator_characters;
            longest = std::max(longest, own);
            together += own;
        }
        longest = std::max(longest, std::min(together, m_characters_max));
    }
    return longest;
}

std::optional<Discovery::Batch> Discovery::next(std::size_t separator_characters, const HoldsKnown& holds_known) {
    const auto chosen = m_bandit.choose();
    if (!chosen) return {};
    Source& source = m_sources[*chosen];
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t i = 0; i < source.candidates.size(); ++i) {
        const Candidate& candidate = source.candidates[i];
        // What holds a known rule is blocked anyway, and comes last.
        if (!candidate.is_taken) order.emplace_back(candidate.holds_known_rule ? 1.0 : -score(candidate), i);
    }
    Batch batch;
    batch.source = *chosen;
    batch.kind = source.kind;
    const double prevalence = (source.blocked + 0.5) / (source.sent + 10);
    std::size_t most = best_group(prevalence, m_blocked_price, group_max);
    // A blocked text is searched whatever stands beside its rule, so there is nothing to split.
    if (source.kind == SourceKind::texts) most = group_max;
    const std::size_t weighed = std::min(order.size(), 4 * most);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(weighed), order.end());
    std::size_t characters = 0;
    for (std::size_t i = 0; i < weighed && batch.candidates.size() < most; ++i) {
        Candidate& candidate = source.candidates[order[i].second];
        if (candidate.holds_known_rule && !batch.candidates.empty()) break;
        const std::size_t pieces = std::max<std::size_t>(1, candidate.text.components.size());
        const std::size_t own = candidate.characters + pieces * separator_characters;
        if (!batch.candidates.empty() && characters + own > m_characters_max) continue;
        batch.candidates.push_back(candidate.text);
        if (batch.candidates.size() > 1 && holds_known(batch.candidates)) {
            batch.candidates.pop_back();
            continue;
        }
        characters += own;
        batch.numbers.push_back(order[i].second);
        candidate.is_taken = true;
        if (candidate.holds_known_rule) break;
    }
    source.left -= batch.numbers.size();
    m_left -= batch.numbers.size();
    if (source.left == 0) m_bandit.exhaust(*chosen);
    return batch;
}

void Discovery::note(const Batch& batch, std::size_t blocked, std::size_t rules, double price) {
    Source& source = m_sources[batch.source];
    const double kept = std::exp2(-price / half_life_price);
    source.sent = source.sent * kept + static_cast<double>(batch.numbers.size());
    source.blocked = source.blocked * kept + static_cast<double>(blocked);
    m_bandit.note(batch.source, static_cast<double>(rules), price);
    for (const auto number : batch.numbers)
        for (const auto one : source.candidates[number].words) m_words[one].sent += 1;
}

void Discovery::put_back(const Batch& batch) {
    // At least two are taken out again, one by one if it must be.
    std::size_t characters = 0;
    Source& source = m_sources[batch.source];
    for (const auto number : batch.numbers) {
        characters += source.candidates[number].characters;
        source.candidates[number].is_taken = false;
    }
    source.left += batch.numbers.size();
    m_left += batch.numbers.size();
    m_bandit.revive(batch.source);
    m_characters_max = std::min(m_characters_max, characters) / 2;
}

void Discovery::note_rule(const std::vector<std::string>& components) {
    std::vector<std::uint32_t> numbers;
    for (const auto& component : components) {
        const bool is_new = m_word_of.count(component) == 0;
        const std::uint32_t number = word(component, component_beforehand);
        numbers.push_back(number);
        m_words[number].rules += 1;
        if (!is_new) continue;
        for (auto& source : m_sources)
            for (auto& candidate : source.candidates) {
                const auto holds = [&](const std::string& bytes) { return bytes.find(component) != std::string::npos; };
                const auto& parts = candidate.text.components;
                if (!(parts.empty() ? holds(candidate.text.text) : std::any_of(parts.begin(), parts.end(), holds))) continue;
                candidate.words.push_back(number);
                m_words[number].candidates += 1;
                if (candidate.is_taken) m_words[number].sent += 1;
            }
    }
    for (auto& one : m_words) one.companions *= companions_kept;
    for (auto& source : m_sources)
        for (auto& candidate : source.candidates) {
            std::size_t held = 0;
            for (const auto number : numbers) held += static_cast<std::size_t>(std::find(candidate.words.begin(), candidate.words.end(), number) != candidate.words.end());
            if (held == 0) continue;
            candidate.holds_known_rule |= held == numbers.size();
            for (const auto one : candidate.words)
                if (std::find(numbers.begin(), numbers.end(), one) == numbers.end()) m_words[one].companions += 1;
        }
}

}  // namespace unveil
