// A small instrument and a small evidence format for the tests of this room: lines "account,content,seconds".
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "case/run.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/output_table.hpp"
#include "instruments/instrument.hpp"

namespace unveil::test {

/// A folder that is gone after the test.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "unveil-case-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) std::abort();
        m_path = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(m_path, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::string operator/(const std::string& name) const { return m_path + "/" + name; }
    const std::string& path() const { return m_path; }

  private:
    std::string m_path;
};

inline void write_text(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}
inline std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Path below `folder` -> sha256, of every file.
inline std::map<std::string, std::string> digests_below(const std::string& folder) {
    std::map<std::string, std::string> digests;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        digests[std::filesystem::relative(entry.path(), folder).string()] =
            entry.is_regular_file() ? sha256_hex_of_file(entry.path().string()) : "folder";
    return digests;
}

class LineSource final : public PostSource {
  public:
    LineSource(const std::string& path, std::uint32_t evidence)
        : m_evidence(evidence), m_bytes(read_text(path)) {
        m_report.path = path;
        m_report.format = "lines";
        m_report.compression = "none";
        m_report.bytes = m_bytes.size();
        m_report.sha256 = sha256_hex(m_bytes);
        m_report.time_resolution = {1'000'000, "seconds by definition"};
    }
    PostFields fields() const override { return PostField::account | PostField::content; }
    void want(PostFields) override {}
    bool next(PostBatch& batch) override {
        batch.clear();
        batch.evidence = m_evidence;
        while (m_at < m_bytes.size() && batch.size() < 2) {
            const auto end = std::min(m_bytes.find('\n', m_at), m_bytes.size());
            const std::string_view line(m_bytes.data() + m_at, end - m_at);
            m_at = end + 1;
            ++m_row;
            if (line == "broken pipe")
                throw Error(ErrorKind::input, "the file breaks off", {},
                            m_report.path + ":" + std::to_string(m_row));
            const auto comma = line.find(',');
            const auto comma2 = line.rfind(',');
            if (comma == comma2) {
                m_report.tally.skip("too few cells", m_report.path + ":" + std::to_string(m_row), line);
                continue;
            }
            const std::int64_t time_us = std::atoll(std::string(line.substr(comma2 + 1)).c_str()) * 1'000'000;
            if (m_report.tally.kept() == 0) m_report.time_first_us = m_report.time_last_us = time_us;
            m_report.time_first_us = std::min(m_report.time_first_us, time_us);
            m_report.time_last_us = std::max(m_report.time_last_us, time_us);
            m_report.tally.keep();
            batch.row.push_back(m_row);
            batch.time_us.push_back(time_us);
            batch.account.push_back(line.substr(0, comma));
            batch.content.push_back(line.substr(comma + 1, comma2 - comma - 1));
        }
        return batch.size() > 0;
    }
    const SourceReport& report() const override { return m_report; }
    std::uint64_t bytes_done() const override { return m_at; }

  private:
    std::uint32_t m_evidence;
    std::string m_bytes;
    std::size_t m_at = 0;
    std::uint64_t m_row = 0;
    SourceReport m_report;
};

inline std::unique_ptr<PostSource> open_lines(const std::string& path, const EvidenceOptions&,
                                              std::uint32_t evidence) {
    return std::make_unique<LineSource>(path, evidence);
}

/// Counts posts and accounts; `stop-after` makes it leave its inputs half read.
class CountingInstrument : public Instrument {
  public:
    CountingInstrument() {
        m_description.name = "counting";
        m_description.question = "How many posts are there?";
        m_description.record = "post";
        m_description.parameters = {parameter("factor", ParameterType::integer, "1"),
                                    parameter("traces", ParameterType::text, "all"),
                                    parameter("stop-after", ParameterType::integer, "0"),
                                    parameter("pairs", ParameterType::flag, "false")};
        m_description.parameters[1].is_list = true;
        m_description.parameters[3].affects_findings = false;
        m_description.metrics = {{"posts.count", "posts", ""},
                                 {"posts.share", "share", ""},
                                 {"accounts.count", "accounts", ""},
                                 {"<trace>.edges", "pairs", ""},
                                 {"kinds.share(\"kind\")", "share", "", {"long posts", "short posts"}, "kinds = true"},
                                 {"kinds.abstained", "posts", "", {}, "kinds = true"}};
    }
    const InstrumentDescription& description() const override { return m_description; }

    Findings run(const InstrumentInputs& inputs, const ParameterValues& parameters,
                 InstrumentContext& context) const override {
        ++runs;
        std::map<std::string, std::int64_t> counts;
        std::vector<Locator> locators;
        std::int64_t posts = 0;
        for (auto* source : inputs.posts) {
            PostBatch batch;
            while (source->next(batch)) {
                context.progress.check();
                for (std::size_t i = 0; i < batch.size(); ++i) {
                    ++counts[std::string(batch.account[i])];
                    ++posts;
                    if (locators.size() < Finding::locators_max)
                        locators.push_back({batch.evidence, batch.row[i]});
                }
                if (parameters.integer("stop-after") > 0 && posts >= parameters.integer("stop-after")) break;
            }
        }
        if (posts == 0) throw Error(ErrorKind::input, "there are no posts");
        auto& table = context.tables.open(
            "accounts", {{"account", CellType::text, ""}, {"posts", CellType::integer, ""}});
        for (const auto& [account, count] : counts) {
            table.text(account);
            table.integer(count);
            table.end_row();
        }
        if (parameters.flag("pairs")) context.tables.open("pairs", {{"a", CellType::text, ""}});
        const double count = static_cast<double>(posts * parameters.integer("factor"));
        Findings findings;
        findings.items.push_back(exact("posts.count", count, "posts"));
        findings.items.back().locators = locators;
        findings.items.back().locators_total = static_cast<std::uint64_t>(posts);
        findings.items.push_back(exact("accounts.count", static_cast<double>(counts.size()), "accounts"));
        findings.items.push_back(exact("posts.share", 0.5, "share"));
        findings.items.back().low = 0.4;
        findings.items.back().high = 0.6;
        findings.items.back().level = 0.95;
        findings.items.back().strength = StrengthKind::interval;
        findings.notes = {"nothing was left out"};
        return findings;
    }

    mutable int runs = 0;

  protected:
    InstrumentDescription m_description;

  private:
    static Parameter parameter(const std::string& name, ParameterType type, const std::string& default_text) {
        Parameter made;
        made.name = name;
        made.type = type;
        made.default_text = default_text;
        return made;
    }
    static Finding exact(const std::string& metric, double value, const std::string& unit) {
        Finding finding;
        finding.metric = metric;
        finding.subject = "the evidence";
        finding.value = finding.low = finding.high = value;
        finding.level = 1;
        finding.unit = unit;
        finding.sentence = "a sentence";
        return finding;
    }
};

/// Counts the posts of its controls as well; `stop-after` makes it leave them unread.
class ControlledInstrument final : public CountingInstrument {
  public:
    ControlledInstrument() {
        m_description.name = "controlled";
        m_description.accepts_controls = true;
        m_description.metrics.push_back({"controls.count", "posts", ""});
    }
    Findings run(const InstrumentInputs& inputs, const ParameterValues& parameters,
                 InstrumentContext& context) const override {
        Findings findings = CountingInstrument::run(inputs, parameters, context);
        if (inputs.controls.empty() || parameters.integer("stop-after") > 0) return findings;
        Finding count = findings.items.front();
        count.metric = "controls.count";
        count.value = 0;
        count.locators.clear();
        for (auto* source : inputs.controls) {
            PostBatch batch;
            while (source->next(batch))
                for (std::size_t i = 0; i < batch.size(); ++i) {
                    ++count.value;
                    if (count.locators.size() < Finding::locators_max)
                        count.locators.push_back({batch.evidence, batch.row[i]});
                }
        }
        count.low = count.high = count.value;
        count.locators_total = static_cast<std::uint64_t>(count.value);
        findings.items.push_back(count);
        return findings;
    }
};

}  // namespace unveil::test
