#include "instruments/filter/sending.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "instruments/common_findings.hpp"

namespace unveil::filter {
namespace {

void describe_length(const SendingBook& book, Findings& findings) {
    if (book.characters_refused == 0) return;
    if (book.characters_refused <= book.characters_taken) {
        findings.notes.push_back(fmt::format("messages of {} characters were too long at one time and others of {} were not at another: the limit is not counted in characters, or changed",
                                             grouped_digits(book.characters_refused), grouped_digits(book.characters_taken)));
        return;
    }
    Finding finding;
    finding.metric = "length.characters";
    finding.subject = "messages";
    finding.value = finding.low = static_cast<double>(book.characters_taken);
    finding.high = static_cast<double>(book.characters_refused - 1);
    finding.level = 1;
    finding.unit = "characters";
    finding.sentence = fmt::format("A message of {} characters was taken, one of {} was too long.", grouped_digits(book.characters_taken), grouped_digits(book.characters_refused));
    finding.caveat = "Of the first context. A service that counts bytes takes fewer characters of another script.";
    findings.items.push_back(std::move(finding));
}

void describe_memory(const SendingBook& book, Findings& findings) {
    const auto at_once = book.after_blocks.find(0);
    if (at_once == book.after_blocks.end()) return;
    const auto& [harmless, blocked] = at_once->second;
    auto finding = share("after_block.blocked_share", "harmless messages directly after a blocked one", blocked, harmless,
                         fmt::format("Directly after a blocked message {} of {} harmless ones were blocked.", blocked, harmless));
    finding.caveat = "A few messages; that nothing was blocked does not show that nothing is remembered.";
    findings.items.push_back(std::move(finding));
    if (book.after_blocks.size() < 2) return;
    // The first wait after which nothing was blocked; one that is longer than needed does not count.
    std::int64_t too_short = 0;
    for (const auto& [seconds, tried] : book.after_blocks) {
        if (tried.blocked > 0) {
            too_short = seconds;
            continue;
        }
        Finding pause;
        pause.metric = "after_block.pause_seconds";
        pause.subject = "accounts that had a message blocked";
        pause.value = pause.high = static_cast<double>(seconds);
        pause.low = static_cast<double>(too_short);
        pause.level = 1;
        pause.unit = "seconds";
        pause.sentence = fmt::format("{} s after a blocked message harmless ones came through, {} s after it they did not; the campaign waited so long.", seconds, too_short);
        findings.items.push_back(std::move(pause));
        return;
    }
}

}  // namespace

void describe_sending(const SendingBook& book, Findings& findings) {
    if (book.calibrations > 0)
        findings.items.push_back(exact_count("calibration.messages", "the log", book.calibrations, "messages",
                                             fmt::format("{} messages were sent to find out what the others rely on.", grouped_digits(book.calibrations))));
    describe_length(book, findings);
    describe_memory(book, findings);
    if (book.is_stricter()) {
        auto finding = exact_count("after_block.stricter", "the log", 1, "contexts", "A message came through before the first blocked one and was blocked after it, twice: an account is read more strictly once it was blocked.");
        finding.caveat = "What is found is how such an account is read; one that was never blocked may be read otherwise.";
        findings.items.push_back(std::move(finding));
    }
    if (book.too_fast > 0)
        findings.items.push_back(exact_count("sending.too_fast", "the log", book.too_fast, "messages",
                                             fmt::format("{} messages were refused because they came too fast; they were sent again.", grouped_digits(book.too_fast))));
    if (!book.delays_us.empty()) {
        auto delays = book.delays_us;
        std::sort(delays.begin(), delays.end());
        constexpr double second_us = 1e6;
        Finding finding;
        finding.metric = "answers.longest_seconds";
        finding.subject = "answers";
        finding.value = finding.low = finding.high = static_cast<double>(delays.back()) / second_us;
        finding.level = 1;
        finding.unit = "seconds";
        finding.sentence = fmt::format("Of {} answers half took {:.3g} s or less, and the longest {:.3g} s.", grouped_digits(delays.size()),
                                       static_cast<double>(delays[delays.size() / 2]) / second_us, finding.value);
        findings.items.push_back(std::move(finding));
    }
    std::uint64_t lost = 0;
    std::uint64_t warned = 0;
    for (const auto& [name, account] : book.accounts) {
        lost += book.is_lost(account);
        warned += account.is_warned;
    }
    if (!book.has_turns && lost == 0 && warned == 0) return;
    auto accounts = exact_count("accounts", "the log", book.accounts.size(), "accounts", fmt::format("{} accounts sent messages.", grouped_digits(book.accounts.size())));
    accounts.table.columns = {"account", "messages", "state"};
    for (const auto& [name, account] : book.accounts)
        accounts.table.rows.push_back({name, grouped_digits(account.messages), account.is_banned ? "banned" : book.is_lost(account) ? "blocks all" : account.is_warned ? "warned" : "works"});
    findings.items.push_back(std::move(accounts));
    findings.items.push_back(exact_count("accounts.lost", "the log", lost, "accounts",
                                         fmt::format("{} of {} accounts were banned, or blocked harmless messages until the end.", grouped_digits(lost), grouped_digits(book.accounts.size()))));
}

}  // namespace unveil::filter
