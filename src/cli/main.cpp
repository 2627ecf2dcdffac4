// The one place where errors become text and exit codes.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <new>
#include <system_error>

#include "cli/command.hpp"
#include "cli/progress_terminal.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil::cli {
namespace {

constexpr std::size_t message_bytes_max = 10'000;

int exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return 2;
        case ErrorKind::interrupted:
            return 130;
        case ErrorKind::input:
        case ErrorKind::run:
        case ErrorKind::internal:
            break;
    }
    return 1;
}

/// Names and cells of the evidence stand in messages; they must not steer the terminal.
std::string made_safe(std::string_view text) {
    std::string out;
    while (true) {
        const auto end = text.find('\n');
        out += printable(text.substr(0, end), message_bytes_max);
        if (end == std::string_view::npos) return out;
        out += "\n";
        text.remove_prefix(end + 1);
    }
}

void tell(std::string_view where, std::string_view message, std::string_view hint) {
    std::string text = "unveil: ";
    if (!where.empty()) text += printable(where, message_bytes_max) + ": ";
    text += made_safe(message) + "\n";
    if (!hint.empty()) text += "hint: " + made_safe(hint) + "\n";
    std::fputs(text.c_str(), stderr);
}

/// A descriptor that the caller closed would be taken by the first file we open, and text would end up in it.
void keep_standard_descriptors() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (fcntl(descriptor, F_GETFD) == -1) {
            // The wrong way round on purpose: using it still fails.
            [[maybe_unused]] const int opened =
                open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
}

/// True when whoever read our output through a pipe has gone, as head does.
bool has_reader_left() {
    pollfd descriptor{STDOUT_FILENO, 0, 0};
    return poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLERR) != 0;
}

int stdout_failed(int code) {
    if (has_reader_left()) return code;
    tell("stdout", "the output could not be written in full", "Is the disk full?");
    return 1;
}

int run(int argc, char** argv, TerminalProgress& progress) {
    try {
        return run_command_line(argc, argv, progress);
    } catch (const Error& error) {
        progress.erase();
        tell(error.where(), error.message(), error.hint());
        return exit_code(error.kind());
    } catch (const std::bad_alloc&) {
        progress.erase();
        tell({}, "out of memory",
             "Give a lower --memory-limit, so that more is kept on disk, or use a larger machine");
        return 1;
    } catch (const std::system_error& error) {
        progress.erase();
        if (std::ferror(stdout) != 0) return 0;  // told below
        tell({}, error.what(), {});
        return 1;
    } catch (const std::exception& error) {
        progress.erase();
        tell({}, std::string("unexpected failure: ") + error.what(),
             "This is a defect of unveil; please report it with the command you ran");
        return 1;
    }
}

}  // namespace
}  // namespace unveil::cli

int main(int argc, char** argv) {
    using namespace unveil::cli;
    keep_standard_descriptors();
    install_signal_handlers();
    TerminalProgress progress;
    const int code = run(argc, argv, progress);
    progress.erase();
    const bool has_flushed = std::fflush(stdout) == 0;
    return has_flushed && std::ferror(stdout) == 0 ? code : stdout_failed(code);
}
