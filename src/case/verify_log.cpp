#include "case/verify_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "evidence/text_file.hpp"
#include "evidence/trial_log.hpp"
#include "instruments/filter/filter.hpp"
#include "table/filter_log.hpp"
#include "table/rule.hpp"

namespace unveil {
namespace {

using namespace filter;
namespace fs = std::filesystem;

struct PublishedRules {
    std::vector<std::string> rules;
    double confidence = 0;
    std::set<std::string> inputs;    // digests of what the run read; empty for a list
};

std::string bytes_of_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

PublishedRules read_published(const std::string& path) {
    PublishedRules published;
    published.confidence = ParameterValues(Filter().description().parameters).real("confidence");
    if (path.empty()) return published;
    if (!fs::is_directory(path)) {
        if (bytes_of_file(path).starts_with("rule,context,certificate"))
            throw Error(ErrorKind::input, "holds what is no rule as well", "Give the folder of the run that wrote it", path);
        // In the order in which they stand: a filter may want it.
        for (const auto& line : read_text_file(path, {}))
            if (!line.text.starts_with('#')) published.rules.push_back(rule_notation(rule_components(line.text)));
        return published;
    }
    const auto findings_path = fs::path(path) / "findings.json";
    const Findings findings = findings_from_json(bytes_of_file(findings_path));
    const Finding* rules = findings.find("rules");
    if (rules == nullptr || !rules->is_set) throw Error(ErrorKind::input, "holds no rules", "Give the folder of a run of 'filter', or a list of rules", findings_path.string());
    published.rules = rules->members;
    const auto manifest = read_json(bytes_of_file(fs::path(path) / "manifest.json"));
    if (const nlohmann::json::json_pointer place("/parameters/confidence"); manifest.is_object() && manifest.contains(place) && manifest[place].is_number())
        published.confidence = manifest[place].get<double>();
    if (manifest.is_object() && manifest.contains("inputs") && manifest["inputs"].is_array())
        for (const auto& input : manifest["inputs"])
            if (input.is_object() && input.contains("sha256") && input["sha256"].is_string()) published.inputs.insert(input["sha256"].get<std::string>());
    return published;
}

/// What the messages of one certificate say in one context.
struct Replayed {
    Certificate certificate;
    std::vector<std::uint64_t> lines;      // of the log, where they were first sent
    std::vector<std::string> missing;      // what each leaves out
    std::vector<std::string> against;      // and what was answered instead
};

Replayed replay(const FilterLog& log, const std::vector<std::string>& components, const std::string& context, double confidence) {
    Replayed replayed;
    replayed.certificate = log.certificate(components, context, confidence);
    for (const CertificateTest& test : log.tests(components, context)) {
        const Answers& answers = log.book.answers(context, test.message);
        if (answers.tries() == 0) {
            if (!test.is_further) replayed.missing.push_back(test.left_out);
            continue;
        }
        double blocked = log.book.noise().probability_blocked(answers);
        std::uint64_t row = answers.first.row;
        if (const Answers* longer = test.as_longer_word.empty() ? nullptr : &log.book.answers(context, test.as_longer_word); longer != nullptr && longer->tries() > 0)
            if (const double other = log.book.noise().probability_blocked(*longer); other < blocked) {
                blocked = other;
                row = longer->first.row;
            }
        // The header is the first line.
        if (!test.is_further) replayed.lines.push_back(row + 1);
        if (test.is_blocked_expected ? 1 - blocked >= confidence : blocked >= confidence)
            replayed.against.push_back(fmt::format("'{}' {} in line {}", test.left_out, test.is_blocked_expected ? "passed" : "was blocked", row + 1));
    }
    std::sort(replayed.lines.begin(), replayed.lines.end());
    replayed.lines.erase(std::unique(replayed.lines.begin(), replayed.lines.end()), replayed.lines.end());
    return replayed;
}

std::string sentence_of(const Replayed& replayed, const std::string& context) {
    const Certificate& certificate = replayed.certificate;
    std::string lines;
    constexpr std::size_t lines_shown_max = 12;
    for (std::size_t i = 0; i < std::min(replayed.lines.size(), lines_shown_max); ++i) lines += fmt::format("{}{}", i == 0 ? "" : ", ", replayed.lines[i]);
    if (replayed.lines.size() > lines_shown_max) lines += fmt::format(" and {} more", replayed.lines.size() - lines_shown_max);
    if (certificate.state == CertificateState::certified)
        return fmt::format("in {} {} say so (line{} {}){}", printable(context, 40), certificate.tests == 1 ? "its message and the controls" : fmt::format("its {} messages", certificate.tests), replayed.lines.size() == 1 ? "" : "s", lines,
                           certificate.confidence < 1 ? fmt::format(", together with a probability of {:.4f}", certificate.confidence) : "");
    std::string why;
    if (!replayed.missing.empty()) why = fmt::format("{} of its {} messages {} missing: '{}'", replayed.missing.size(), certificate.tests, replayed.missing.size() == 1 ? "is" : "are", fmt::join(replayed.missing, "', '"));
    if (!replayed.against.empty()) why += fmt::format("{}{}", why.empty() ? "" : "; ", fmt::join(replayed.against, "; "));
    if (why.empty())
        why = certificate.confidence > 0 ? fmt::format("its {} messages say so with a probability of {:.4f} only", certificate.tests, certificate.confidence)
                                         : std::string("no separator is known to work there");
    return fmt::format("in {} {}", printable(context, 40), why);
}

class LogVerifier {
  public:
    LogVerifier(const std::string& path, const std::string& published, const std::function<void(Check)>& tell, Progress& progress)
        : m_path(path), m_is_given(!published.empty()), m_published(read_published(published)), m_tell(tell), m_progress(progress) {}

    void verify() {
        if (!m_published.inputs.empty()) {
            const bool is_read = m_published.inputs.count(sha256_hex_of_file(m_path)) > 0;
            m_tell({"file", is_read, is_read ? "is one that the run read" : "is none of those that the run read"});
        }
        if (!read()) {
            m_tell({"certificates", false, "not looked at, because the log is not what was written"});
            return;
        }
        m_judged = judge_rules(m_log, m_published.confidence);
        std::uint64_t others = 0;
        for (const auto& [notation, rule] : m_judged) {
            if (m_is_given) break;
            if (rule.is_rule()) m_published.rules.push_back(notation);
            else ++others;
        }
        for (const auto& rule : m_published.rules) verify_rule(rule);
        if (m_is_given) return;
        m_tell({"certificates", true,
                fmt::format("rules that this log certifies: {}; other combinations that were sent, which are no rules or lack answers: {}", m_published.rules.size(), others)});
    }

  private:
    /// False when the log was changed or ends within a line.
    bool read() {
        const auto source = open_trials(m_path, 0);
        const TrialLogHeader header = source->header();
        std::vector<Trial> batch;
        std::uint64_t messages = 0;
        m_log.begin_log(header.separator);
        try {
            while (source->next(batch)) {
                m_progress.check();
                m_progress.update("reading", source->bytes_done(), source->report().bytes);
                messages += batch.size();
                for (const Trial& trial : batch) m_log.add(trial);
            }
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::input) throw;
            m_tell({"chain", false, fmt::format("{}: {}", error.where(), error.message())});
            return false;
        }
        if (header.experiment != "filter")
            throw Error(ErrorKind::input, fmt::format("is a log of the experiment '{}', not of 'filter'", printable(header.experiment, 40)), "Give the log of a filter experiment", m_path);
        const auto& skips = source->report().tally.skips();
        if (!skips.empty()) {
            const auto& [reason, entry] = *skips.begin();
            m_tell({"chain", false, fmt::format("{} line{} cannot be read: {} ({})", source->report().tally.skipped(), source->report().tally.skipped() == 1 ? "" : "s", reason, entry.examples.front())});
            return false;
        }
        m_tell({"chain", true, fmt::format("{} messages, each line with the digest of the one before; the last line has the sha256 {}", grouped_digits(messages), source->last_sha256())});
        (void)m_log.finish(m_published.confidence);
        return true;
    }

    void verify_rule(const std::string& given) {
        auto components = rule_components(given);
        std::string notation = rule_notation(components);
        if (m_judged.count(notation) == 0) {
            std::sort(components.begin(), components.end());
            notation = rule_notation(components);
        }
        const auto judged = m_judged.find(notation);
        std::vector<std::string> good;
        std::vector<std::string> bad;
        for (const auto& [context, inputs] : m_log.book.contexts()) {
            const Replayed replayed = replay(m_log, components, context, m_published.confidence);
            const bool is_certified = replayed.certificate.state == CertificateState::certified;
            if (replayed.certificate.tests_made > 0) (is_certified ? good : bad).push_back(sentence_of(replayed, context));
        }
        // Elsewhere a rule is only compared: that says nothing against it.
        std::string sentence = fmt::format("{}", fmt::join(good.empty() ? bad : good, "; "));
        bool is_good = !good.empty();
        if (good.empty() && bad.empty()) sentence = "none of its messages is in the log";
        if (is_good && judged != m_judged.end() && !judged->second.is_rule()) {
            is_good = false;
            sentence += judged->second.holds_other ? "; but so is a rule within it, and answers are wrong at times" : "; but it is not known to want this order";
        }
        m_tell({fmt::format("rule '{}'", printable(given, 200)), is_good, std::move(sentence)});
    }

    const std::string& m_path;
    bool m_is_given;
    PublishedRules m_published;
    const std::function<void(Check)>& m_tell;
    Progress& m_progress;
    FilterLog m_log;
    std::map<std::string, JudgedRule> m_judged;
};

}  // namespace

void verify_log(const std::string& path, const std::string& published, const std::function<void(Check)>& tell, Progress& progress) {
    LogVerifier(path, published, tell, progress).verify();
}

}  // namespace unveil
