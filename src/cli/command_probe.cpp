#include "cli/command_probe.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/global.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "evidence/text_file.hpp"
#include "evidence/trial_log.hpp"
#include "experiment/filter/campaign.hpp"
#include "experiment/filter/folds.hpp"
#include "experiment/filter/price.hpp"
#include "field/http_spec.hpp"
#include "field/runner.hpp"
#include "field/smtp_driver.hpp"
#include "instruments/filter/watch_list.hpp"
#include "table/rule.hpp"

namespace unveil::cli {
namespace {

constexpr std::uint64_t texts_max = 100'000;

constexpr std::string_view http = "http:";
constexpr std::string_view smtp = "smtp:";
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-";

struct AccountDriver {
    std::string name;
    std::string command;   // empty: that of the context
};

struct ContextDriver {
    std::string name;
    std::string command;   // "manual" or a shell command
    std::vector<AccountDriver> accounts = {};
};

void check_driver(const std::string& command) {
    // A shell command does not begin with a word and a colon; a driver that is spelled wrong does.
    const std::size_t colon = command.find(':');
    if (colon == std::string::npos || colon == 0 || command.find_first_not_of(letters) != colon || command.starts_with(http) || command.starts_with(smtp)) return;
    throw Error(ErrorKind::usage, fmt::format("there is no driver '{}'", printable(command.substr(0, colon + 1), 80)), "Write http:SPEC.json, smtp:SPEC.json, manual or a shell command");
}

std::vector<ContextDriver> read_contexts(const std::vector<std::string>& given) {
    std::vector<ContextDriver> contexts;
    std::set<std::string> names;
    for (const auto& text : given) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
            throw Error(ErrorKind::usage, fmt::format("'{}' is no context", printable(text, 80)), "Write --context NAME=COMMAND, NAME=http:SPEC.json, NAME=smtp:SPEC.json or NAME=manual");
        if (!names.insert(text.substr(0, equals)).second)
            throw Error(ErrorKind::usage, fmt::format("the context '{}' is named twice", printable(text.substr(0, equals), 80)), "Keep one of the two");
        contexts.push_back({text.substr(0, equals), text.substr(equals + 1)});
        check_driver(contexts.back().command);
    }
    return contexts;
}

/// CONTEXT/ALIAS or CONTEXT/ALIAS=DRIVER; a context may itself hold slashes.
void read_accounts(const std::vector<std::string>& given, std::vector<ContextDriver>& contexts) {
    for (const auto& text : given) {
        const std::size_t equals = std::min(text.find('='), text.size());
        const std::string name = text.substr(0, equals);
        const auto slash = name.rfind('/');
        const std::string command = equals == text.size() ? "" : text.substr(equals + 1);
        if (slash == std::string::npos || slash == 0 || slash + 1 == name.size() || (equals != text.size() && command.empty()))
            throw Error(ErrorKind::usage, fmt::format("'{}' is no account", printable(text, 80)), "Write --account CONTEXT/ALIAS, or CONTEXT/ALIAS=DRIVER when it has one of its own");
        const auto context = std::find_if(contexts.begin(), contexts.end(), [&](const ContextDriver& one) { return one.name == name.substr(0, slash); });
        if (context == contexts.end())
            throw Error(ErrorKind::usage, fmt::format("there is no context '{}' for the account '{}'", printable(name.substr(0, slash), 80), printable(name.substr(slash + 1), 80)),
                        "Name it with --context");
        const std::string alias = name.substr(slash + 1);
        if (std::any_of(context->accounts.begin(), context->accounts.end(), [&](const AccountDriver& one) { return one.name == alias; }))
            throw Error(ErrorKind::usage, fmt::format("the account '{}' is named twice", printable(name, 80)), "Keep one of the two");
        if (!command.empty()) check_driver(command);
        context->accounts.push_back({alias, command});
    }
}

ContextAttributes read_about(const std::vector<std::string>& given, const std::vector<ContextDriver>& contexts) {
    ContextAttributes about;
    add_context_attributes(given, about);
    if (attribute_count(about) > attributes_max) throw Error(ErrorKind::usage, fmt::format("--about names more than {} attributes", attributes_max), "Leave out those that matter least");
    for (const auto& [name, attributes] : about)
        if (std::none_of(contexts.begin(), contexts.end(), [&, &name = name](const ContextDriver& context) { return context.name == name; }))
            throw Error(ErrorKind::usage, fmt::format("--about names the context '{}', from which nothing is sent", printable(name, 80)), "Name it with --context, or mend the name");
    return about;
}

void read_quiet_hours(const std::string& text, RunnerLimits& limits) {
    if (text.empty()) return;
    int from = -1;
    int to = -1;
    const auto dash = text.find('-');
    const auto read = [&](std::string_view part, int& hour) {
        const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), hour);
        return failure == std::errc() && end == part.data() + part.size() && hour >= 0 && hour <= 23;
    };
    if (dash == std::string::npos || !read(std::string_view(text).substr(0, dash), from) || !read(std::string_view(text).substr(dash + 1), to) || from == to)
        throw Error(ErrorKind::usage, fmt::format("'{}' are no hours", printable(text, 40)), "Write --quiet-hours 22-6, in UTC");
    limits.quiet_from_hour = from;
    limits.quiet_to_hour = to;
}

constexpr std::string_view risks =
    "Messages are sent to a real platform. Accounts can be warned, shut or traced to a person, and a platform may answer to a state. Use "
    "accounts that are your own, that are not tied to anybody at risk, and send only to people who agreed or to your own second account. "
    "Take texts that are public, such as news.";

/// The rules of earlier logs, most likely changed first. A log that is gone on with was begun with the rules of its own time, which is that of its
/// first trial.
std::vector<TrackedRule> read_tracked(const Global& global, const ParameterValues& options, const std::vector<std::string>& contexts, const std::string& out) {
    std::vector<std::unique_ptr<TrialSource>> sources;
    std::vector<TrialSource*> given;
    for (const auto& path : options.texts("track")) {
        if (path == out) throw Error(ErrorKind::usage, "the log that is written is among those to track", "Name a new one with --out", printable(path, 1000));
        sources.push_back(open_trials(path, static_cast<std::uint32_t>(sources.size())));
        given.push_back(sources.back().get());
    }
    constexpr double confidence = 0.99;
    const auto log = filter::read_filter_logs(given, confidence, *global.progress);
    std::int64_t now_us = make_system_clock()->now_us();
    if (is_trial_log_file(out)) {
        std::vector<Trial> batch;
        if (open_trials(out, 0)->next(batch) && !batch.empty()) now_us = batch.front().time_us;
    }
    std::vector<TrackedRule> tracked;
    std::set<std::string> missing;
    for (auto& rule : filter::watch_list(log, confidence, now_us)) {
        if (std::find(contexts.begin(), contexts.end(), rule.context) == contexts.end()) missing.insert(rule.context);
        else if (tracked.size() < static_cast<std::size_t>(options.integer("track-max"))) tracked.push_back({rule.notation, rule.components, rule.context, rule.is_blocked});
    }
    for (const auto& context : missing) global.say(fmt::format("note: rules of the context '{}' are not asked for: it is not named with --context", printable(context, 80)));
    if (tracked.empty()) throw Error(ErrorKind::input, "there is no certified rule in these logs", "Find some first, without --track");
    return tracked;
}

std::vector<CampaignText> read_rules(const Global& global, const std::string& path, const std::string& column) {
    auto read = read_public_rules(path, column);
    for (const auto& [reason, entry] : read.tally.skips())
        global.say(fmt::format("note: {}: {} {} not used: {}, such as {}", printable(path, 1000), entry.count, entry.count == 1 ? "rule is" : "rules are", reason, entry.examples.front()));
    if (read.with_wildcards > 0)
        global.say(fmt::format("note: {}: {} {} sent without the asterisks at the ends, which say where in a word a rule holds; --shape-rules finds that out", printable(path, 1000),
                               read.with_wildcards, read.with_wildcards == 1 ? "rule is" : "rules are"));
    std::vector<CampaignText> rules;
    for (auto& rule : read.rules) rules.push_back({std::move(rule.name), "", std::move(rule.components), std::move(rule.source)});
    return rules;
}

std::vector<CampaignSource> read_sources(const Global& global, const ParameterValues& options) {
    std::vector<CampaignSource> sources;
    std::set<std::string> names;
    for (const auto& given : options.texts("source")) {
        const auto equals = given.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == given.size())
            throw Error(ErrorKind::usage, fmt::format("'{}' is no source", printable(given, 80)), "Write --source NAME=FILE, NAME=rules:FILE or NAME=words:FILE");
        CampaignSource source{given.substr(0, equals), SourceKind::texts, {}};
        if (!names.insert(source.name).second)
            throw Error(ErrorKind::usage, fmt::format("the source '{}' is named twice", printable(source.name, 80)), "Keep one of the two, or put both files into one");
        std::string path = given.substr(equals + 1);
        for (const auto& [prefix, kind] : {std::pair<std::string_view, SourceKind>{"rules:", SourceKind::rules}, {"words:", SourceKind::words}})
            if (path.starts_with(prefix)) {
                path.erase(0, prefix.size());
                source.kind = kind;
                break;
            }
        const auto named = [&](const std::string& name) { return source.name + ", " + name; };
        if (source.kind == SourceKind::rules) source.candidates = read_rules(global, path, options.text("column"));
        else
            for (auto& line : read_text_file(path, {.is_whole = source.kind == SourceKind::texts && options.flag("whole"), .column = options.text("column")})) {
                if (source.kind == SourceKind::texts) source.candidates.push_back({std::move(line.name), std::move(line.text), {}, std::move(line.source)});
                else source.candidates.push_back({std::move(line.name), "", {std::move(line.text)}, std::move(line.source)});
            }
        for (auto& candidate : source.candidates) candidate.name = named(candidate.name);
        sources.push_back(std::move(source));
    }
    return sources;
}

class ProbeCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription d;
        d.name = "probe";
        d.summary = "Find out message by message which words a platform suppresses";
        d.details = fmt::format(
            "Sends texts to a platform through a command of yours, or through a person. For every text that is blocked it finds the rule behind "
            "it, certifies it with 2m+2 messages or a few more, compares contexts such as countries, and tries {} other spellings. Messages that are "
            "known to be blocked or to pass go in between. The log is the evidence: 'unveil filter LOG' reads it. Run the same command again "
            "to go on after a stop: nothing is sent twice.\n{}",
            folds().size(), risks);
        d.positionals = {{"TEXTS", "Files of texts: one a line, or a column of a CSV file", 0, SIZE_MAX}};
        const auto add = [&](Parameter parameter) { d.options.push_back(std::move(parameter)); };
        add(command_option("context", ParameterType::text, "NAME=COMMAND", "",
                           "From where to send, and how: a shell command that reads {\"context\":...,\"text\":...} and prints {\"outcome\":\"blocked\"} or "
                           "\"passed\", a line each; http:SPEC.json or smtp:SPEC.json for a service or a mail server described in a file; or manual. The first is where rules are looked for"));
        d.options.back().is_list = true;
        add(command_option("account", ParameterType::text, "CONTEXT/ALIAS", "",
                           "An account of a context, by an alias; they take turns, and when one is shut the next goes on. Commands are told the alias as \"account\"; "
                           "CONTEXT/ALIAS=COMMAND gives the account a driver of its own. The same alias in two contexts is one account"));
        d.options.back().is_list = true;
        add(command_option("about", ParameterType::text, "NAME:KEY=VALUE", "",
                           "What a context is, for the log: cn:country=CN,language=zh. country, network, language, conversation (group, one-to-one) and platform are usual; 'unveil filter' says "
                           "which of them separates rule sets"));
        d.options.back().is_list = true;
        add(command_option("known-blocked", ParameterType::text, "TEXT", "", "A message that is blocked in the first context"));
        add(command_option("known-passed", ParameterType::text, "TEXT", "", "A harmless message"));
        add(command_option("out", ParameterType::text, "LOG", "", "The log; goes on where it ended when it is there"));
        add(command_option("service", ParameterType::text, "NAME", "", "What is asked, for the log"));
        add(command_option("own-accounts", ParameterType::flag, "", "", "Confirms that the accounts are your own and everybody who receives messages agreed"));
        add(command_option("dry-run", ParameterType::flag, "", "", "Say what would be sent and what it may cost, and send nothing"));
        add(command_option("whole", ParameterType::flag, "", "", "A file is one text, not one a line"));
        add(command_option("column", ParameterType::text, "NAME", "", "The column of a CSV file; text, rule, keyword and their like are found by themselves"));
        add(command_option("rules", ParameterType::text, "FILE", "", "Rules that others found, to be tried first: 'a + b' a line, or a column of a CSV file"));
        d.options.back().is_list = true;
        add(command_option("source", ParameterType::text, "NAME=FILE", "",
                           "Candidates of which only the promising are sent: NAME=FILE for running texts, NAME=rules:FILE for rules 'a + b', NAME=words:FILE for names and "
                           "other words. What comes next is chosen by the rules that each source has yielded for its price"));
        d.options.back().is_list = true;
        add(command_option("together-max", ParameterType::integer, "N", "1", "Let candidates of a source go out together, up to so many characters in one message; 1: each alone"));
        d.options.back().minimum = 1;
        d.options.back().maximum = 1'000'000;
        add(command_option("track", ParameterType::text, "LOG", "", "Ask again for the rules of earlier logs, those first that most likely changed since"));
        d.options.back().is_list = true;
        add(command_option("track-max", ParameterType::integer, "N", "1000", "At most so many of them"));
        d.options.back().minimum = 1;
        add(command_option("everywhere", ParameterType::flag, "", "", "Look for rules in all contexts, not only in the first"));
        add(command_option("likeliest-first", ParameterType::flag, "", "",
                           "Of the next 200 texts send the one first that most likely holds a rule, by the words of --lexicon and of rules found"));
        add(command_option("messages-max", ParameterType::integer, "N", "1000", "Stop after so many messages, those of earlier sittings included"));
        d.options.back().minimum = 1;
        add(command_option("blocked-max", ParameterType::integer, "N", "100", "An account that had so many messages blocked within a day rests; stop when all of a context rest"));
        d.options.back().minimum = 1;
        add(command_option("ban-budget", ParameterType::integer, "N", "", "An account that had so many messages blocked in all sends nothing more"));
        d.options.back().minimum = 1;
        add(command_option("interval", ParameterType::duration, "DURATION", "1s", "Between two messages of one account, on average; longer when the service says that they come too fast"));
        add(command_option("timeout", ParameterType::duration, "DURATION", "60s", "Wait so long for an answer; then the message counts as unknown"));
        add(command_option("quiet-hours", ParameterType::text, "FROM-TO", "", "Send nothing in these hours of the day, UTC"));
        add(command_option("stop-file", ParameterType::text, "FILE", "", "Stop as soon as this file exists"));
        add(command_option("skip-silent", ParameterType::flag, "", "",
                           "Give up a message that had no verdict five times in a row and go on with the next, three times in a row at most; otherwise the run stops there"));
        add(command_option("resend-unknown", ParameterType::flag, "", "", "Send a message again although it may have arrived; otherwise an equivalent one is asked"));
        add(command_option("after-ban", ParameterType::flag, "", "", "Go on with accounts that were banned, shut or warned: they work again"));
        add(command_option("after-warning", ParameterType::flag, "", "", "Go on with an account that is warned; otherwise it rests, for that is how a ban begins"));
        add(command_option("separator", ParameterType::text, "TEXT", "", "What to put between pieces; six are tried unless given"));
        add(command_option("passes", ParameterType::integer, "N", "1", "How often a message must pass to count as passed; raised when known blocked ones slip through"));
        d.options.back().minimum = 1;
        d.options.back().maximum = 20;
        add(command_option("probe-rules", ParameterType::integer, "N", "3", "On how many rules each other spelling is tried at most, in each context; 0 for none"));
        d.options.back().minimum = 0;
        add(command_option("shape-rules", ParameterType::integer, "N", "3", "How many rules of one word are tried with a letter beside them, and how many of several with their words far apart; 0 for none"));
        d.options.back().minimum = 0;
        Parameter further = command_option("further", ParameterType::choice, "NAME", "none",
                                           "Ask more of each rule: whether a component is two words (split), which words want their order (swap), how far apart they may stand (gap), whether "
                                           "they are blocked with nothing between (bare)");
        further.is_list = true;
        for (const FurtherKind kind : {FurtherKind::split, FurtherKind::swap, FurtherKind::gap, FurtherKind::bare}) further.choices.emplace_back(further_kind_name(kind));
        further.choices.emplace_back("none");
        add(std::move(further));
        add(command_option("rules-per-text", ParameterType::integer, "N", "32", "Look for at most so many rules in one text"));
        d.options.back().minimum = 1;
        d.options.back().maximum = 1000;
        add(command_option("apart-max", ParameterType::integer, "N", "20",
                           "Of a text longer than a message may be, send at most so many messages of pieces that do not stand side by side, for rules whose words stand far apart; 0 for none"));
        d.options.back().minimum = 0;
        d.options.back().maximum = 100'000;
        add(command_option("lexicon", ParameterType::text, "FILE", "", "Words that platforms have suppressed before, one a line: where to look first"));
        add(command_option("blocked-price", ParameterType::real, "NUMBER", "2", "What a blocked message costs, in passed ones: more makes fewer blocked ones and more in all"));
        d.options.back().minimum = 1;
        d.options.back().maximum = 100;
        add(command_option("account-price", ParameterType::real, "NUMBER", "0", "What the loss of an account costs, in passed messages; with --ban-budget each blocked message is charged its share"));
        d.options.back().minimum = 0;
        d.options.back().maximum = 1e6;
        add(command_option("minute-price", ParameterType::real, "NUMBER", "0", "What a minute costs, in passed messages: fewer messages then count for more than fewer blocked ones"));
        d.options.back().minimum = 0;
        d.options.back().maximum = 1e6;
        add(command_option("seed", ParameterType::integer, "N", "0", "Order of comparisons and spellings"));
        d.options.back().minimum = 0;
        d.examples = {"unveil probe news.txt --context cn=./send.sh --context ca='./send.sh --abroad' --known-blocked 法轮功 --known-passed hello "
                      "--out log.jsonl --own-accounts",
                      "unveil probe --source news=news.txt --source older=rules:list.csv --source people=words:names.txt --context cn=./send.sh --known-blocked 法轮功 "
                      "--known-passed hello --messages-max 5000 --out log.jsonl --own-accounts",
                      "unveil probe news.txt --context phone=manual --known-blocked 法轮功 --known-passed hello --out log.jsonl --dry-run"};
        d.diagnostics = {"0: done, or stopped at a limit; 1: it refused to go on, no verdict came any more, or no account is left that is neither banned nor warned; 130: interrupted. The log is whole "
                         "in any case."};
        d.memory = "The log";
        return d;
    }

    int run(const Invocation& invocation) const override {
        const auto& options = invocation.options;
        const auto& global = invocation.global;
        auto contexts = read_contexts(options.texts("context"));
        read_accounts(options.texts("account"), contexts);
        CampaignPlan plan;
        // Rules that others found are tried first: what holds makes the texts cheaper.
        for (const auto& path : options.texts("rules"))
            for (auto& rule : read_rules(global, path, options.text("column"))) plan.texts.push_back(std::move(rule));
        for (const auto& path : invocation.positionals.at(0))
            for (auto& line : read_text_file(path, {.is_whole = options.flag("whole"), .column = options.text("column")}))
                plan.texts.push_back({std::move(line.name), std::move(line.text), {}, std::move(line.source)});
        plan.sources = read_sources(global, options);
        plan.together_characters_max = static_cast<std::size_t>(options.integer("together-max"));
        std::size_t texts = plan.texts.size();
        for (const auto& source : plan.sources) texts += source.candidates.size();
        if (texts > texts_max)
            throw Error(ErrorKind::usage, fmt::format("there are more than {} texts", texts_max), "Give them in several runs");
        for (const auto& context : contexts) plan.contexts.push_back(context.name);
        const std::string out = options.text("out");
        if (!options.texts("track").empty()) plan.tracked = read_tracked(global, options, plan.contexts, out);
        plan.known_blocked = options.text("known-blocked");
        plan.known_passed = options.text("known-passed");
        if (options.has_value("separator")) plan.separators = {options.text("separator")};
        plan.passes_needed = static_cast<std::uint32_t>(options.integer("passes"));
        plan.probe_rules = static_cast<std::uint32_t>(options.integer("probe-rules"));
        plan.rules_per_text_max = static_cast<std::uint32_t>(options.integer("rules-per-text"));
        for (const FurtherKind kind : {FurtherKind::split, FurtherKind::swap, FurtherKind::gap, FurtherKind::bare})
            for (const auto& name : options.texts("further"))
                if (name == further_kind_name(kind)) plan.further.insert(kind);
        plan.apart_messages_max = static_cast<std::size_t>(options.integer("apart-max"));
        plan.seed = static_cast<std::uint64_t>(options.integer("seed"));
        MessagePrices prices;
        prices.blocked = options.real("blocked-price");
        prices.account = options.real("account-price");
        prices.minute = options.real("minute-price");
        prices.minutes_between = static_cast<double>(options.duration_us("interval")) / 60e6;
        if (options.has_value("ban-budget")) prices.blocked_per_account = static_cast<double>(options.integer("ban-budget"));
        plan.blocked_price = prices.relative_blocked();
        if (options.has_value("lexicon"))
            for (auto& word : read_text_file(options.text("lexicon"), {})) plan.lexicon.push_back(std::move(word.text));
        for (const char* given : {"known-blocked", "known-passed", "separator"})
            if (options.has_value(given) && !is_valid_utf8(options.text(given)))
                throw Error(ErrorKind::usage, fmt::format("--{} is not valid UTF-8", given), "Use a terminal that speaks UTF-8");
        plan.scans_everywhere = options.flag("everywhere");
        plan.takes_likeliest_first = options.flag("likeliest-first");
        plan.shape_rules = static_cast<std::uint32_t>(options.integer("shape-rules"));
        RunnerLimits limits;
        limits.messages_max = static_cast<std::uint64_t>(options.integer("messages-max"));
        limits.blocked_per_day_max = static_cast<std::uint64_t>(options.integer("blocked-max"));
        limits.interval_us = options.duration_us("interval");
        limits.stop_file = options.text("stop-file");
        limits.price_blocked = prices.blocked;
        limits.price_account = prices.account;
        limits.price_minute = prices.minute;
        if (options.has_value("ban-budget")) limits.blocked_max = static_cast<std::uint64_t>(options.integer("ban-budget"));
        limits.heeds_warnings = !options.flag("after-warning");
        limits.leaves_silent = options.flag("skip-silent");
        limits.resends_unknown = options.flag("resend-unknown");
        limits.goes_on_after_ban = options.flag("after-ban");
        read_quiet_hours(options.text("quiet-hours"), limits);
        const std::uint64_t seed = plan.seed;
        Campaign campaign(std::move(plan));
        std::vector<std::unique_ptr<Driver>> drivers;
        const auto make_driver = [&](const std::string& command) {
            const std::int64_t timeout_us = options.duration_us("timeout");
            if (command == "manual") drivers.push_back(make_manual_driver(STDIN_FILENO, std::cerr));
            else if (command.starts_with(http)) drivers.push_back(make_http_driver(read_http_spec(command.substr(http.size())), timeout_us));
            else if (command.starts_with(smtp)) drivers.push_back(make_smtp_driver(read_smtp_spec(command.substr(smtp.size())), timeout_us));
            else drivers.push_back(make_process_driver(command, timeout_us));
            return drivers.back().get();
        };
        std::map<std::string, Driver*> by_context;
        for (const auto& context : contexts) {
            by_context[context.name] = make_driver(context.command);
            for (const auto& account : context.accounts) limits.accounts[context.name].push_back({account.name, account.command.empty() ? nullptr : make_driver(account.command)});
        }
        const TrialLogHeader header{"filter", options.text("service"), "", seed, read_about(options.texts("about"), contexts)};
        if (options.flag("dry-run")) {
            if (!out.empty()) LogFile::check(out, header);
            describe_plan(global, contexts, texts, limits);
            return 0;
        }
        if (!options.flag("own-accounts"))
            throw Error(ErrorKind::usage, "nothing is sent without --own-accounts", fmt::format("{} Add --own-accounts if that holds, or look with --dry-run", risks));
        if (out.empty()) throw Error(ErrorKind::usage, "--out is missing: the log needs a file", "Add --out log.jsonl");
        LogFile log(out, header);
        const auto clock = make_system_clock();
        const RunnerReport report = run_experiment(campaign, log, by_context, limits, seed, *clock, *global.progress);
        std::string logs;
        for (const auto& path : options.texts("track")) logs += path + " ";
        return say_report(global, options, campaign, report, logs + out);
    }

  private:
    static void describe_plan(const Global& global, const std::vector<ContextDriver>& contexts, std::size_t texts, const RunnerLimits& limits) {
        if (global.json) {
            nlohmann::ordered_json json = {{"schema_version", 1}, {"texts", texts}, {"contexts", nlohmann::ordered_json::array()}};
            for (const auto& context : contexts) {
                json["contexts"].push_back({{"context", context.name}, {"driver", context.command}});
                for (const auto& account : context.accounts) json["contexts"].back()["accounts"].push_back(account.name);
            }
            json["messages_max"] = limits.messages_max;
            json["blocked_max"] = limits.blocked_per_day_max;
            json["messages_sent"] = 0;
            global.print(json_text(json) + "\n");
            return;
        }
        std::string out = fmt::format("{} texts from {} context{}; nothing was sent.\n\n", texts, contexts.size(), contexts.size() == 1 ? "" : "s");
        for (const auto& context : contexts) {
            out += fmt::format("  {:<16} {}\n", printable(context.name, 40), printable(context.command, 200));
            for (const auto& account : context.accounts) out += fmt::format("    account {}{}\n", printable(account.name, 40), account.command.empty() ? "" : " by " + printable(account.command, 200));
        }
        out += fmt::format(
            "\nEvery text costs one message, less with --together-max, more when it is longer than a message may be (--apart-max); one that is blocked about 40 more at 500 characters and 52 at 5,000, fewer as rules are found and with "
            "--lexicon; nearly half of them are blocked. Each rule costs up to 2m+2 messages for its certificate, more where words are long and with --further, and {} for the contexts; {} spellings are tried with two or three messages each in every context where rules are blocked. At most {} "
            "messages in all, {} blocked a day and account.\n\n",
            contexts.size(), folds().size(), limits.messages_max, limits.blocked_per_day_max);
        out += wrapped(risks, 0, text_width());
        global.print(out + "\n");
    }

    static const char* account_state(const AccountUse& account) {
        switch (account.rest) {
            case AccountRest::none: return "works";
            case AccountRest::day: return "rests for the day";
            case AccountRest::budget: return "has had its blocked messages";
            case AccountRest::warned: return "was warned";
            case AccountRest::shut: return "blocks harmless messages too";
            case AccountRest::banned: return "was banned";
        }
        UNVEIL_ASSERT(false);
        return "";
    }

    static nlohmann::ordered_json calibration_json(const Campaign& campaign, const RunnerReport& report) {
        nlohmann::ordered_json json = {{"messages", campaign.calibration_messages()}, {"contexts", nlohmann::ordered_json::array()}};
        for (const auto& context : campaign.calibrations()) {
            nlohmann::ordered_json one = {{"context", context.context}, {"separator", nullptr}};
            if (context.separator) one["separator"] = *context.separator;
            one["after_blocks"] = context.after_blocks;
            one["after_blocks_blocked"] = context.after_blocks_wrong;
            one["pause_seconds"] = static_cast<double>(context.pause_us) / 1e6;
            one["reads_more_strictly_after_a_block"] = context.is_strict;
            json["contexts"].push_back(std::move(one));
        }
        json["characters_taken"] = campaign.length().taken;
        json["characters_refused"] = nullptr;
        if (campaign.length().refused > 0) json["characters_refused"] = campaign.length().refused;
        json["characters_needed"] = campaign.length().longest_needed;
        json["too_fast"] = report.too_fast;
        json["interval_seconds"] = nullptr;
        if (const std::int64_t interval_us = learnt_interval_us(report); interval_us > 0) json["interval_seconds"] = static_cast<double>(interval_us) / 1e6;
        json["answers_timed"] = report.delays;
        json["answer_seconds_median"] = report.delay_seconds_median;
        json["answer_seconds_max"] = report.delay_seconds_max;
        return json;
    }

    static std::int64_t learnt_interval_us(const RunnerReport& report) {
        std::int64_t interval_us = 0;
        for (const auto& account : report.accounts) interval_us = std::max(interval_us, account.interval_us);
        return interval_us;
    }

    static std::string calibration_text(const Campaign& campaign, const RunnerReport& report) {
        if (campaign.calibration_messages() == 0) return "";
        std::string text = fmt::format("\ncalibrated with {} messages\n", campaign.calibration_messages());
        for (const auto& context : campaign.calibrations()) {
            text += fmt::format("  {}: ", printable(context.context, 80));
            text += context.separator ? fmt::format("'{}' keeps pieces apart", printable(*context.separator, 80)) : std::string("nothing is known to keep pieces apart");
            if (context.after_blocks > 0)
                text += fmt::format("; directly after a blocked message {} of {} harmless ones came through", context.after_blocks - context.after_blocks_wrong, context.after_blocks);
            if (context.pause_us > 0) text += fmt::format(", so {} s are waited after one", context.pause_us / 1'000'000);
            if (context.is_strict) text += "; after its first blocked message an account is read more strictly";
            text += "\n";
        }
        const LengthCalibration& length = campaign.length();
        text += fmt::format("  length: {} characters are taken", human_number(static_cast<double>(length.taken)));
        text += length.refused > 0 ? fmt::format(", {} are not", human_number(static_cast<double>(length.refused))) : std::string(", more were not needed");
        text += "\n";
        if (const std::int64_t interval_us = learnt_interval_us(report); interval_us > 0)
            text += fmt::format("  pace: a message every {:.3g} s is taken, as {} that came too fast show\n", static_cast<double>(interval_us) / 1e6, report.too_fast);
        else text += "  pace: none came too fast\n";
        if (report.delays > 0) text += fmt::format("  answers took {:.3g} s in the middle and {:.3g} s at most\n", report.delay_seconds_median, report.delay_seconds_max);
        return text;
    }

    static int say_report(const Global& global, const ParameterValues& options, const Campaign& campaign, const RunnerReport& report, const std::string& logs) {
        const auto rules = campaign.judged_rules();
        if (global.json) {
            nlohmann::ordered_json json = {{"schema_version", 1},
                                           {"end", runner_end_words(report.end)},
                                           {"refusal", campaign.refusal()},
                                           {"messages_sent", report.sent},
                                           {"messages_replayed", report.replayed},
                                           {"blocked", report.blocked},
                                           {"price", report.price},
                                           {"in_log", {{"messages", report.in_log}, {"blocked", report.blocked_in_log}, {"characters", report.characters}, {"minutes", report.minutes}}}};
            json["accounts"] = nlohmann::ordered_json::array();
            for (const auto& account : report.accounts)
                json["accounts"].push_back({{"account", account.name}, {"messages", account.messages}, {"blocked", account.blocked}, {"state", account_state(account)}});
            json["rules"] = nlohmann::ordered_json::array();
            for (const auto& rule : rules)
                json["rules"].push_back({{"rule", rule.notation}, {"certified", rule.is_certified}, {"text", rule.text_name}, {"context", rule.context}});
            json["exceptions"] = nlohmann::ordered_json::array();
            for (const auto& exception : campaign.exceptions())
                json["exceptions"].push_back({{"exception", exception.notation}, {"certified", exception.is_certified}, {"rules_lifted", exception.rules.size()}});
            json["calibration"] = calibration_json(campaign, report);
            json["notes"] = campaign.notes();
            global.print(json_text(json) + "\n");
        } else {
            std::string text;
            for (const auto& rule : rules)
                text += fmt::format("{}  {}  ({})\n", rule.is_certified ? "certified" : "open     ", printable(rule.notation, 300), printable(rule.text_name, 100));
            for (const auto& exception : campaign.exceptions())
                text += fmt::format("{}  {}  (lifts {} rules)\n", exception.is_certified ? "exception" : "open exception", printable(exception.notation, 300), exception.rules.size());
            text += fmt::format("\n{}: {} messages sent, {} of them blocked; {} were in the log before\n", runner_end_words(report.end), human_number(static_cast<double>(report.sent)),
                                human_number(static_cast<double>(report.blocked)), human_number(static_cast<double>(report.replayed)));
            text += calibration_text(campaign, report);
            std::uint64_t lost = 0;
            for (const auto& account : report.accounts) lost += account.is_lost;
            text += fmt::format("in all {} messages, {} blocked, {} characters, {:.0f} minutes, price {:.6g}; {} account{} used, {} lost\n", human_number(static_cast<double>(report.in_log)),
                                human_number(static_cast<double>(report.blocked_in_log)), human_number(static_cast<double>(report.characters)), std::floor(report.minutes), report.price,
                                report.accounts.size(), report.accounts.size() == 1 ? "" : "s", lost);
            global.print(text);
        }
        for (const auto& account : report.accounts) {
            if (account.rest != AccountRest::none)
                global.say(fmt::format("note: the account {} {} after {} messages, {} of them blocked", printable(account.name, 80), account_state(account), account.messages, account.blocked));
        }
        for (const auto& note : campaign.notes()) global.say(printable("note: " + note, 1000));
        if (!report.last_problem.empty() && report.end != RunnerEnd::silent) global.say(printable("note: a driver " + report.last_problem, 1000));
        if (report.unknown > 0)
            global.say(fmt::format("note: nobody knows what became of {} message{}; what is unknown counts for nothing{}", report.unknown, report.unknown == 1 ? "" : "s",
                                   options.flag("resend-unknown") ? "" : ", and others of the same meaning were sent"));
        if (report.end == RunnerEnd::silent)
            throw Error(ErrorKind::run, fmt::format("{}several messages in a row got no verdict{}{}", report.is_unreachable ? "the service cannot be reached: " : "", report.last_problem.empty() ? "" : "; a driver ",
                                                    printable(report.last_problem, 1000)),
                        fmt::format("The log goes on where it stopped: run the same command again{}", report.is_unreachable ? "" : ", with --skip-silent if only this message is answered so"));
        if (report.end == RunnerEnd::banned || report.end == RunnerEnd::warned)
            throw Error(ErrorKind::run, fmt::format("no account of {} is left: {}", printable(report.context, 80), report.end == RunnerEnd::banned ? "all are banned" : "all are banned or warned"),
                        fmt::format("The log is whole, and what it shows so far holds. To go on run the same command with one more --account {}/ALIAS, or with {}", printable(report.context, 80),
                                    report.end == RunnerEnd::banned ? "--after-ban when an account works again" : "--after-warning at the risk of the accounts"));
        if (report.end == RunnerEnd::refused) {
            global.say(printable("refused: " + campaign.refusal(), 1000));
            return 1;
        }
        if (!global.json) global.say(fmt::format("Next: unveil filter {} --out result", printable(logs, 1000)));
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_probe_command() { return std::make_unique<ProbeCommand>(); }

}  // namespace unveil::cli
