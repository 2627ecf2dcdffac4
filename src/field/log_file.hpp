// The log of an experiment on disk. What was sent and answered is there before the next message goes out; a message whose answer was
// lost in a crash is known to have been sent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "table/trial.hpp"

namespace unveil {

class LogFile {
  public:
    /// Makes PATH with its header, or opens what is there: checks that it is this log, cuts a half-written last line, reads it to its end, checks the
    /// chain, and adds the message of PATH.sending, if any, as unknown. Throws Error(input) when it is another log, Error(run) when the
    /// disk fails or another unveil holds it.
    LogFile(const std::string& path, const TrialLogHeader& header);
    ~LogFile();
    /// Changes nothing. Throws Error(input) when something stands at PATH that is not the log of this experiment.
    static void check(const std::string& path, const TrialLogHeader& header);
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    /// What the log held when it was opened, in order.
    const std::vector<Trial>& earlier() const { return m_earlier; }
    /// Notes on disk that this message is about to be sent.
    void about_to_send(const Trial& trial);
    /// Appends what became of it; on disk when it returns.
    void append(const Trial& trial);

  private:
    void go_on(const TrialLogHeader& header);
    void write_line(const std::string& line);

    std::string m_path;
    std::string m_sending_path;
    int m_file = -1;
    std::unique_ptr<TrialChain> m_chain;
    std::vector<Trial> m_earlier;
    std::uint64_t m_trials = 0;
};

}  // namespace unveil
