// Trials that lie in memory, for tests of instruments.
#pragma once

#include <utility>
#include <vector>

#include "table/trial.hpp"

namespace unveil::test {

class MemoryTrials final : public TrialSource {
  public:
    explicit MemoryTrials(std::vector<Trial> trials, std::string separator = "\n", ContextAttributes attributes = {}) : m_trials(std::move(trials)) {
        m_header = {"filter", "test", std::move(separator), 0, std::move(attributes)};
        for (std::size_t i = 0; i < m_trials.size(); ++i) m_trials[i].row = i + 1;
    }
    const TrialLogHeader& header() const override { return m_header; }
    bool next(std::vector<Trial>& batch) override {
        batch.clear();
        while (m_at < m_trials.size() && batch.size() < 3) batch.push_back(m_trials[m_at++]);
        return !batch.empty();
    }
    const std::string& last_sha256() const override { return m_last_sha256; }
    const SourceReport& report() const override { return m_report; }
    std::uint64_t bytes_done() const override { return 0; }

  private:
    std::vector<Trial> m_trials;
    std::size_t m_at = 0;
    TrialLogHeader m_header;
    std::string m_last_sha256;
    SourceReport m_report;
};

}  // namespace unveil::test
