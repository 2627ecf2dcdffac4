#include "instruments/interference/dns_lookups.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "core/hash.hpp"
#include "instruments/interference/known_pages.hpp"

namespace unveil {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
/// What a listed address adds to the logarithm of the likelihood ratio: lists hold addresses of real hosts that forged answers use, and private ones,
/// which may be the name's own.
constexpr float listed_address_ratio = 6;

bool is_failure(const DnsAnswerSeen& answer) {
    constexpr unsigned servfail = 2, refused = 5;
    const unsigned rcode = answer.flags & 15u;
    return rcode == servfail || rcode == refused;
}

std::uint64_t mix(std::uint64_t value) { return value * 0x9E3779B97F4A7C15ull; }

}  // namespace

DnsWatch::DnsWatch(const InterferenceFacts& facts, NameBook& names, const interference::FingerprintSet* fingerprints, std::function<void(const FlowRecord&)> sink)
    : m_facts(facts), m_names(names), m_fingerprints(fingerprints), m_sink(std::move(sink)) {}

void DnsWatch::take(DnsTalk& talk, const Packet& packet) {
    if (parse_dns(packet.payload, m_message) == DnsError::too_short || m_message.questions == 0) return;
    auto& lookups = talk.lookups;
    const bool is_answer = m_message.is_response();
    const std::uint32_t name = m_names.number(m_message.name);
    auto known = std::find_if(lookups.begin(), lookups.end(), [&](const Lookup& lookup) { return lookup.id == m_message.id && lookup.name == name && lookup.type == m_message.type; });
    if (known == lookups.end()) {
        if (is_answer) return;   // to a question from before the capture
        if (lookups.size() >= DnsTalk::lookups_max) {
            end_lookup(talk, lookups.front());
            lookups.erase(lookups.begin());
        }
        lookups.push_back({});
        known = lookups.end() - 1;
        known->frame = packet.frame;
        known->time_ns = packet.time_ns;
        known->name = name;
        known->id = m_message.id;
        known->type = m_message.type;
        known->has_opt = m_message.has_opt;
        ++m_counts.queries;
        talk.client = packet.source;
        talk.client_port = packet.source_port;
        talk.server = packet.destination;
        talk.server_port = packet.destination_port;
        talk.protocol = packet.protocol;
        talk.evidence = packet.evidence;
        return;
    }
    if (!is_answer) ++known->queries;
    if (!is_answer || known->answers.size() >= Lookup::answers_max) return;
    DnsAnswerSeen seen;
    seen.frame = packet.frame;
    seen.time_ns = packet.time_ns;
    seen.flags = m_message.flags;
    seen.ttl = packet.ttl;
    seen.has_df = packet.has_df;
    seen.has_opt = m_message.has_opt;
    seen.content = m_message.rcode();
    for (const DnsRecord& record : m_message.answers) {
        seen.content += mix(hash_bytes(record.data) + record.type);
        if (!seen.has_address) seen.has_address = dns_address(record, seen.address);
    }
    if (seen.has_address && m_fingerprints != nullptr && m_fingerprints->has_answers()) {
        const std::string address = address_text(seen.address);
        DnsAnswer answer;
        answer.address = address;
        const KnownPage known_page = best_match(*m_fingerprints, m_fingerprints->of_answer(answer));
        // Filters at home answer with what stands on other lists, 0.0.0.0 above all.
        if (known_page.is_wide) seen.fingerprint = known_page.fingerprint;
    }
    m_counts.answered_again += !known->answers.empty() && known->answers.front().content != seen.content;
    known->answers.push_back(seen);
}

void DnsWatch::end(DnsTalk& talk) {
    for (const Lookup& lookup : talk.lookups) end_lookup(talk, lookup);
    talk.lookups.clear();
}

void DnsWatch::end_lookup(const DnsTalk& talk, const Lookup& lookup) const {
    FlowRecord record;
    record.client = talk.client;
    record.server = talk.server;
    record.client_port = talk.client_port;
    record.server_port = talk.server_port;
    record.protocol = talk.protocol;
    record.evidence = talk.evidence;
    record.kind = PayloadKind::dns;
    record.name = lookup.name;
    record.first_ns = lookup.time_ns;
    record.trigger_ns = lookup.time_ns;
    record.is_answered = !lookup.answers.empty();
    record.frames[0] = lookup.frame;
    if (!lookup.answers.empty()) judge_answers(lookup, record);
    m_sink(record);
}

/// Class of an answer by the facts; 0: none.
std::uint8_t DnsWatch::dns_class_of(const DnsAnswerSeen& answer) const {
    for (std::size_t i = 0; i < m_facts.dns_classes.size(); ++i) {
        const auto& known = m_facts.dns_classes[i];
        if (known.flags == answer.flags && known.has_opt == answer.has_opt && (!known.has_df || *known.has_df == answer.has_df)) return static_cast<std::uint8_t>(i + 1);
    }
    return 0;
}

void DnsWatch::judge_answers(const Lookup& lookup, FlowRecord& record) const {
    const auto& answers = lookup.answers;
    const DnsAnswerSeen& first = answers.front();
    record.frames[1] = first.frame;
    record.sign_ns = first.time_ns;
    record.answer_ttl = first.ttl;
    if (first.has_address) record.forged_address = first.address;
    // Who asks again gets another answer, and lists of addresses go round.
    const bool is_answered_too_often = answers.size() > lookup.queries;
    // An answer without OPT to a question with one is no resolver's habit; it counts only beside another one.
    for (std::size_t i = 1; is_answered_too_often && i < answers.size(); ++i) {
        if (answers[i].content == first.content) continue;
        const bool has_other_ttl = std::abs(int{answers[i].ttl} - int{first.ttl}) > ttl_slack;
        const bool has_other_look = answers[i].has_df != first.has_df || (answers[i].flags ^ first.flags) != 0 || answers[i].has_opt != first.has_opt;
        // A resolver that could not find out says so, and may say more later.
        if (!has_other_ttl && (is_failure(first) || is_failure(answers[i]))) continue;
        double ratio = 0;
        // Second answers that say something else came in 3 of 927 lookups of ordinary captures, with another TTL in none.
        ratio += 5;
        if (has_other_ttl) ratio += 5;
        if (has_other_look) ratio += 2;
        if (lookup.has_opt && first.has_opt != answers[i].has_opt) ratio += 2;
        constexpr std::int64_t race_ns = 3 * second_ns;
        if (answers[i].time_ns - first.time_ns > race_ns) ratio -= 4;
        if (ratio <= record.log_likelihood_ratio) continue;
        record.log_likelihood_ratio = static_cast<float>(ratio);
        record.signs |= sign::dns_conflict;
        record.frames[2] = answers[i].frame;
    }
    for (const DnsAnswerSeen& answer : answers) {
        if (answer.fingerprint == 0 || record.fingerprint != 0) continue;
        record.fingerprint = answer.fingerprint;
        record.signs |= sign::page_known;
        record.log_likelihood_ratio += listed_address_ratio;
        record.forged_address = answer.address;
        record.sign_ns = answer.time_ns;
        if (answer.frame != record.frames[1]) record.frames[2] = answer.frame;
    }
    const std::uint8_t known = dns_class_of(first);
    if ((record.signs & sign::dns_conflict) != 0) record.box_class = known;
}

}  // namespace unveil
