// What ends a command, told to a person: what went wrong, where, and what to do about it.
#pragma once

#include <exception>
#include <string>

namespace unveil {

enum class ErrorKind {
    usage,        // the command line or a parameter is wrong: exit code 2
    input,        // the evidence or the case file is wrong: exit code 1
    run,          // the machine failed us (disk, memory limit, missing library): exit code 1
    interrupted,  // stopped by the user; what was done is kept: exit code 130
    internal,     // our own mistake: exit code 1
};

/// The only exception type of unveil. Thrown for what ends the command, caught once in cli/main.cpp.
/// A malformed record is never an Error; it is counted in a Tally.
class Error : public std::exception {
  public:
    Error(ErrorKind kind, std::string message, std::string hint = {}, std::string where = {});

    ErrorKind kind() const { return m_kind; }
    const std::string& message() const { return m_message; }
    /// One sentence that says what to do; may be empty.
    const std::string& hint() const { return m_hint; }
    /// "file:line" or "file" or empty.
    const std::string& where() const { return m_where; }
    /// "where: message. hint" on one line.
    const char* what() const noexcept override { return m_full.c_str(); }

  private:
    ErrorKind m_kind;
    std::string m_message;
    std::string m_hint;
    std::string m_where;
    std::string m_full;
};

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace unveil

/// For our own mistakes only; never reachable from input. On in every build.
#define UNVEIL_ASSERT(condition) \
    ((condition) ? void(0) : ::unveil::assertion_failed(#condition, __FILE__, __LINE__))
