#include "instruments/filter/filter.hpp"
#include "instruments/filter/topics.hpp"

namespace unveil {

const InstrumentDescription& Filter::description() const {
    static const InstrumentDescription description = [] {
        InstrumentDescription d;
        d.name = "filter";
        d.question = "Which words does a platform suppress, for whom, and how does it read text?";
        d.summary =
            "Reads the log of messages that were sent to a platform. Certifies rules (combinations of words that are blocked, of which "
            "no part can go), compares them between contexts such as countries, and says which changes of spelling the filter sees "
            "through. Noise is measured on controls that were sent between the others.";
        d.record = "trial";
        d.parameters.push_back({.name = "confidence", .type = ParameterType::real, .default_text = "0.99",
                                .help = "How sure a certificate, a state or a fold must be", .minimum = 0.5, .maximum = 0.999999});
        d.parameters.push_back({.name = "same-share", .type = ParameterType::real, .default_text = "0.1",
                                .help = "Two contexts count as having one list, or the list of one as within the other's, where a larger share of it that is missing would have been found", .minimum = 0.0001, .maximum = 1});
        d.parameters.push_back({.name = "about", .type = ParameterType::text, .is_list = true, .metavar = "NAME:KEY=VALUE",
                                .help = "What a context is, where its log does not say: cn:country=CN,language=zh"});
        d.parameters.push_back({.name = "withhold-evasions", .type = ParameterType::flag, .default_text = "",
                                .help = "Leave out how rules can be written so that they come through"});
        d.parameters.push_back({.name = "topics", .type = ParameterType::flag, .default_text = "",
                                .help = "Say what rules are about by a few words of unveil's own; lists of labelled words beside the log do so better"});
        d.parameters.push_back({.name = "topic-confidence", .type = ParameterType::real, .default_text = "0.8",
                                .help = "How sure a topic, a category or a theme must be", .minimum = 0, .maximum = 1});
        const std::vector<std::string> topic_names(filter::topics().begin(), filter::topics().end());
        const std::string topics_need = "a list of labelled words beside the log, or with = { topics = true }";
        const std::string categories_need = "a list of labelled words beside the log that has categories or themes";
        d.metrics = {
            {"messages", "messages", "sent in all"},
            {"messages.blocked", "messages", "blocked in whole or in part"},
            {"controls.slip_share", "share", "of messages known to be blocked that came through"},
            {"controls.false_block_share", "share", "of harmless messages that were blocked"},
            {"repeats.inconsistent_share", "share", "of messages sent more than once that got different answers"},
            {"calibration.messages", "messages", "by which it was found out what the others rely on"},
            {"length.characters", "characters", "of the longest message that is taken, where one was too long"},
            {"after_block.blocked_share", "share", "of harmless messages directly after a blocked one that were blocked"},
            {"after_block.pause_seconds", "seconds", "after a blocked message until harmless ones come through, where they did not at once"},
            {"after_block.stricter", "contexts", "where an account is read more strictly once it had a message blocked; there only where that was seen"},
            {"sending.too_fast", "messages", "that were refused for coming too fast, where any was"},
            {"answers.longest_seconds", "seconds", "until an answer came, where the log says how long answers took"},
            {"accounts", "accounts", "that sent messages, where several took turns or one was warned or lost"},
            {"accounts.lost", "accounts", "of them, banned or blocking everything until the end"},
            {"rules", "rules", "certified; a set: rules includes \"a + b\", rules excludes \"c\""},
            {"rules.distinct", "rules", "certified, without those that are other spellings of one of them as the filter reads text"},
            {"rules(\"context\")", "rules", "certified somewhere and blocked in this context when sent alone; a set"},
            {"rules.open", "rules", "blocked, but a test of the certificate is missing or unsure"},
            {"rules.not_minimal", "rules", "blocked, but so is a part of them"},
            {"rules.ordered", "rules", "that want their words in one order; a set"},
            {"rules.undivided", "rules", "of which no component is two words, among those asked with --further split; a set"},
            {"rules.any_distance", "rules", "blocked also when their words stand as far apart as was sent, among those asked with --further gap; a set"},
            {"rules.bare", "rules", "blocked also when their words stand one behind the other, among those asked with --further bare; a set"},
            {"rules.word_bound", "rules", "of one word that are blocked only at the edge of a word, among those tried"},
            {"rules.distance_bound", "rules", "of several words that come through when they stand far apart, among those tried; a set"},
            {"rules.added", "rules", "that came onto the list while they were watched; a set"},
            {"rules.removed", "rules", "that left it; a set"},
            {"events", "events", "rules that came or left, by context"},
            {"exceptions", "exceptions", "combinations that let a message pass although a rule is in it; a set"},
            {"exceptions.open", "exceptions", "of which it cannot be told: answers are missing or not sure enough together", {}, "texts that passed in spite of a rule"},
            {"exceptions.pairs", "pairs", "\"rule unless exception\" that were sent together and pass; a set"},
            {"contexts", "contexts", "from which messages were sent"},
            {"contexts.rule_sets", "rule sets", "that no tested rule tells apart"},
            {"contexts.differ", "pairs", "of contexts with at least one rule that only one of them meets; the interval holds those that are not shown to be equal"},
            {"contexts.missing_share(\"first\", \"second\")", "share", "of the rules met in the first context, those that pass in the second; where none does, up to what would have been found"},
            {"contexts.separated_by", "attributes", "that every difference between contexts goes with; a set: contexts.separated_by includes \"country\"", {}, "contexts of which the log or 'about' says what they are"},
            {"model", "properties", "that the filter is shown to have; a set: model includes \"exceptions\", model excludes \"order\""},
            {"model.unexplained_share", "share", "of texts that were blocked and hold no certified rule"},
            {"folds", "changes", "of spelling that the filter sees through; a set: folds includes \"case\""},
            {"folds(\"context\")", "changes", "that it sees through in this context; a set"},
            {"folds.open", "changes", "of which it cannot be told"},
            {"topics.share(\"topic\")", "share", "of distinct certified rules about the topic; those that cannot be told open the interval", topic_names, topics_need},
            {"topics.abstained", "rules", "of which it cannot be told", {}, topics_need},
            {"categories", "categories", "of the lists' codebook that some rule is told to be of", {}, categories_need},
            {"categories.share(\"category\")", "share", "of distinct certified rules of the category, for those that some rule is of; those that cannot be told open the interval", {}, categories_need},
            {"categories.abstained", "rules", "of which the category cannot be told", {}, categories_need},
            {"themes.share(\"theme\")", "share", "of distinct certified rules of the theme; those that cannot be told open the interval", {}, categories_need},
            {"themes.abstained", "rules", "of which the theme cannot be told", {}, categories_need},
            {"evasions", "changes", "of spelling that let a forbidden message through, by context"},
        };
        d.limits = {
            "It knows nothing of what was never sent: rules that no message held are not found, and their number is not estimated.",
            "Certificates hold under the model that a message is blocked when it holds all components of some rule. Exceptions are found only "
            "where a text that was sent passed in spite of a rule.",
            "That a message did not arrive does not say who stopped it; the log says what was sent and what came back.",
            "A change of the list is told from a wrong answer only when two answers on both sides show it.",
        };
        d.citations = {
            "Xiong & Knockel 2019, An Efficient Method to Determine which Combination of Keywords Triggered Automatic Filtering of a Message, FOCI",
            "Knockel et al. 2021, Measuring QQMail's automated email censorship in China, FOCI",
            "McNemar 1947, Note on the sampling error of the difference between correlated proportions",
            "Hanley & Lippman-Hand 1983, If nothing goes wrong, is everything all right? JAMA",
            "Holm 1979, A simple sequentially rejective multiple test procedure",
        };
        d.example = "unveil filter chat/log.jsonl --out result";
        return d;
    }();
    return description;
}

}  // namespace unveil
