// What should be sent next, when there are several sources of candidates (news, lists of others, names) and each message has a price? Decides
// which source is asked next, which of its candidates, and how many of them in one message. All of it is a function of what was noted so far
// and of the seed, so that a replayed log leads to the same choices. It decides what is sent, never what is believed.
//
// Sources: rules per price of a source have a gamma posterior; the source whose draw from it is highest comes next (Thompson 1933, Chapelle & Li
// 2011). What is long ago counts less, since the best candidates go first and what is found is found.
//
// Candidates: each word of the lists or of rules found that stands in a candidate is part of a new rule with probability r = (h + s a) / (n + s), with
// h the rules found that hold it, n the candidates sent that hold it, s five, and a what is thought beforehand: more for words that stand beside
// components of found rules in the candidates of any source. A candidate's score is 1 - prod (1 - r).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/random.hpp"

namespace unveil {

struct CampaignText {
    std::string name;   // "text 12", or where it comes from
    std::string text;   // UTF-8
    std::vector<std::string> components = {};   // of a rule that others found, to be tried here; then `text` is empty
    std::string source = {};                    // where it was published, for the log; may be empty
};

enum class SourceKind {
    texts,   // running text
    rules,   // components of rules that others found
    words,   // names and other single words: components of one
};

struct CampaignSource {
    std::string name;
    SourceKind kind = SourceKind::texts;
    std::vector<CampaignText> candidates;   // of `rules` and `words` with components
};

/// What it costs on average to find out which of `count` candidates are blocked by themselves, when each is with `probability`: they are sent
/// together; blocked ones are halved, the left half is sent, and the right half is known to be blocked when the left one passes. A pass costs 1.
double group_cost(std::size_t count, double probability, double blocked_price);
/// How many to send together, at most `most`, so that one candidate costs least. `most` at least 1. O(most).
std::size_t best_group(double probability, double blocked_price, std::size_t most);

/// Gamma-Poisson bandit over sources.
class SourceBandit {
  public:
    SourceBandit(std::size_t sources, std::uint64_t seed);
    /// The next one among those that are not exhausted; nothing when all are.
    std::optional<std::size_t> choose();
    void note(std::size_t source, double yield, double price);
    void exhaust(std::size_t source) { m_arms[source].is_exhausted = true; }
    void revive(std::size_t source) { m_arms[source].is_exhausted = false; }
    /// Rules per price, posterior mean.
    double rate(std::size_t source) const;

  private:
    struct Arm {
        double yield = 0;
        double price = 0;
        bool is_exhausted = false;
    };
    double gamma(double shape);
    std::vector<Arm> m_arms;
    Random m_random;
};

class Discovery {
  public:
    struct Settings {
        std::vector<CampaignSource> sources;
        std::vector<std::string> lexicon;
        std::uint64_t seed = 0;
        double blocked_price = 2;
        std::size_t characters_max = 2000;   // of the candidates that are sent together
    };
    explicit Discovery(Settings settings);

    struct Batch {
        std::size_t source = 0;
        SourceKind kind = SourceKind::texts;
        std::vector<CampaignText> candidates;
        std::vector<std::size_t> numbers;     // of the candidates in their source
    };
    /// Whether these candidates hold a known rule that none of them holds alone.
    using HoldsKnown = std::function<bool(const std::vector<CampaignText>&)>;
    /// The next candidates, or nothing when all were taken. `separator_characters` stand between two of them.
    std::optional<Batch> next(std::size_t separator_characters, const HoldsKnown& holds_known);
    /// What became of it: candidates blocked by themselves, rules newly certified, price of all messages.
    void note(const Batch& batch, std::size_t blocked, std::size_t rules, double price);
    /// They were not accepted together.
    void put_back(const Batch& batch);
    void note_rule(const std::vector<std::string>& components);

    std::size_t left() const { return m_left; }
    /// The most characters that a batch can have. O(candidates).
    std::size_t longest(std::size_t separator_characters) const;
    /// No more characters together from now on than this.
    void limit(std::size_t characters) { m_characters_max = std::min(m_characters_max, characters); }
    double rate(std::size_t source) const { return m_bandit.rate(source); }

  private:
    struct Candidate {
        CampaignText text;
        std::vector<std::uint32_t> words;
        std::size_t characters = 0;
        bool is_taken = false;
        bool holds_known_rule = false;
    };
    struct Source {
        std::string name;
        SourceKind kind = SourceKind::texts;
        std::vector<Candidate> candidates;
        double sent = 0;
        double blocked = 0;
        std::size_t left = 0;
    };
    struct Word {
        double beforehand = 0;
        double rules = 0;
        double sent = 0;
        double candidates = 0;    // that hold it
        double companions = 0;    // of them, beside a component of a found rule
    };
    std::uint32_t word(const std::string& text, double beforehand);
    double score(const Candidate& candidate) const;

    double m_blocked_price;
    std::size_t m_characters_max;
    std::vector<Source> m_sources;
    std::vector<Word> m_words;
    std::unordered_map<std::string, std::uint32_t> m_word_of;
    SourceBandit m_bandit;
    std::size_t m_left = 0;
};

}  // namespace unveil
