// One line on the terminal that says how far a long run is; drawn on stderr, erased when done.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "core/progress.hpp"

namespace unveil::cli {

class TerminalProgress final : public Progress {
  public:
    ~TerminalProgress() override { erase(); }

    /// Nothing is drawn before this is called with true.
    void show(bool is_wanted) { m_is_shown = is_wanted; }
    void update(std::string_view stage, std::uint64_t done, std::uint64_t total) override;
    bool is_cancelled() const override;
    /// Takes the line away so that other text can be written.
    void erase();

  private:
    using Clock = std::chrono::steady_clock;

    std::mutex m_mutex;  // update() may come from several threads
    bool m_is_shown = false;
    bool m_is_drawn = false;
    std::string m_stage;
    Clock::time_point m_stage_start{};
    Clock::time_point m_drawn_at{};
};

/// SIGINT and SIGTERM ask the run to stop; the second of its kind kills. SIGPIPE is ignored.
void install_signal_handlers();

/// "  reading posts  41% 2.1 G/5.0 G  310 M/s  9 s left" cut to `width` columns. Pure, so that it can be
/// tested.
std::string progress_line(std::string_view stage, std::uint64_t done, std::uint64_t total,
                          double elapsed_seconds, std::size_t width);

}  // namespace unveil::cli
