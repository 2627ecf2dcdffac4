#include "experiment/filter/word_model.hpp"

#include <algorithm>
#include <cmath>

#include "experiment/filter/characters.hpp"

namespace unveil {
namespace {

// Shares among combinations that WeChat blocked in 2016 and 2017 (Citizen Lab, 862 of the "709" list): numbers of components, and of
// characters in one. They fade as rules are found.
constexpr double prior_sizes[] = {0, 113, 148, 528, 69, 4};
constexpr double prior_lengths[] = {0, 8, 366, 483, 705, 310, 238, 107, 32, 13, 12, 7, 2};
// A rule of this campaign says more about the next one than one of another time.
constexpr double rule_weight = 5;
constexpr double character_weight = 5;
constexpr double background_smoothing = 2000;

}  // namespace

WordModel::WordModel(const WordModelRules& rules) : m_uses_memory(rules.uses_memory) {
    for (const auto& characters : rules.lexicon) {
        if (characters.empty() || characters.size() > word_characters_max) continue;
        Word& entry = m_words[word(characters)];
        if (entry.is_in_lexicon) continue;
        entry.is_in_lexicon = true;
        entry.count = 0;
        ++m_lexicon_words;
        for (const char32_t c : characters) {
            m_word_counts[c] += 1;
            m_word_total += 1;
        }
    }
    m_sizes.assign(std::begin(prior_sizes), std::end(prior_sizes));
    m_lengths.assign(lengths_max + 1, 1);
    for (std::size_t i = 1; i < std::size(prior_lengths); ++i) m_lengths[i] += prior_lengths[i];
    m_components_seen = 10;
    m_components_known = (m_lexicon_words > 0 ? 2.5 : 0) + (m_uses_memory ? 2 : 0);
}

std::uint32_t WordModel::word(const std::u32string& characters) {
    const auto [found, is_new] = m_word_of.emplace(characters, static_cast<std::uint32_t>(m_words.size()));
    if (is_new) m_words.push_back({characters, false, 0, -1});
    return found->second;
}

template <typename Visit>
void WordModel::for_each_word(std::u32string_view text, const Visit& visit) const {
    std::u32string candidate;
    for (std::size_t begin = 0; begin < text.size(); ++begin)
        for (std::size_t length = 1; length <= std::min(word_characters_max, text.size() - begin); ++length) {
            candidate.assign(text.substr(begin, length));
            const auto found = m_word_of.find(candidate);
            if (found != m_word_of.end()) visit(begin, length, found->second);
        }
}

void WordModel::note_background(std::u32string_view text) {
    constexpr std::size_t background_max = 1 << 22;
    if (m_background.size() + text.size() > background_max) return;
    m_background += text;
    for (const char32_t c : text) m_background_counts[c] += 1;
    // Words that were counted before go on from there; the others are counted when they are first asked for.
    for_each_word(text, [&](std::size_t, std::size_t, std::uint32_t number) {
        Word& entry = m_words[number];
        if (entry.count < 0) return;
        entry.count += 1;
        if (!entry.is_in_lexicon) return;
        if (entry.count == 1) m_lexicon_words_once += 1;
        if (entry.count == 2) m_lexicon_words_once -= 1;
    });
    if (m_lexicon_words == 0 || m_background.size() < m_background_size_weighed * 5 / 4) return;
    m_background_size_weighed = m_background.size();
    m_unseen_weight = 0;
    for (const Word& entry : m_words)
        if (entry.is_in_lexicon && entry.count == 0) m_unseen_weight += unseen_weight(entry.characters);
}

double WordModel::unseen_weight(std::u32string_view characters) const {
    const double size = std::max<double>(1, static_cast<double>(m_background.size()));
    double product = size;
    for (const char32_t c : characters) {
        const auto known = m_background_counts.find(c);
        product *= ((known == m_background_counts.end() ? 0 : known->second) + 0.3) / size;
    }
    // Characters of a word go together: far from as rare as if they were independent.
    constexpr double exponent = 0.2;
    return std::min(1.0, std::pow(product, exponent));
}

void WordModel::note_rule(const std::vector<std::u32string>& components) {
    if (!m_uses_memory) return;
    std::vector<std::uint32_t> words;
    for (const auto& component : components) {
        const auto known = m_word_of.find(component);
        m_components_seen += 1;
        m_components_known += known != m_word_of.end() ? 1 : 0;
    }
    for (const auto& component : components) {
        if (component.empty()) continue;
        words.push_back(word(component));
        ++m_words[words.back()].rules;
        for (const char32_t c : component) {
            m_word_counts[c] += character_weight;
            m_word_total += character_weight;
        }
        m_lengths[std::min(component.size(), lengths_max)] += rule_weight;
    }
    if (components.size() >= m_sizes.size()) m_sizes.resize(components.size() + 1, 0);
    m_sizes[components.size()] += rule_weight;
    for (const std::uint32_t one : words) m_rules_of[one].push_back(static_cast<std::uint32_t>(m_rules.size()));
    m_rules.push_back(std::move(words));
}

double WordModel::frequency(const Word& entry) const {
    const double size = std::max<double>(1, static_cast<double>(m_background.size()));
    if (entry.count < 0) {
        entry.count = 0;
        for (auto at = m_background.find(entry.characters); at != std::u32string::npos; at = m_background.find(entry.characters, at + 1)) entry.count += 1;
    }
    if (entry.count > 0) return (entry.count + 0.2) / size;
    // Not seen: the rarer its characters, the rarer it is. Together, the words of the lists that were not seen are as frequent as those seen
    // once (Good 1953, The population frequencies of species, equation 9).
    constexpr double unseen_without_lists = 4;
    const double unseen = m_unseen_weight > 0 ? (m_lexicon_words_once + 1) / m_unseen_weight : unseen_without_lists;
    return unseen * unseen_weight(entry.characters) / size;
}

std::map<std::uint32_t, double> WordModel::companions(const std::vector<std::u32string>& found) const {
    std::map<std::uint32_t, double> counts;
    double rules = 0;
    for (const auto& component : found) {
        const auto known = m_word_of.find(component);
        if (known == m_word_of.end()) continue;
        const auto of = m_rules_of.find(known->second);
        if (of == m_rules_of.end()) continue;
        for (const std::uint32_t rule : of->second) {
            ++rules;
            for (const std::uint32_t other : m_rules[rule])
                if (other != known->second) counts[other] += 1;
        }
    }
    constexpr double trust = 0.3;
    constexpr double smoothing = 3;
    for (auto& [other, count] : counts) count = trust * count / (rules + smoothing);
    return counts;
}

double WordModel::is_component(const Word& entry, std::size_t text_length, const std::map<std::uint32_t, double>& companions, bool is_found) const {
    constexpr double memory_trust = 0.3;
    constexpr double lexicon_trust = 0.27;
    constexpr double components_a_rule = 3.3;
    double rate = 0;
    if (entry.rules > 0) rate = memory_trust * entry.rules / (static_cast<double>(m_rules.size()) + 2);
    const auto number = static_cast<std::uint32_t>(&entry - m_words.data());
    if (const auto companion = companions.find(number); companion != companions.end()) rate = std::max(rate, companion->second);
    if (entry.is_in_lexicon) rate += lexicon_trust * components_a_rule / static_cast<double>(m_lexicon_words);
    if (is_found) rate *= 0.02;
    rate = std::min(rate, 0.95);
    if (rate == 0) return 0;
    const double by_chance = 1 - std::exp(-static_cast<double>(text_length) * frequency(entry));
    return rate / (rate + (1 - rate) * by_chance);
}

double WordModel::character_odds(char32_t c) const {
    static const std::u32string punctuation = characters_of("，。、：；（）“”《》 ！？—…·0123456789%\n");
    if (punctuation.find(c) != std::u32string::npos) return 0.02;
    if (m_word_total == 0) return 1;
    const auto count = [c](const std::unordered_map<char32_t, double>& counts) {
        const auto found = counts.find(c);
        return found == counts.end() ? 0.0 : found->second;
    };
    const double in_background = (count(m_background_counts) + 0.5) / (static_cast<double>(m_background.size()) + background_smoothing);
    constexpr double smoothing = 300;
    const double in_words = (count(m_word_counts) + smoothing * in_background + 0.05) / (m_word_total + smoothing + 50);
    constexpr double exponent = 0.3;
    constexpr double odds_max = 6;
    return std::min(odds_max, std::pow(in_words / in_background, exponent));
}

WordModel::Text WordModel::look_at(std::u32string characters) const {
    Text text;
    const std::size_t n = characters.size();
    double lengths_total = 0;
    for (const double share : m_lengths) lengths_total += share;
    std::unordered_map<char32_t, double> odds;
    text.novelty.resize(n);
    constexpr std::size_t novel_characters_max = 6;
    for (std::size_t i = 0; i < n; ++i) {
        double product = 1;
        for (std::size_t length = 1; length <= std::min(novel_characters_max, n - i); ++length) {
            const char32_t c = characters[i + length - 1];
            const auto [known, is_new] = odds.emplace(c, 0);
            if (is_new) known->second = character_odds(c);
            product *= known->second;
            text.novelty[i] += m_lengths[length] / lengths_total * product;
        }
    }
    for_each_word(characters, [&](std::size_t begin, std::size_t length, std::uint32_t number) {
        text.words.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(length), number});
    });
    text.characters = std::move(characters);
    return text;
}

double WordModel::worth(std::u32string_view text) const {
    std::map<std::uint32_t, double> words;
    for_each_word(text, [&](std::size_t, std::size_t, std::uint32_t number) {
        if (words.count(number) == 0) words[number] = is_component(m_words[number], text.size(), {}, false);
    });
    double known = 0;
    for (const auto& [number, probability] : words) known += probability;
    double odds = 0;
    for (const char32_t c : text) odds += character_odds(c);
    return known + odds / static_cast<double>(std::max<std::size_t>(1, text.size()));
}

double WordModel::unknown_mean(std::size_t found, double known_mean) const {
    const double known_share = std::min(0.95, m_components_known / m_components_seen);
    const auto known = static_cast<std::size_t>(known_mean + 0.5);
    double all = 0;
    double none_unknown = 0;
    for (std::size_t size = std::max<std::size_t>(found, 1); size < m_sizes.size(); ++size) {
        const std::size_t missing = size - found;
        const std::size_t k = std::min(known, missing);
        double ways = 1;
        for (std::size_t i = 0; i < k; ++i) ways *= static_cast<double>(missing - i) / static_cast<double>(i + 1);
        const double weight = m_sizes[size] * ways * std::pow(known_share, static_cast<double>(k)) * std::pow(1 - known_share, static_cast<double>(missing - k));
        all += weight;
        if (missing == k) none_unknown += weight;
    }
    double none = all > 0 ? none_unknown / all : 0.5;
    if (found == 0 && known_mean < 0.3) none = std::min(none, 0.05);
    return std::max(0.03, -std::log(std::clamp(none, 0.02, 0.97)));
}

WordModel::Starts WordModel::starts(const Text& text, std::size_t offset, const std::vector<std::u32string>& found) const {
    const std::size_t n = text.characters.size() - offset;
    const auto with = companions(found);
    std::vector<double> none_known(n, 1);
    for (const auto& occurrence : text.words) {
        if (occurrence.begin < offset) continue;
        const Word& entry = m_words[occurrence.word];
        const bool is_found = std::find(found.begin(), found.end(), entry.characters) != found.end();
        none_known[occurrence.begin - offset] *= 1 - is_component(entry, text.characters.size(), with, is_found);
    }
    double known_mean = 0;
    double novelty = 0;
    for (std::size_t i = 0; i < n; ++i) {
        known_mean += 1 - none_known[i];
        novelty += text.novelty[offset + i];
    }
    const double unknown = unknown_mean(found.size(), known_mean);
    Starts starts;
    starts.novel.resize(n);
    starts.cumulative.reserve(n + 2);
    starts.cumulative.push_back(0);
    double alive = 1;
    for (std::size_t i = 0; i < n; ++i) {
        starts.novel[i] = novelty > 0 ? 1 - std::exp(-unknown * text.novelty[offset + i] / novelty) : 0;
        const double hazard = 1 - none_known[i] * (1 - starts.novel[i]);
        starts.cumulative.push_back(starts.cumulative.back() + alive * hazard);
        alive *= 1 - hazard;
    }
    starts.cumulative.push_back(starts.cumulative.back() + alive);
    return starts;
}

std::vector<double> WordModel::lengths(const Text& text, std::size_t begin, std::size_t offset, const Starts& starts,
                                       const std::vector<std::u32string>& found) const {
    const std::size_t longest = std::min(lengths_max, text.characters.size() - begin);
    double lengths_total = 0;
    for (const double share : m_lengths) lengths_total += share;
    const double novelty = text.novelty[begin] > 0 ? text.novelty[begin] : 1;
    std::vector<double> weights(longest, 1e-9);
    double product = 1;
    for (std::size_t length = 1; length <= longest; ++length) {
        product *= character_odds(text.characters[begin + length - 1]);
        weights[length - 1] += starts.novel[begin - offset] * m_lengths[length] / lengths_total * product / novelty;
    }
    const auto with = companions(found);
    const auto first = std::lower_bound(text.words.begin(), text.words.end(), begin, [](const auto& x, std::size_t place) { return x.begin < place; });
    for (auto occurrence = first; occurrence != text.words.end() && occurrence->begin == begin; ++occurrence) {
        if (occurrence->length > longest) continue;
        const Word& entry = m_words[occurrence->word];
        const bool is_found = std::find(found.begin(), found.end(), entry.characters) != found.end();
        weights[occurrence->length - 1] += is_component(entry, text.characters.size(), with, is_found);
    }
    std::vector<double> cumulative{0};
    for (const double weight : weights) cumulative.push_back(cumulative.back() + weight);
    return cumulative;
}

}  // namespace unveil
