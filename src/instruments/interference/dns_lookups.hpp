// What was asked of name servers and what came back: each lookup is handed on with the signs that its answers bear.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "instruments/interference/facts.hpp"
#include "instruments/interference/flow_record.hpp"
#include "instruments/interference/name_book.hpp"
#include "instruments/interference/ooni_scorers.hpp"
#include "net/dns.hpp"

namespace unveil {

struct DnsAnswerSeen {
    std::uint64_t frame = 0;
    std::int64_t time_ns = 0;
    std::uint64_t content = 0;         // hash of the records, in any order
    IpAddress address;                 // the first
    std::uint16_t flags = 0;
    std::uint8_t ttl = 0;
    bool has_df = false;
    bool has_opt = false;
    bool has_address = false;
    std::uint32_t fingerprint = 0;     // 1 + place in the list of an address of block pages
};

struct Lookup {
    static constexpr std::size_t answers_max = 6;
    std::uint64_t frame = 0;
    std::int64_t time_ns = 0;
    std::uint32_t name = 0;
    std::uint16_t id = 0;
    std::uint16_t type = 0;
    bool has_opt = false;
    std::uint32_t queries = 1;         // how often it was asked
    std::vector<DnsAnswerSeen> answers;
};

/// Between one port of a client and a server.
struct DnsTalk {
    static constexpr std::size_t lookups_max = 64;
    IpAddress client;
    IpAddress server;
    std::uint16_t client_port = 0;
    std::uint16_t server_port = 0;
    std::uint8_t protocol = 0;
    std::uint32_t evidence = 0;
    std::vector<Lookup> lookups;
};

class DnsWatch {
  public:
    struct Counts {
        std::uint64_t queries = 0;
        std::uint64_t answered_again = 0;   // with another answer
    };

    /// `fingerprints` may be null. All must live longer.
    DnsWatch(const InterferenceFacts& facts, NameBook& names, const interference::FingerprintSet* fingerprints, std::function<void(const FlowRecord&)> sink);

    void take(DnsTalk& talk, const Packet& packet);
    /// Hands the lookups on and forgets them.
    void end(DnsTalk& talk);
    const Counts& counts() const { return m_counts; }

  private:
    void end_lookup(const DnsTalk& talk, const Lookup& lookup) const;
    void judge_answers(const Lookup& lookup, FlowRecord& record) const;
    std::uint8_t dns_class_of(const DnsAnswerSeen& answer) const;

    const InterferenceFacts& m_facts;
    NameBook& m_names;
    const interference::FingerprintSet* m_fingerprints;
    std::function<void(const FlowRecord&)> m_sink;
    DnsMessage m_message;
    Counts m_counts;
};

}  // namespace unveil
