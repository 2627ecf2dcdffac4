#include "field/log_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/output_table.hpp"
#include "core/text.hpp"
#include "evidence/trial_log.hpp"

namespace unveil {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
    throw Error(ErrorKind::run, fmt::format("{}: {}", what, std::strerror(errno)), "Check the disk and the folder, then start again: the log goes on where it ended",
                path);
}

/// The sidecar is a log of one trial, whose seed says how many stood in the log before it. Without it, or when it was cut while it
/// was written, nothing was sent.
std::vector<Trial> read_sending(const std::string& path, std::uint64_t trials_before) {
    if (!std::filesystem::exists(path)) return {};
    std::vector<Trial> trials;
    try {
        const auto source = open_trials(path, 0);
        if (source->header().seed == trials_before) source->next(trials);
    } catch (const Error&) {
        trials.clear();
    }
    return trials;
}

}  // namespace

void LogFile::check(const std::string& path, const TrialLogHeader& header) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return;
    if (!std::filesystem::is_regular_file(path, ignored)) throw Error(ErrorKind::input, "is no regular file", "Name another --out", path);
    if (std::filesystem::file_size(path, ignored) == 0) return;
    std::ifstream file(path, std::ios::binary);
    std::string head(64, '\0');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(file.gcount()));
    if (!is_trial_log(head)) {
        if (is_trial_log_file(path)) throw Error(ErrorKind::input, "is a packed log, and only a plain one can be gone on with", "Unpack it, or name another --out", path);
        throw Error(ErrorKind::input, "is no log of trials; it was left as it is", "Name another --out", path);
    }
    const TrialLogHeader found = open_trials(path, 0)->header();
    const auto differ = [&](const std::string& option, const std::string& was, const std::string& is) {
        throw Error(ErrorKind::input, fmt::format("is the log of another experiment: {} was '{}' and is '{}' now", option, printable(was, 80), printable(is, 80)),
                    "Give the same options as when it was begun, or name another --out", path);
    };
    if (found.experiment != header.experiment) differ("the experiment", found.experiment, header.experiment);
    if (found.service != header.service) differ("--service", found.service, header.service);
    if (found.separator != header.separator) differ("the separator", found.separator, header.separator);
    if (found.attributes != header.attributes)
        throw Error(ErrorKind::input, "is the log of another experiment: what --about says of the contexts was something else", "Give the same options as when it was begun, or name another --out", path);
    if (found.seed != header.seed) differ("--seed", std::to_string(found.seed), std::to_string(header.seed));
}

LogFile::LogFile(const std::string& path, const TrialLogHeader& header) : m_path(path), m_sending_path(path + ".sending") {
    m_file = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (m_file < 0) fail("the log cannot be opened", path);
    try {
        go_on(header);
    } catch (...) {
        close(m_file);
        throw;
    }
}

void LogFile::go_on(const TrialLogHeader& header) {
    if (flock(m_file, LOCK_EX | LOCK_NB) != 0)
        throw Error(ErrorKind::run, "another unveil is writing to this log", "Wait for it, or name another --out", m_path);
    // Before anything is mended: a file that is not this log belongs to somebody else.
    check(m_path, header);
    struct stat status {};
    if (fstat(m_file, &status) != 0) fail("the log cannot be read", m_path);
    if (status.st_size == 0) {
        m_chain = std::make_unique<TrialChain>(header);
        write_line(m_chain->header_line());
        std::filesystem::remove(m_sending_path);
        return;
    }
    // A line without its end was cut by a crash; its message is in the sidecar.
    std::ifstream bytes(m_path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(bytes), {}};
    const std::size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
    if (whole == 0) throw Error(ErrorKind::input, "is no log of trials; it was left as it is", "Name another --out", m_path);
    if (whole < text.size() && ftruncate(m_file, static_cast<off_t>(whole)) != 0) fail("the log cannot be mended", m_path);
    const auto source = open_trials(m_path, 0);
    std::vector<Trial> batch;
    while (source->next(batch)) m_earlier.insert(m_earlier.end(), batch.begin(), batch.end());
    if (source->report().tally.skipped() > 0)
        throw Error(ErrorKind::input, "holds lines that cannot be read", "Get the log as it was written", m_path);
    m_chain = std::make_unique<TrialChain>(source->last_sha256());
    m_trials = m_earlier.size();
    for (const Trial& sent : read_sending(m_sending_path, m_trials)) {
        append(sent);
        m_earlier.push_back(sent);
    }
}

LogFile::~LogFile() {
    if (m_file >= 0) close(m_file);
}

void LogFile::about_to_send(const Trial& trial) {
    Trial marked = trial;
    marked.outcome = Outcome::unknown;
    TrialChain chain(TrialLogHeader{"sending", {}, {}, m_trials});
    std::string text = chain.header_line() + "\n";
    text += chain.append(marked) + "\n";
    write_file_atomically(m_sending_path, text);
}

void LogFile::append(const Trial& trial) {
    write_line(m_chain->append(trial));
    ++m_trials;
}

void LogFile::write_line(const std::string& line) {
    const std::string bytes = line + "\n";
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = write(m_file, bytes.data() + done, bytes.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("the log cannot be written", m_path);
        done += static_cast<std::size_t>(count);
    }
    if (fdatasync(m_file) != 0) fail("the log cannot be written", m_path);
}

}  // namespace unveil
