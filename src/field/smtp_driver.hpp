// How is a message sent as mail, and what do the server's reply codes mean? A mailbox that does not exist is enough where a server looks at the
// content before it looks for the mailbox (Knockel et al. 2021, section 3).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "field/driver.hpp"

namespace unveil {

/// Fits the server's reply to the message when all conditions that are given fit.
struct SmtpVerdict {
    std::optional<int> code;
    std::string contains;        // in the text of the reply, in any case
    Outcome outcome = Outcome::error;
};

struct SmtpSpec {
    std::string host;
    std::string port = "25";
    std::string from;            // addresses without < and >
    std::string to;
    std::string subject = "hello";
    std::vector<SmtpVerdict> verdicts;   // the first that fits counts
};

/// Throws Error(input) with what is wrong and where.
SmtpSpec parse_smtp_spec(std::string_view json, const std::string& path);
SmtpSpec read_smtp_spec(const std::string& path);

/// The mail as it is sent behind DATA, its last dot included: UTF-8 in base64.
std::string smtp_mail(const SmtpSpec& spec, std::string_view text);

/// What the first verdict that fits says; outcome `error` with a problem when none does.
Reply judge_smtp(const SmtpSpec& spec, int code, std::string_view text);

/// One connection a message, without TLS. What goes wrong before the mail was handed over is an error; when the reply to it is lost the
/// message counts as unknown.
std::unique_ptr<Driver> make_smtp_driver(SmtpSpec spec, std::int64_t timeout_us);

}  // namespace unveil
