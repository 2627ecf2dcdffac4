// Which rules stand behind the blocked ones among these texts, what lets messages pass in spite of them, for whom do they hold, and how does
// the filter read? An experiment: calibrates a separator for each context, sends every text, isolates and certifies what blocks it, compares contexts, probes
// spellings; known messages go in between all the time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "experiment/dialogue.hpp"
#include "experiment/experiment.hpp"
#include "experiment/filter/discovery.hpp"
#include "experiment/filter/word_model.hpp"
#include "table/filter_log.hpp"

namespace unveil {

/// A rule of earlier logs, to be asked for again.
struct TrackedRule {
    std::string notation;
    std::vector<std::string> components;
    std::string context;
    bool is_blocked = false;   // when it was last asked for
};

struct CampaignPlan {
    std::vector<CampaignText> texts;
    std::vector<CampaignSource> sources;      // after the texts: what comes next is chosen by what each has yielded
    std::size_t together_characters_max = 1;      // of candidates of a source that are sent in one message; 1: each alone
    std::vector<TrackedRule> tracked;         // in this order, before the texts
    std::vector<std::string> contexts;        // the first is where rules are looked for
    bool scans_everywhere = false;            // or in all contexts
    std::string known_blocked;                // a message that is blocked in the first context, of at least two characters
    std::string known_passed;                 // a harmless one
    std::vector<std::string> separators = default_separators();   // tried in this order until one survives, in each context
    std::uint32_t control_every = 15;         // messages of one context between two controls
    std::uint32_t rules_per_text_max = 32;
    std::uint32_t attempts_max = 4;           // at a rule whose certificate fails
    std::uint32_t probe_rules = 3;            // rules on which each fold is tried; 0: no probes
    std::uint32_t shape_rules = 3;            // rules of one component that are tried within longer words; 0: none
    bool looks_for_order = true;              // one message for each rule of several components
    double confidence = 0.99;                 // of each certificate, comparison and spelling, where answers are faulty
    std::uint32_t asked_again_max = 12;       // of one message whose state is published
    /// How often a message must pass before it counts as passed; raised by itself when known blocked messages come through.
    std::uint32_t passes_needed = 1;
    std::uint64_t seed = 0;
    std::vector<std::string> lexicon;         // words that platforms have suppressed before
    std::vector<std::string> background;      // harmless text, beside the given texts that pass
    bool uses_memory = true;                  // rules found are looked for in later texts, and tell where to look first
    bool learns_background = true;            // so do texts that pass
    bool takes_likeliest_first = false;       // of the texts that are left, the one most likely to hold a rule that is not known yet
    double blocked_price = 2;                 // of a blocked message, in passed ones; at least 1
    std::vector<std::u32string> lexicon_characters() const;
    static std::vector<std::string> default_separators();
};

/// A rule as it was isolated and certified.
struct FoundRule {
    std::vector<std::string> components;   // in byte order, or in that of the text where the filter wants that one
    std::string notation;
    std::string text_name;
    std::string context;                   // where it was found
    bool is_certified = false;
};

/// What lets messages pass although a rule is in them.
struct FoundException {
    std::vector<std::string> components;
    std::string notation;
    std::vector<std::size_t> rules;        // that it lifts, by position in rules()
    bool is_certified = false;
};

class Campaign final : public Experiment {
  public:
    /// Throws Error(usage) for a plan that cannot be carried out.
    explicit Campaign(CampaignPlan plan);

    std::optional<Message> next() override;
    void answer(const Trial& trial) override;
    std::string refusal() const override { return m_refusal; }
    std::uint64_t expected_messages() const override;

    /// At the end judged as the instrument does; before it as they were found.
    const std::vector<FoundRule>& rules() const { return m_rules; }
    /// The rules as all answers so far show them: certified are those that the instrument certifies. O(answers).
    std::vector<FoundRule> judged_rules() const;
    const std::vector<FoundException>& exceptions() const { return m_exceptions; }
    /// What was left undone and why, for the user: "text 3 was rejected: too long".
    const std::vector<std::string>& notes() const { return m_notes; }
    /// Of the first context; empty until calibrated.
    const std::string& separator() const { return m_separator; }

  private:
    /// All that was answered so far, as `filter` reads it.
    filter::FilterLog finished_log() const;
    std::vector<FoundRule> judged_by(const filter::FilterLog& log) const;
    /// After the rules: which exceptions all answers together show, and which rules they lift.
    void judge_exceptions_by(const filter::FilterLog& log);
    enum class Verdict { passed, blocked, rejected, none };
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
        std::uint32_t blocked_in_row = 0;
        bool is_block_next = true;
    };
    /// What an isolation looks for: parts of a text that, beside these pieces, still get this answer.
    struct Goal {
        std::string context;
        std::string step;
        std::string subject;
        std::vector<std::string> beside;
        Verdict wanted = Verdict::blocked;
        bool is_exact = false;    // nothing is left to the certificate
    };
    struct Isolated {
        std::vector<std::string> components;   // in the order of the text; empty when an answer was missing
        bool is_rejected = false;              // because a message was too long
    };
    /// What became of candidates that were sent together.
    struct Grouped {
        std::size_t blocked = 0;     // by themselves
        bool is_rejected = false;    // too long together
    };
    /// What a context other than the first is known to do; it may read in another way, or not filter at all.
    struct Ground {
        bool is_prepared = false;
        bool is_closed = false;                  // nothing is sent there: harmless messages do not pass, or give no verdict
        bool is_refused = false;                 // no separator works there
        std::uint32_t failures = 0;              // of messages that are blocked to show a separator
        std::string known_blocked;               // empty until something is seen to be blocked there
        std::optional<std::string> separator;
    };
    struct PassedText {
        std::string name;
        std::string text;
        std::string context;
    };

    Dialogue<bool> run();
    Dialogue<bool> ask_all();
    /// The known messages, and a separator, in the first context.
    Dialogue<bool> calibrate();
    /// The same in another one; false when it is left out.
    Dialogue<bool> prepare(std::string context);
    /// A separator that breaks this blocked message when put into it at one of the places, does not hide it, and is harmless.
    Dialogue<bool> find_separator(std::string context, std::string known, std::vector<std::size_t> places);
    /// A separator for a context that lets the known message pass, by what is blocked in this text there.
    Dialogue<bool> find_known(std::string name, std::string text, std::string context);
    /// Whether the text can be scanned in this context: a separator is there, or was found with its help.
    Dialogue<bool> separate(CampaignText given, std::string context);
    /// These components alone; none where joined pieces say nothing.
    Dialogue<Verdict> ask_alone(std::string step, std::vector<std::string> components, std::string context);
    Dialogue<bool> scan(CampaignText given, std::string context);
    Dialogue<bool> scan_texts();
    /// Candidates of the sources until there are none left.
    Dialogue<bool> discover();
    Dialogue<Grouped> send_together(Discovery::Batch batch);
    /// Which of these are blocked by themselves? They are certified, or what blocks them is looked for.
    Dialogue<Grouped> resolve_group(std::vector<CampaignText> group, std::string context, bool is_known_blocked);
    Dialogue<Grouped> resolve_one(CampaignText given, std::string context);
    /// The position in m_rules of what is certified as it is given.
    Dialogue<std::optional<std::size_t>> try_rule(std::vector<std::string> components, std::string name, std::string context);
    /// The rule that blocks a text, as far as it could be certified; its position in m_rules, or nothing.
    Dialogue<std::optional<std::size_t>> find_rule(std::string name, std::string text, std::string context);
    Dialogue<bool> track();
    Dialogue<bool> find_exceptions();
    Dialogue<bool> lift(std::size_t exception);
    Dialogue<bool> compare();
    /// `order`: rules and contexts as they were compared.
    Dialogue<bool> assure_differences(std::vector<std::pair<std::size_t, std::string>> order, std::vector<std::string> contexts);
    Dialogue<bool> probe();
    Dialogue<bool> try_orders();
    Dialogue<bool> try_shapes();
    Dialogue<Isolated> isolate(Goal goal, std::u32string characters);
    Dialogue<bool> certify(std::vector<std::string> components, std::string context);
    /// Sends tests until one comes out other than it should.
    Dialogue<bool> all_as_expected(std::vector<CertificateTest> tests, Message like);
    /// One answer. When it was lost, an equivalent message is sent; an error is none.
    Dialogue<Verdict> ask_once(Message message);
    /// As many answers as the noise wants, with controls in between.
    Dialogue<Verdict> ask(Message message);
    /// The same for a message whose state is published.
    Dialogue<Verdict> ask_published(Message message, double error_max);
    /// A known message, again and again while its answer is wrong; false when it stays wrong.
    Dialogue<bool> control(std::string context, bool is_block);
    Message control_message(const std::string& context, bool is_block) const;
    bool is_known_blocked_in(const std::string& context) const;
    /// Asks again what later faults have made unsure, until it is sure or was asked often enough.
    Dialogue<bool> settle();
    /// Whether it was unsure.
    Dialogue<bool> settle_one(Published published);
    /// Whether these tests are sure together, after they were asked again.
    Dialogue<bool> settle_tests(std::vector<CertificateTest> tests, std::string context);
    /// Where answers are wrong at times: settles, and drops the rules that are certified no longer and the separators that do not work.
    Dialogue<bool> recheck();
    double probability_blocked(const Message& message) const;
    std::uint32_t passes_needed() const;
    bool has_faults() const { return m_slips > 0 || m_wrongly_blocked > 0 || m_is_contradicted; }
    const Ground& ground(const std::string& context) const { return m_grounds.at(context); }
    /// That of the first one where none was found yet.
    const std::string& separator_in(const std::string& context) const;
    std::string joined(const std::vector<std::string>& pieces, const std::string& context) const;
    /// Whether a block of these components alone says something of each of them there.
    bool is_told_apart(const std::vector<std::string>& components, const std::string& context) const { return components.size() < 2 || ground(context).separator; }
    /// Puts pieces that are short enough before the texts that are left.
    Dialogue<bool> cut_into_windows(CampaignText given, std::string context);
    /// A certified rule of this context that stands in the text, by position in m_rules.
    std::optional<std::size_t> known_rule_in(const std::string& text, const std::string& context) const;
    void learn(const FoundRule& rule, const std::string& text);
    std::size_t next_text() const;
    /// Where the text or the window of one was published; empty where nobody said.
    std::string source_of(const std::string& text_name) const;

    CampaignPlan m_plan;
    Random m_random;
    WordModel m_model;
    double m_cut_share;
    std::uint32_t m_passes_least;       // the plan's, or more while a text gives trouble
    std::string m_separator;
    std::string m_refusal;
    std::vector<FoundRule> m_rules;
    std::vector<FoundException> m_exceptions;
    std::vector<std::string> m_notes;
    std::vector<PassedText> m_passed_texts;
    std::set<std::size_t> m_left;       // rules that were found and are blocked no longer
    std::map<std::string, Pace> m_paces;
    std::map<std::string, Ground> m_grounds;         // of every context
    std::size_t m_rejected_characters = SIZE_MAX;    // the shortest message that was rejected
    std::size_t m_window_characters = 0;             // that were accepted instead; 0: not known
    std::uint64_t m_block_controls = 0;
    std::uint64_t m_slips = 0;
    std::uint64_t m_pass_controls = 0;
    std::uint64_t m_wrongly_blocked = 0;
    bool m_is_contradicted = false;     // one message got both answers
    bool m_is_rechecked = false;        // once after the first fault
    filter::FilterLog m_log;            // what was answered so far
    std::map<std::pair<std::string, std::string>, Answers> m_asked;    // by context and message
    std::set<std::pair<std::string, std::string>> m_lost;              // by context, messages that may have arrived
    std::vector<Published> m_published;
    std::vector<CampaignText> m_texts;  // that are left to scan
    std::map<std::string, std::string> m_sources;    // where texts were published, by their names
    std::size_t m_texts_done = 0;
    std::uint64_t m_answers = 0;
    double m_price = 0;                 // of all answers, in passed ones
    std::optional<Discovery> m_discovery;
    DialogueState m_state;
    Dialogue<bool> m_dialogue;
};

}  // namespace unveil
