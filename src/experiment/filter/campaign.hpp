// Which rules stand behind the blocked ones among these texts, for whom do they hold, and how does the filter read? An experiment:
// calibrates a separator, sends every text, isolates and certifies what blocks it, compares contexts, probes spellings; known messages
// go in between all the time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "experiment/dialogue.hpp"
#include "experiment/experiment.hpp"
#include "experiment/filter/word_model.hpp"

namespace unveil {

struct CampaignText {
    std::string name;   // "text 12", or where it comes from
    std::string text;   // UTF-8
};

struct CampaignPlan {
    std::vector<CampaignText> texts;
    std::vector<std::string> contexts;        // the first is where rules are looked for
    std::string known_blocked;                // a message that is blocked in the first context, of at least two characters
    std::string known_passed;                 // a harmless one
    std::vector<std::string> separators = default_separators();   // tried in this order until one survives
    std::uint32_t control_every = 15;         // messages of one context between two controls
    std::uint32_t rules_per_text_max = 8;
    std::uint32_t attempts_max = 4;           // at a rule whose certificate fails
    std::uint32_t probe_rules = 3;            // rules on which each fold is tried; 0: no probes
    std::uint32_t tries_max = 5;              // of a message that gave no verdict
    double confidence = 0.99;                 // of each certificate, comparison and spelling, where answers are faulty
    std::uint32_t asked_again_max = 12;       // of one message whose state is published
    /// How often a message must pass before it counts as passed; raised by itself when known blocked messages come through.
    std::uint32_t passes_needed = 1;
    std::uint64_t seed = 0;
    std::vector<std::string> lexicon;         // words that platforms have suppressed before
    std::vector<std::string> background;      // harmless text, beside the given texts that pass
    bool uses_memory = true;                  // learn from rules found, and
    bool learns_background = true;            // from texts that pass, where to look first
    double blocked_price = 2;                 // of a blocked message, in passed ones; at least 1
    std::vector<std::u32string> lexicon_characters() const;
    static std::vector<std::string> default_separators();
};

/// A rule as it was isolated and certified in the first context.
struct FoundRule {
    std::vector<std::string> components;   // in byte order
    std::string notation;
    std::string text_name;
    bool is_certified = false;
};

class Campaign final : public Experiment {
  public:
    /// Throws Error(usage) for a plan that cannot be carried out.
    explicit Campaign(CampaignPlan plan);

    std::optional<Message> next() override { return m_state.pending; }
    void answer(const Trial& trial) override;
    std::string refusal() const override { return m_refusal; }
    std::uint64_t expected_messages() const override;

    const std::vector<FoundRule>& rules() const { return m_rules; }
    /// What was left undone and why, for the user: "text 3 was rejected: too long".
    const std::vector<std::string>& notes() const { return m_notes; }
    /// Empty until calibrated.
    const std::string& separator() const { return m_separator; }

  private:
    enum class Verdict { passed, blocked, none };
    struct Answers {
        std::uint64_t blocked = 0;
        std::uint64_t passed = 0;
    };
    /// A message whose state is published, and how unsure it may be.
    struct Published {
        Message message;
        double error_max = 0;
    };
    struct Pace {
        std::uint32_t since_control = 0;
        bool is_block_next = true;
    };

    Dialogue<bool> run();
    Dialogue<bool> calibrate();
    Dialogue<bool> scan(std::size_t text);
    Dialogue<bool> compare();
    Dialogue<bool> probe();
    /// `is_exact`: nothing is left to the certificate.
    Dialogue<std::vector<std::string>> isolate(std::string subject, std::u32string characters, bool is_exact);
    Dialogue<bool> certify(std::vector<std::string> components);
    /// One answer; messages without a verdict are sent again.
    Dialogue<Verdict> ask_once(Message message);
    /// As many answers as the noise wants, with controls in between.
    Dialogue<Verdict> ask(Message message);
    Dialogue<bool> control(std::string context, bool is_block);
    Message control_message(const std::string& context, bool is_block) const;
    /// Asks again what later faults have made unsure, until it is sure or was asked often enough.
    Dialogue<bool> settle();
    double probability_blocked(const Message& message) const;
    std::uint32_t passes_needed() const;
    bool has_faults() const { return m_slips > 0 || m_wrongly_blocked > 0 || m_is_contradicted; }
    std::string joined(const std::vector<std::string>& pieces) const;

    CampaignPlan m_plan;
    Random m_random;
    WordModel m_model;
    double m_cut_share;
    std::uint32_t m_passes_least;       // the plan's, or more while a text gives trouble
    std::string m_separator;
    std::string m_refusal;
    std::vector<FoundRule> m_rules;
    std::vector<std::string> m_notes;
    std::map<std::string, Pace> m_paces;
    std::uint64_t m_block_controls = 0;
    std::uint64_t m_slips = 0;
    std::uint64_t m_pass_controls = 0;
    std::uint64_t m_wrongly_blocked = 0;
    bool m_is_contradicted = false;     // one message got both answers
    std::map<std::pair<std::string, std::string>, Answers> m_asked;    // by context and message
    std::vector<Published> m_published;
    std::uint32_t m_slips_in_row = 0;
    std::size_t m_texts_done = 0;
    std::uint64_t m_answers = 0;
    DialogueState m_state;
    Dialogue<bool> m_dialogue;
};

}  // namespace unveil
