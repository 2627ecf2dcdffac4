#include "cli/progress_terminal.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/global.hpp"

namespace unveil::cli {
namespace {

constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr auto first_draw_after = std::chrono::milliseconds(300);  // short runs stay silent

volatile sig_atomic_t stop_asked = 0;

void ask_to_stop(int) {
    stop_asked = 1;
}

std::string short_count(double count) {
    constexpr std::string_view prefixes[] = {"", " k", " M", " G", " T"};
    std::size_t prefix = 0;
    while (count >= 1000 && prefix + 1 < std::size(prefixes)) {
        count /= 1000;
        ++prefix;
    }
    const int decimals = prefix == 0 || count >= 100 ? 0 : 1;
    return fmt::format("{:.{}f}{}", count, decimals, prefixes[prefix]);
}

std::string short_time(double seconds) {
    if (seconds < 90) return fmt::format("{:.0f} s", std::max(1.0, seconds));
    if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

void install_signal_handlers() {
    struct sigaction stop {};
    stop.sa_handler = ask_to_stop;
    stop.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
    sigaction(SIGINT, &stop, nullptr);
    sigaction(SIGTERM, &stop, nullptr);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, nullptr);
}

std::string progress_line(std::string_view stage, std::uint64_t done, std::uint64_t total,
                          double elapsed_seconds, std::size_t width) {
    std::string line(stage);
    const auto add = [&](const std::string& piece) {
        if (line.size() + 2 + piece.size() <= width) line += "  " + piece;
    };
    const double share =
        total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    if (total != 0) add(fmt::format("{:3.0f}%", share * 100));
    add(total != 0 ? fmt::format("{} of {}", short_count(static_cast<double>(done)),
                                 short_count(static_cast<double>(total)))
                   : short_count(static_cast<double>(done)));
    if (elapsed_seconds >= 1 && done != 0) {
        add(fmt::format("{}/s", short_count(static_cast<double>(done) / elapsed_seconds)));
        if (share > 0.02 && share < 1)
            add(fmt::format("{} left", short_time(elapsed_seconds * (1 - share) / share)));
    }
    if (line.size() > width) line.resize(width);
    return line;
}

bool TerminalProgress::is_cancelled() const {
    return stop_asked != 0;
}

void TerminalProgress::update(std::string_view stage, std::uint64_t done, std::uint64_t total) {
    if (!m_is_shown) return;
    const std::lock_guard lock(m_mutex);
    const auto now = Clock::now();
    if (stage != m_stage) {
        m_stage = stage;
        m_stage_start = now;
        if (!m_is_drawn) m_drawn_at = now + first_draw_after - redraw_interval;
    }
    if (now < m_drawn_at + redraw_interval) return;
    m_drawn_at = now;
    m_is_drawn = true;
    // One column stays free: a full line makes some terminals wrap.
    const auto width = std::max<std::size_t>(terminal_columns(STDERR_FILENO), 10) - 1;
    const auto line = progress_line(m_stage, done, total,
                                    std::chrono::duration<double>(now - m_stage_start).count(), width);
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
}

void TerminalProgress::erase() {
    const std::lock_guard lock(m_mutex);
    if (!m_is_drawn) return;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
    m_is_drawn = false;
}

}  // namespace unveil::cli
