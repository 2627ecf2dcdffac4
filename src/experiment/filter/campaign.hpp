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
#include "table/rule.hpp"

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
    std::size_t apart_messages_max = 20;      // of pieces of one text that do not touch, where it is longer than a message may be
    std::uint32_t attempts_max = 4;           // at a rule whose certificate fails
    std::uint32_t probe_rules = 3;            // rules on which each fold is tried at most, in each context; 0: no probes
    std::uint32_t shape_rules = 3;            // rules of one component that are tried within longer words, and of several that are tried far apart; 0: none
    bool looks_for_order = true;              // one message for each rule of several components
    std::set<FurtherKind> further;            // what else is asked of each rule
    std::size_t gap_characters = 1000;        // between neighbours at most
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

/// What was found out about a context before anything was looked for in it.
struct ContextCalibration {
    std::string context;
    std::optional<std::string> separator;
    std::uint32_t after_blocks = 0;         // harmless messages sent directly after a blocked one
    std::uint32_t after_blocks_wrong = 0;   // of them, blocked
    std::int64_t pause_us = 0;              // after a blocked message; 0: none is needed
    bool is_strict = false;                 // after its first blocked message an account is read more strictly
};

/// Of the first context, how long a message may be, in characters.
struct LengthCalibration {
    std::size_t taken = 0;                  // as long as this came through
    std::size_t refused = 0;                // this did not; 0: none was
    std::size_t longest_needed = 0;
};

class Campaign final : public Experiment {
  public:
    /// Throws Error(usage) for a plan that cannot be carried out.
    explicit Campaign(CampaignPlan plan);

    std::optional<Message> next() override;
    void answer(const Trial& trial) override;
    std::string refusal() const override { return m_refusal; }
    std::uint64_t expected_messages() const override;
    std::int64_t pause_after_block_us() const override { return m_state.pending ? ground(m_state.pending->context).calibration.pause_us : 0; }

    /// At the end judged as the instrument does; before it as they were found.
    const std::vector<FoundRule>& rules() const { return m_rules; }
    /// The rules as all answers so far show them: certified are those that the instrument certifies. O(answers).
    std::vector<FoundRule> judged_rules() const;
    const std::vector<FoundException>& exceptions() const { return m_exceptions; }
    /// What was left undone and why, for the user: "text 3 was rejected: too long".
    const std::vector<std::string>& notes() const { return m_notes; }
    /// Of the first context; empty until calibrated.
    const std::string& separator() const { return m_separator; }
    /// Of the contexts that were prepared, in the order of the plan.
    std::vector<ContextCalibration> calibrations() const;
    const LengthCalibration& length() const { return m_length; }
    /// That the calibration of the first context took.
    std::uint64_t calibration_messages() const { return m_calibration_messages; }

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
    struct Found {
        std::optional<std::size_t> rule = {};  // position in m_rules
        bool is_rejected = false;              // a message was too long on the way
    };
    struct Scanned {
        std::vector<std::size_t> rules;        // of the text, by position in m_rules
        bool is_rejected = false;              // it was too long, or what had to be sent to find another rule was
    };
    /// Where to look for the rule that blocks a text.
    struct Narrowed {
        std::string text;                      // the whole one, or what was told to be left out of it
        std::optional<std::size_t> rule;       // where just that is one, its position in m_rules
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
        ContextCalibration calibration;
        std::string account;                     // that answered last
        bool is_account_new = false;             // and was not controlled since it took over
        std::size_t rejected_characters = SIZE_MAX;   // of the shortest message that was rejected there
        std::size_t accepted_characters = 0;          // of the longest one that was not, and is shorter
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
    /// A known message, at most three times while its answer is wrong; false when it stays so.
    Dialogue<bool> begin_with(std::string context, bool is_block);
    /// How long harmless messages are blocked after a blocked one. False when no wait helps.
    Dialogue<bool> find_pause(std::string context);
    /// How long a message may be, as far as the texts make it matter and few messages can tell.
    Dialogue<bool> find_length(std::string context);
    bool is_length_known() const;
    bool is_too_long(const std::string& text) const;
    /// Whether the message that came through before the first block is blocked now.
    Dialogue<bool> find_strictness(Message before);
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
    /// The rules of a text, of which some may be known to block it.
    Dialogue<Scanned> scan(CampaignText given, std::string context, std::vector<std::size_t> here = {});
    /// The same for one that is too long.
    Dialogue<bool> scan_in_pieces(CampaignText given, std::string context, std::vector<std::size_t> rules);
    /// How long a message with this text may be, from its beginning; 0 when even short ones are rejected.
    Dialogue<std::size_t> find_piece_length(std::string name, std::u32string characters, std::string context);
    void note_length(const Message& sent, Outcome outcome);
    Dialogue<bool> scan_texts();
    /// Candidates of the sources until there are none left.
    Dialogue<bool> discover();
    Dialogue<Grouped> send_together(Discovery::Batch batch);
    /// Which of these are blocked by themselves? They are certified, or what blocks them is looked for.
    Dialogue<Grouped> resolve_group(std::vector<CampaignText> group, std::string context, bool is_known_blocked);
    Dialogue<Grouped> resolve_one(CampaignText given, std::string context);
    /// The position in m_rules of what is certified as it is given, and passes the further tests.
    Dialogue<std::optional<std::size_t>> try_rule(std::vector<std::string> components, std::string name, std::string context, std::vector<CertificateTest> further = {});
    /// The rule that blocks a text, as far as it could be certified.
    Dialogue<Found> find_rule(std::string name, std::string text, std::string context);
    /// What was told to be left out of a blocked text, when it is blocked by itself.
    Dialogue<Narrowed> narrow(std::string name, std::string text, std::string context);
    /// What the answer to a message said was left out of it, each piece once and in its order; none when it said nothing.
    std::vector<std::string> told_pieces(const std::string& context, const std::string& text) const;
    /// Whether what stands behind the first bytes of a message came through beside what was left out of them.
    bool is_apart(const std::string& context, const std::string& text, std::size_t bytes) const;
    Dialogue<bool> track();
    Dialogue<bool> find_exceptions();
    Dialogue<bool> lift(std::size_t exception);
    Dialogue<bool> compare();
    /// `order`: rules and contexts as they were compared.
    Dialogue<bool> assure_differences(std::vector<std::pair<std::size_t, std::string>> order, std::vector<std::string> contexts);
    /// Asks until it is told, on as few rules as that takes; what is told already costs nothing.
    Dialogue<bool> probe();
    /// The rules in another spelling, by fold and context; the first so many that differ in more than spelling.
    struct Probe {
        std::string context;
        std::string_view fold;
        std::string rule;
        std::string independent;   // what tells apart rules that differ in more than spelling
        std::string text;
    };
    std::vector<Probe> probes() const;
    Dialogue<bool> try_orders();
    /// What the plan wants to know of each rule besides; a component that is two words brings a rule of more.
    Dialogue<bool> try_further();
    /// One such test; none where it makes no sense.
    Dialogue<Verdict> ask_further(FoundRule rule, FurtherTest test);
    Dialogue<bool> try_shapes();
    /// The words together, with this text, as often as it stood between them, before them and behind them: a filter may read no long texts, or only the begin or the end of one.
    Dialogue<bool> ask_together(FoundRule rule, std::size_t characters, std::string text);
    /// Do rules of several components hold when other text stands between them?
    Dialogue<bool> try_distances();
    Dialogue<Isolated> isolate(Goal goal, std::u32string characters);
    Dialogue<bool> certify(std::vector<std::string> components, std::string context);
    /// Sends tests until one comes out other than it should.
    Dialogue<bool> all_as_expected(std::vector<CertificateTest> tests, Message like);
    /// One answer. When it was lost, an equivalent message is sent; an error is none.
    Dialogue<Verdict> ask_once(Message message);
    /// One answer, with a control before it when it is time for one.
    Dialogue<Verdict> ask_in_turn(Message message);
    /// As many answers as the noise wants.
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
    LengthCalibration m_length;
    std::uint64_t m_verdicts = 0;       // answers that stay when a log is replayed
    std::uint64_t m_calibration_messages = 0;
    std::uint64_t m_block_controls = 0;
    std::uint64_t m_slips = 0;
    std::uint64_t m_pass_controls = 0;
    std::uint64_t m_wrongly_blocked = 0;
    bool m_is_contradicted = false;     // one message got both answers
    bool m_is_rechecked = false;        // once after the first fault
    filter::FilterLog m_log;            // what was answered so far
    std::map<std::pair<std::string, std::string>, Answers> m_asked;    // by context and message
    std::set<std::pair<std::string, std::string>> m_lost;              // by context, messages that may have arrived
    std::map<std::pair<std::string, std::string>, std::vector<TrialSpan>> m_told;    // by context and message: what was left out of those that came through in part
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
