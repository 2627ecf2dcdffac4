#include "instruments/interference/facts.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

/// One fact; its members are asked for by name and kind.
class Fact {
  public:
    Fact(const Json& json, std::string_view list, std::size_t place) : m_json(json), m_where(fmt::format("facts, {}[{}]", list, place)) {
        if (!json.is_object()) fail("is no object");
        if (text("source").empty()) fail("has no source");
        if (text("date").size() != 7 || text("date")[4] != '-') fail("has no date such as 2025-05");
    }
    std::string text(const char* name) const { return member(name, &Json::is_string, "text").get<std::string>(); }
    bool flag(const char* name) const { return member(name, &Json::is_boolean, "true or false").get<bool>(); }
    bool has_flag(const char* name) const { return m_json.contains(name) && flag(name); }
    std::optional<bool> maybe_flag(const char* name) const {
        if (!m_json.contains(name)) fail(fmt::format("has no '{}'", name));
        if (m_json[name].is_null()) return {};
        return flag(name);
    }
    std::uint64_t number(const char* name, std::uint64_t most) const {
        const auto value = member(name, &Json::is_number_unsigned, "a number").get<std::uint64_t>();
        if (value > most) fail(fmt::format("'{}' is above {}", name, most));
        return value;
    }
    double share(const char* name) const {
        const auto value = member(name, &Json::is_number, "a number").get<double>();
        if (!(value >= 0 && value <= 1)) fail(fmt::format("'{}' is not from 0 to 1", name));
        return value;
    }
    std::string bytes(const char* name) const {
        const std::string hex = text(name);
        std::string out;
        for (std::size_t i = 0; i < hex.size(); i += 2) {
            unsigned value = 0;
            for (std::size_t k = i; k < i + 2; ++k) {
                const auto digit = std::string_view("0123456789abcdef").find(k < hex.size() ? hex[k] : '?');
                if (digit == std::string_view::npos) fail(fmt::format("'{}' is no bytes in hex", name));
                value = value * 16 + static_cast<unsigned>(digit);
            }
            out.push_back(static_cast<char>(value));
        }
        return out;
    }
    std::string month(const char* name) const {
        const std::string month = text(name);
        if (!month.empty() && (month.size() != 7 || month[4] != '-')) fail(fmt::format("'{}' is no month such as 2025-05", name));
        return month;
    }
    IpAddress address(const char* name) const {
        IpAddress address;
        if (!parse_address(text(name), address)) fail(fmt::format("'{}' is no address", name));
        return address;
    }
    FactMark mark() const {
        const std::string mark = text("mark");
        if (mark == "R") return FactMark::read;
        if (mark == "V") return FactMark::verified;
        if (mark != "M") fail("has a mark that is none of R, V and M");
        return FactMark::remembered;
    }

  private:
    [[noreturn]] void fail(const std::string& what) const { throw Error(ErrorKind::input, what, "Mend the file of facts", m_where); }
    const Json& member(const char* name, bool (Json::*is_kind)() const noexcept, std::string_view kind) const {
        if (!m_json.contains(name)) fail(fmt::format("has no '{}'", name));
        if (!(m_json[name].*is_kind)()) fail(fmt::format("'{}' is not {}", name, kind));
        return m_json[name];
    }
    const Json& m_json;
    std::string m_where;
};

template <typename Item, typename Read>
void read_list(const Json& json, const char* name, std::vector<Item>& items, const Read& read) {
    if (!json.is_object() || !json.contains(name) || !json[name].is_array())
        throw Error(ErrorKind::input, fmt::format("there is no list '{}'", name), "Mend the file of facts", "facts");
    for (std::size_t i = 0; i < json[name].size(); ++i) {
        const Fact fact(json[name][i], name, i);
        Item item = read(fact);
        item.name = fact.text("name");
        item.mark = fact.mark();
        item.source = fact.text("source");
        items.push_back(std::move(item));
    }
}

}  // namespace

InterferenceFacts parse_facts(std::string_view text) {
    const Json json = read_json(text);
    InterferenceFacts facts;
    read_list(json, "reset_classes", facts.reset_classes, [](const Fact& fact) {
        ResetClassFact item;
        item.has_ack = fact.text("flags") == "RST+ACK";
        item.copies_min = static_cast<unsigned>(fact.number("copies_min", 16));
        item.copies_max = static_cast<unsigned>(fact.number("copies_max", 16));
        item.has_df = fact.flag("df");
        item.ip_id_min = static_cast<std::uint16_t>(fact.number("ip_id_min", 0xFFFF));
        item.ip_id_max = static_cast<std::uint16_t>(fact.number("ip_id_max", 0xFFFF));
        item.ttl_min = static_cast<std::uint8_t>(fact.number("ttl_min", 255));
        item.ttl_max = static_cast<std::uint8_t>(fact.number("ttl_max", 255));
        item.payload = fact.bytes("payload");
        item.is_window_minus_ttl_constant = fact.has_flag("window_minus_ttl_constant");
        return item;
    });
    read_list(json, "dns_classes", facts.dns_classes, [](const Fact& fact) {
        DnsClassFact item;
        item.flags = static_cast<std::uint16_t>(fact.number("flags", 0xFFFF));
        item.has_df = fact.maybe_flag("df");
        item.has_opt = fact.flag("opt");
        return item;
    });
    read_list(json, "dns_pools", facts.dns_pools, [](const Fact& fact) {
        DnsPoolFact item;
        item.from = fact.address("from");
        item.to = fact.address("to");
        item.first = fact.month("first");
        item.last = fact.month("last");
        return item;
    });
    read_list(json, "syn_ack_payloads", facts.syn_ack_payloads, [](const Fact& fact) {
        PayloadFact item;
        item.payload = fact.bytes("payload");
        return item;
    });
    read_list(json, "issuers", facts.issuers, [](const Fact& fact) {
        IssuerFact item;
        item.issuer = fact.text("issuer");
        return item;
    });
    read_list(json, "base_rates", facts.base_rates, [](const Fact& fact) {
        BaseRateFact item;
        item.hits = fact.number("hits", UINT32_MAX);
        item.trials = fact.number("trials", UINT32_MAX);
        return item;
    });
    read_list(json, "rates", facts.rates, [](const Fact& fact) {
        RateFact item;
        item.value = fact.share("value");
        return item;
    });
    return facts;
}

const RateFact& InterferenceFacts::rate(std::string_view name) const {
    for (const auto& one : rates)
        if (one.name == name) return one;
    throw Error(ErrorKind::input, fmt::format("there is no rate '{}'", name), "Mend the file of facts", "facts");
}

const DnsPoolFact* dns_pool_of(const InterferenceFacts& facts, const IpAddress& address, std::int64_t time_ns) {
    for (const DnsPoolFact& pool : facts.dns_pools) {
        if (address < pool.from || address > pool.to) continue;
        const std::string month = format_date(time_ns / 1000).substr(0, pool.first.size());
        if (month >= pool.first && (pool.last.empty() || month <= pool.last)) return &pool;
    }
    return nullptr;
}

const InterferenceFacts& built_in_facts() {
    static const InterferenceFacts facts = parse_facts(built_in_facts_json());
    return facts;
}

}  // namespace unveil
