#include "lab/network_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>

namespace unveil::lab {
namespace {

std::int64_t ns(double seconds) { return static_cast<std::int64_t>(seconds * static_cast<double>(second_ns)); }

/// A first octet that is neither private nor reserved, whatever follows.
std::uint32_t public_address(Random& random) {
    constexpr std::array<std::uint32_t, 16> first = {5, 13, 23, 31, 37, 46, 52, 62, 77, 80, 93, 104, 151, 178, 185, 213};
    return first[random.below(first.size())] << 24 | static_cast<std::uint32_t>(random.below(1U << 24));
}

WireAddress public_v6(Random& random) {
    WireAddress address;
    address.is_v6 = true;
    address.bytes = {0x2a, static_cast<std::uint8_t>(0x02 + random.below(12))};
    for (std::size_t i = 2; i < 16; ++i) address.bytes[i] = i < 6 || i > 11 ? static_cast<std::uint8_t>(random.below(256)) : std::uint8_t{0};
    return address;
}

/// Where no well-known service is.
const std::vector<std::uint16_t> opaque_ports = {8388, 10443, 20443, 33445, 42017};

template <typename T>
const T& one_of(const std::vector<T>& all, Random& random) {
    return all[random.below(all.size())];
}

struct Site {
    std::uint32_t machine = 0;
    std::int64_t from_box_ns = 0;
    std::uint8_t hops_from_box = 8;
};

/// One mechanism's names and the servers on which they all are.
struct Scene {
    std::string mechanism;
    std::string box_class;
    std::vector<std::string> triggers;
    std::vector<std::string> controls;
    std::vector<Site> sites;
};

/// Counts what a box does, for the truth.
class CountingBox : public Box {
  public:
    Judgement judge(const Passing& passing) final {
        Judgement judgement = decide(passing);
        if (judgement.is_dropped || judgement.delay_ns > 0 || !judgement.injections.empty()) {
            if (first_action_ns == unseen) first_action_ns = passing.now_ns;
            if (judgement.is_dropped) ++dropped;
            has_acted = true;
        }
        return judgement;
    }
    bool has_acted = false;
    std::uint32_t dropped = 0;
    std::int64_t first_action_ns = unseen;

  protected:
    virtual Judgement decide(const Passing& passing) = 0;
    bool holds(const Passing& passing, std::int64_t position) const {
        return passing.is_from_client && passing.bytes > 0 && passing.stream_begin < position && passing.stream_begin + passing.bytes >= position;
    }
};

/// How the resets of one device look; a walk over its state goes with every use.
class ResetDevice {
  public:
    ResetDevice(std::string box_class, Random random) : m_class(std::move(box_class)), m_random(random) {
        m_window_over_ttl = static_cast<std::uint16_t>(1200 + m_random.below(400));
        m_counter = static_cast<std::uint16_t>(m_random.below(65536));
        m_fixed_ttl = static_cast<std::uint8_t>(m_class == "henan" ? 58 : m_class == "gfw-3" ? 248 : 225 + m_random.below(25));
        m_ttl = static_cast<std::uint8_t>(39 + m_random.below(200));
    }

    /// What follows a packet of the client that ends at `seq_end` in its numbering.
    std::vector<Injection> resets(std::uint32_t seq_end, std::uint32_t ack) {
        std::vector<Injection> all;
        const bool is_henan = m_class == "henan";
        const std::int64_t delay_ns = is_henan ? ns(0.0004) + ns(m_random.exponential(0.0008)) : ns(0.004) + ns(m_random.exponential(0.005));
        const auto add = [&](bool is_to_client, int copies, std::uint32_t seq_step, Injection one) {
            one.is_to_client = is_to_client;
            one.seq = is_to_client ? ack : seq_end;
            one.ack = (one.flags & tcp_bit::ack) != 0 ? (is_to_client ? seq_end : ack) : 0;
            one.delay_ns = delay_ns;
            for (int i = 0; i < copies; ++i) {
                if (m_class == "generic") one.id = next_little_endian();
                all.push_back(one);
                one.delay_ns += 80'000 + static_cast<std::int64_t>(m_random.below(130'000));
                one.seq += seq_step;
            }
        };
        for (const bool is_to_client : {true, false}) {
            Injection one;
            if (m_class == "gfw-1") {
                one.flags = tcp_bit::rst;
                one.ttl = static_cast<std::uint8_t>(55 + m_random.below(64));
                one.window = static_cast<std::uint16_t>(m_random.below(65536));
                add(is_to_client, 1, 0, one);
            } else if (m_class == "gfw-2") {
                one.flags = tcp_bit::rst | tcp_bit::ack;
                m_ttl = static_cast<std::uint8_t>(m_ttl + 1 > 238 ? 39 : m_ttl + 1);
                one.ttl = m_ttl;
                one.window = static_cast<std::uint16_t>(m_ttl + m_window_over_ttl);
                one.dont_fragment = true;
                one.id = static_cast<std::uint16_t>(0xa3 + m_random.below(0xfe60 - 0xa3));
                add(is_to_client, 3, 0, one);
            } else if (m_class == "gfw-3") {
                one.flags = tcp_bit::rst | tcp_bit::ack;
                one.ttl = m_fixed_ttl;
                one.id = static_cast<std::uint16_t>(0x9916 + m_random.below(0x1e));
                one.window = static_cast<std::uint16_t>(m_random.below(65536));
                add(is_to_client, 1, 0, one);
            } else if (is_henan) {
                if (!is_to_client) continue;
                one.flags = tcp_bit::rst | tcp_bit::ack;
                one.ttl = m_fixed_ttl;
                one.id = 1;
                one.payload = m_payload;
                add(is_to_client, 1, 0, one);
            } else {
                one.flags = tcp_bit::rst;
                one.ttl = m_fixed_ttl;
                add(is_to_client, 2, 1, one);
            }
        }
        return all;
    }
    void set_payload(const PayloadStore::Piece& piece) { m_payload = piece; }
    const std::string& box_class() const { return m_class; }
    double window_over_ttl() const { return m_window_over_ttl; }

  private:
    std::uint16_t next_little_endian() {
        ++m_counter;
        return static_cast<std::uint16_t>(m_counter << 8 | m_counter >> 8);
    }
    std::string m_class;
    Random m_random;
    std::uint16_t m_window_over_ttl = 0;
    std::uint16_t m_counter = 0;
    std::uint8_t m_fixed_ttl = 0;
    std::uint8_t m_ttl = 0;
    PayloadStore::Piece m_payload;
};

/// Resets once the client's bytes up to `trigger_end` have passed.
class ResetBox final : public CountingBox {
  public:
    ResetBox(ResetDevice& device, std::int64_t trigger_end) : m_device(device), m_trigger_end(trigger_end) {}

  private:
    Judgement decide(const Passing& passing) override {
        if (m_is_done || !holds(passing, m_trigger_end)) return {};
        m_is_done = true;
        Judgement judgement;
        judgement.injections = m_device.resets(passing.seq + passing.bytes, passing.ack);
        return judgement;
    }
    ResetDevice& m_device;
    std::int64_t m_trigger_end;
    bool m_is_done = false;
};

/// From the trigger on nothing of the client passes.
class UplinkDropBox final : public CountingBox {
  public:
    /// `is_first_passed`: what triggers comes through itself.
    UplinkDropBox(std::int64_t trigger_end, bool is_first_passed, std::int64_t lasts_ns)
        : m_trigger_end(trigger_end), m_is_first_passed(is_first_passed), m_lasts_ns(lasts_ns) {}

  private:
    Judgement decide(const Passing& passing) override {
        Judgement judgement;
        if (!passing.is_from_client) return judgement;
        if (m_until_ns == 0 && holds(passing, m_trigger_end)) {
            m_until_ns = passing.now_ns + m_lasts_ns;
            judgement.is_dropped = !m_is_first_passed;
            return judgement;
        }
        judgement.is_dropped = m_until_ns > passing.now_ns;
        return judgement;
    }
    std::int64_t m_trigger_end;
    bool m_is_first_passed;
    std::int64_t m_lasts_ns;
    std::int64_t m_until_ns = 0;
};

/// Nothing passes either way once the server has sent so much.
class FreezeBox final : public CountingBox {
  public:
    explicit FreezeBox(std::int64_t bytes) : m_bytes(bytes) {}

  private:
    Judgement decide(const Passing& passing) override {
        Judgement judgement;
        if (!passing.is_from_client) {
            if (!m_is_frozen && passing.stream_begin + passing.bytes > m_bytes) m_is_frozen = true;
        }
        judgement.is_dropped = m_is_frozen;
        return judgement;
    }
    std::int64_t m_bytes;
    bool m_is_frozen = false;
};

class ForgedSynAckBox final : public CountingBox {
  public:
    ForgedSynAckBox(const PayloadStore::Piece& payload, Random random) : m_payload(payload), m_random(random) {}

  private:
    Judgement decide(const Passing& passing) override {
        Judgement judgement;
        if (!passing.is_from_client || (passing.flags & tcp_bit::syn) == 0) return judgement;
        Injection one;
        one.flags = tcp_bit::syn | tcp_bit::ack;
        one.seq = static_cast<std::uint32_t>(m_random.next());
        one.ack = passing.seq + 1;
        one.ttl = static_cast<std::uint8_t>(54 + m_random.below(52));
        one.window = static_cast<std::uint16_t>(m_random.below(65536));
        one.id = 0x76c9;
        one.payload = m_payload;
        one.delay_ns = ns(0.001 + m_random.exponential(0.003));
        judgement.injections.push_back(one);
        return judgement;
    }
    PayloadStore::Piece m_payload;
    Random m_random;
};

class PageBox final : public CountingBox {
  public:
    PageBox(std::int64_t trigger_end, const PayloadStore::Piece& page, bool has_fin_with_page, std::uint8_t ttl, std::uint16_t id)
        : m_trigger_end(trigger_end), m_page(page), m_has_fin_with_page(has_fin_with_page), m_ttl(ttl), m_id(id) {}

  private:
    Judgement decide(const Passing& passing) override {
        Judgement judgement;
        if (m_is_done || !holds(passing, m_trigger_end)) return judgement;
        m_is_done = true;
        Injection one;
        one.flags = tcp_bit::psh | tcp_bit::ack;
        if (m_has_fin_with_page) one.flags |= tcp_bit::fin;
        one.seq = passing.ack;
        one.ack = passing.seq + passing.bytes;
        one.ttl = m_ttl;
        one.id = m_id;
        one.window = 16384;
        one.payload = m_page;
        one.delay_ns = ns(0.002);
        judgement.injections.push_back(one);
        if (!m_has_fin_with_page) {
            one.flags = tcp_bit::fin | tcp_bit::ack;
            one.seq += m_page.bytes;
            one.payload = {};
            one.delay_ns += 150'000;
            judgement.injections.push_back(one);
        }
        return judgement;
    }
    std::int64_t m_trigger_end;
    PayloadStore::Piece m_page;
    bool m_has_fin_with_page;
    std::uint8_t m_ttl;
    std::uint16_t m_id;
    bool m_is_done = false;
};

/// A token bucket for what the server sends: what does not fit is dropped, or waits in a queue.
class ThrottleBox : public CountingBox {
  public:
    struct Limit {
        double bytes_per_second = 0;
        bool is_shaping = false;
        double burst_bytes = 0;        // that pass before; the bucket of policing, which fills again
        double queue_bytes = 60'000;
    };
    explicit ThrottleBox(const Limit& limit) : m_limit(limit), m_allowance(limit.burst_bytes) {}

  protected:
    Judgement decide(const Passing& passing) override {
        Judgement judgement;
        if (passing.is_from_client || passing.bytes == 0) return judgement;
        const double bytes = passing.bytes + 54;
        if (m_limit.is_shaping) {
            if (m_allowance >= bytes) {
                m_allowance -= bytes;
                return judgement;
            }
            const std::int64_t begin_ns = std::max(passing.now_ns, m_free_at_ns);
            if (static_cast<double>(begin_ns - passing.now_ns) / static_cast<double>(second_ns) * m_limit.bytes_per_second > m_limit.queue_bytes) {
                judgement.is_dropped = true;
                return judgement;
            }
            m_free_at_ns = begin_ns + ns(bytes / m_limit.bytes_per_second);
            judgement.delay_ns = m_free_at_ns - passing.now_ns;
            return judgement;
        }
        const double gained = static_cast<double>(passing.now_ns - m_filled_at_ns) / static_cast<double>(second_ns) * m_limit.bytes_per_second;
        m_tokens = m_filled_at_ns == 0 ? m_limit.burst_bytes : std::min(m_limit.burst_bytes, m_tokens + gained);
        m_filled_at_ns = passing.now_ns;
        if (m_tokens < bytes)
            judgement.is_dropped = true;
        else
            m_tokens -= bytes;
        return judgement;
    }

  private:
    Limit m_limit;
    double m_allowance;
    double m_tokens = 0;
    std::int64_t m_filled_at_ns = 0;
    std::int64_t m_free_at_ns = 0;
};

/// A link that many share: what others leave of it, their queue before one's own, and packets that find it full.
class CrowdedLink final : public ThrottleBox {
  public:
    CrowdedLink(const Limit& limit, std::int64_t others_ns, double loss, Random random) : ThrottleBox(limit), m_others_ns(others_ns), m_loss(loss), m_random(random) {}

  private:
    Judgement decide(const Passing& passing) override {
        Judgement judgement = ThrottleBox::decide(passing);
        if (passing.is_from_client) return judgement;
        judgement.delay_ns += m_others_ns + ns(m_random.exponential(0.2 * static_cast<double>(m_others_ns) / static_cast<double>(second_ns)));
        judgement.is_dropped = judgement.is_dropped || (passing.bytes > 0 && m_random.chance(m_loss));
        return judgement;
    }
    std::int64_t m_others_ns;
    double m_loss;
    Random m_random;
};

/// For connections after a trigger to the same address and port.
class AftermathBox final : public CountingBox {
  public:
    /// `device`: none drops, else resets answer each SYN.
    AftermathBox(std::int64_t until_ns, ResetDevice* device) : m_until_ns(until_ns), m_device(device) {}

  private:
    Judgement decide(const Passing& passing) override {
        Judgement judgement;
        if (!passing.is_from_client || passing.now_ns >= m_until_ns) return judgement;
        if (m_device == nullptr) {
            judgement.is_dropped = true;
        } else if ((passing.flags & tcp_bit::syn) != 0) {
            judgement.injections = m_device->resets(passing.seq + 1, passing.ack);
            std::erase_if(judgement.injections, [](const Injection& one) { return !one.is_to_client; });
        }
        return judgement;
    }
    std::int64_t m_until_ns;
    ResetDevice* m_device;
};

class WorldMaker {
  public:
    WorldMaker(const NetworkPlan& plan, std::uint64_t seed) : m_plan(plan), m_seed(seed), m_random(seed, 0x4e7), m_store(seed) {
        make_clients();
        m_background_sites = make_sites(60);
        m_background_names = made_up_names(90, m_random);
        for (int i = 0; i < 3; ++i) m_resolvers.push_back(make_sites(1)[0]);
        m_streams.emplace_back();
    }

    NetworkWorld make() {
        for (std::uint32_t i = 0; i < m_plan.ordinary_flows; ++i) {
            Random random(m_seed, 0x0b00'0000ULL + i);
            ordinary(random);
        }
        for (const NetworkMechanism& mechanism : m_plan.mechanisms) plant(mechanism);
        if (m_plan.certificate_flows > 0) show_odd_certificates(m_plan.certificate_flows);
        for (const NetworkMechanism& twin : m_plan.slow_twins) {
            const Scene scene = scene_of(twin.name, "");
            Random random(m_seed, stream_of("flows of " + twin.name));
            plant_slow_twin(scene, twin.flows, random);
        }
        write();
        return std::move(m_world);
    }

  private:
    // Machines

    std::uint32_t add_machine(Machine machine) {
        m_machines.push_back(machine);
        return static_cast<std::uint32_t>(m_machines.size() - 1);
    }

    bool uses_timestamps(bool is_usual) const {
        return m_plan.timestamps == TimestampUse::as_machines ? is_usual : m_plan.timestamps == TimestampUse::always;
    }

    void make_clients() {
        const std::uint32_t network = public_address(m_random) & 0xffff0000;
        const WireAddress v6 = public_v6(m_random);
        for (std::uint32_t i = 0; i < m_plan.clients; ++i) {
            Machine machine;
            machine.v4 = wire_v4(network + 256 * (i / 200) + 10 + i % 200);
            machine.v6 = v6;
            machine.v6.bytes[14] = static_cast<std::uint8_t>(i >> 8);
            machine.v6.bytes[15] = static_cast<std::uint8_t>(i);
            machine.mac = 0x020000000000 | m_random.below(1ULL << 32);
            const bool is_windows = m_random.chance(0.4);
            machine.ttl = is_windows ? 128 : 64;
            machine.id_process = is_windows ? IdProcess::counter : m_random.chance(0.8) ? IdProcess::per_flow : IdProcess::zero;
            machine.has_timestamps = uses_timestamps(!is_windows);
            machine.window = is_windows ? 64240 : 65535;
            m_clients.push_back(add_machine(machine));
            m_ports.push_back(static_cast<std::uint16_t>(32768 + m_random.below(28000)));
            m_to_box_ns.push_back(ns(0.001 + 0.004 * m_random.uniform()));
        }
    }

    std::vector<Site> make_sites(std::size_t count) {
        std::vector<Site> sites;
        for (std::size_t i = 0; i < count; ++i) {
            Machine machine;
            machine.v4 = wire_v4(public_address(m_random));
            machine.v6 = public_v6(m_random);
            machine.mac = gateway_mac;
            const std::uint64_t kind = m_random.below(10);
            machine.ttl = kind < 7 ? 64 : kind < 9 ? 128 : 255;
            machine.id_process = kind < 4 ? IdProcess::per_flow : kind < 6 ? IdProcess::zero : kind < 9 ? IdProcess::counter : IdProcess::random;
            machine.has_timestamps = uses_timestamps(kind < 7 && m_random.chance(0.7));
            machine.window = static_cast<std::uint16_t>(28000 + m_random.below(37000));
            Site site;
            site.machine = add_machine(machine);
            site.from_box_ns = ns(0.008 + m_random.exponential(0.035));
            site.hops_from_box = static_cast<std::uint8_t>(4 + m_random.below(12));
            sites.push_back(site);
        }
        return sites;
    }

    // Flows

    std::int64_t any_time(Random& random) { return m_plan.start_ns + ns(m_plan.duration_seconds * random.uniform()); }

    Flow flow_to(const Site& site, std::uint16_t server_port, std::int64_t start_ns, Random& random, std::uint32_t client = ~0U) {
        if (client == ~0U) client = static_cast<std::uint32_t>(random.below(m_clients.size()));
        Flow flow;
        flow.index = static_cast<std::uint32_t>(m_world.flows.size());
        flow.client = m_clients[client];
        flow.server = site.machine;
        flow.server_port = server_port;
        flow.client_port = next_port(client);
        flow.path.to_box_ns = m_to_box_ns[client];
        flow.path.from_box_ns = site.from_box_ns;
        flow.path.loss = m_plan.loss;
        flow.path.hops_to_box = hops_to_box;
        flow.path.hops = static_cast<std::uint8_t>(hops_to_box + site.hops_from_box);
        // Now and then a route is longer.
        if (random.chance(0.02)) ++flow.path.hops;
        flow.start_ns = start_ns;
        return flow;
    }

    std::uint16_t next_port(std::uint32_t client) {
        std::uint16_t& port = m_ports[client];
        port = static_cast<std::uint16_t>(port >= 60990 ? 32768 : port + 1 + m_random.below(3));
        return port;
    }

    NetworkFlowTruth& truth_of(const Flow& flow, std::string protocol, std::string name, std::string scene, std::string role) {
        NetworkFlowTruth& truth = m_world.flows.emplace_back();
        m_flows.push_back(flow);
        const Machine& client = m_machines[flow.client];
        const Machine& server = m_machines[flow.server];
        truth.client = (flow.is_v6 ? client.v6 : client.v4).text();
        truth.server = (flow.is_v6 ? server.v6 : server.v4).text();
        truth.client_port = flow.client_port;
        truth.server_port = flow.server_port;
        truth.start_ns = flow.start_ns;
        truth.protocol = std::move(protocol);
        truth.name = std::move(name);
        truth.scene = std::move(scene);
        truth.role = std::move(role);
        return truth;
    }

    // Conversations

    struct Conversation {
        Stream client, server;
        Dialogue dialogue;
        std::int64_t trigger_end = 0;  // in the client's stream

        void say(bool is_from_client, std::int64_t pause_ns) {
            dialogue.steps.push_back({is_from_client, is_from_client ? client.bytes : server.bytes, pause_ns});
        }
    };

    void append_records(Stream& stream, std::size_t bytes, Random& random) {
        while (bytes > 0) {
            const std::size_t record = std::min<std::size_t>(bytes, 16384);
            stream.append(m_store.add(tls_application_header(record)));
            stream.append(m_store.bulk(record, random));
            bytes -= record;
        }
    }

    Conversation with_hello(std::string_view name, Random& random) {
        Conversation talk;
        ClientHelloFields hello;
        hello.server_name = name;
        // Some browsers send key shares that need two packets.
        hello.bytes_min = random.chance(0.15) ? 1750 : 517;
        talk.client.append(m_store.add(tls_client_hello(hello, random)));
        talk.trigger_end = talk.client.bytes;
        talk.say(true, ns(0.0005));
        return talk;
    }

    Conversation tls(std::string_view name, std::size_t response_bytes, Random& random) {
        Conversation talk = with_hello(name, random);
        talk.server.append(m_store.add(tls_server_hello(random)));
        append_records(talk.server, 2000 + random.below(2500), random);
        talk.say(false, ns(0.001 + random.exponential(0.002)));
        talk.client.append(m_store.add(tls_client_finish(random)));
        append_records(talk.client, 300 + random.below(500), random);
        talk.say(true, ns(0.002));
        append_records(talk.server, response_bytes, random);
        talk.say(false, ns(0.003 + random.exponential(0.03)));
        return talk;
    }

    /// Over TLS 1.2: what the server says first can be read by anybody.
    Conversation tls12(std::string_view name, std::string_view flight, std::size_t response_bytes, Random& random) {
        Conversation talk = with_hello(name, random);
        talk.server.append(m_store.add(flight));
        talk.say(false, ns(0.001 + random.exponential(0.002)));
        talk.client.append(m_store.add(tls12_client_finish(random)));
        talk.say(true, ns(0.002));
        talk.server.append(m_store.add(tls12_server_finish(random)));
        talk.say(false, ns(0.001));
        append_records(talk.client, 300 + random.below(500), random);
        talk.say(true, ns(0.001));
        append_records(talk.server, response_bytes, random);
        talk.say(false, ns(0.003 + random.exponential(0.03)));
        return talk;
    }

    Conversation http(std::string_view name, std::size_t response_bytes, Random& random) { return http(name, fmt::format("/page/{}", random.below(1000)), response_bytes, random); }

    Conversation http(std::string_view name, std::string_view path, std::size_t response_bytes, Random& random) {
        Conversation talk;
        talk.client.append(m_store.add(http_request(name, path)));
        talk.trigger_end = talk.client.bytes;
        talk.say(true, ns(0.0005));
        const std::uint64_t kind = random.below(20);
        talk.server.append(m_store.add(kind == 0   ? http_response(404, "Not Found", "Not found", 200)
                                       : kind == 1 ? http_response(403, "Forbidden", "Forbidden", 200)
                                                   : http_response(200, "OK", "A page of " + std::string(name), response_bytes)));
        talk.say(false, ns(0.003 + random.exponential(0.03)));
        return talk;
    }

    Conversation opaque(std::string_view first, Random& random) {
        Conversation talk;
        talk.client.append(m_store.add(first));
        talk.trigger_end = talk.client.bytes;
        talk.say(true, ns(0.0005));
        talk.server.append(m_store.bulk(100 + random.below(900), random));
        talk.say(false, ns(0.002 + random.exponential(0.01)));
        talk.client.append(m_store.bulk(200 + random.below(600), random));
        talk.say(true, ns(0.002));
        talk.server.append(m_store.bulk(1000 + random.below(8000), random));
        talk.say(false, ns(0.003 + random.exponential(0.02)));
        return talk;
    }

    Conversation ssh(Random& random) {
        Conversation talk = opaque("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", random);
        Stream server;
        server.append(m_store.add("SSH-2.0-OpenSSH_8.9p1 Ubuntu-3\r\n"));
        talk.server = server;
        talk.dialogue.steps.clear();
        talk.say(true, ns(0.0005));
        talk.say(false, ns(0.004));
        // Two more packets with data, so that a filter that judges by the first two has them.
        for (int i = 0; i < 2; ++i) {
            talk.client.append(m_store.bulk(600 + random.below(800), random));
            talk.say(true, ns(0.002));
            talk.server.append(m_store.bulk(400 + random.below(800), random));
            talk.say(false, ns(0.003));
        }
        return talk;
    }

    TcpOutcome run(const Flow& flow, const Conversation& talk, CountingBox* box, Random& random) {
        m_streams.push_back(talk.client);
        m_streams.push_back(talk.server);
        TcpRequest request;
        request.flow = &flow;
        request.client = &m_machines[flow.client];
        request.server = &m_machines[flow.server];
        request.dialogue = &talk.dialogue;
        request.box = box;
        request.client_stream = static_cast<std::uint32_t>(m_streams.size() - 2);
        request.server_stream = static_cast<std::uint32_t>(m_streams.size() - 1);
        const std::size_t before = m_sightings.size();
        const TcpOutcome outcome = run_tcp(request, m_streams, random, m_sightings);
        NetworkFlowTruth& truth = m_world.flows[flow.index];
        if (box != nullptr) {
            for (std::size_t i = before; i < m_sightings.size(); ++i) {
                if (!m_sightings[i].is_injected) continue;
                ++truth.injected;
                if (m_sightings[i].client_ns != unseen || m_sightings[i].server_ns != unseen) ++truth.injected_seen;
            }
            truth.dropped = box->dropped;
            truth.first_action_ns = box->first_action_ns;
        }
        return outcome;
    }

    /// Marks the flow when the box did anything.
    void settle(const Flow& flow, const CountingBox& box, const Scene& scene, const std::string& trigger) {
        if (box.has_acted) mark(flow.index, scene, trigger);
    }

    void mark(std::uint32_t flow, const Scene& scene, const std::string& trigger) {
        NetworkFlowTruth& truth = m_world.flows[flow];
        truth.mechanism = scene.mechanism;
        truth.box_class = scene.box_class;
        truth.trigger = trigger;
    }

    /// What goes wrong without any censor.
    void fail_ordinarily(Conversation& talk, NetworkFlowTruth& truth, Random& random) {
        Dialogue& dialogue = talk.dialogue;
        switch (random.below(9)) {
            case 0:
                dialogue.ending = Ending::server_refuses;
                truth.failure = "refused";
                break;
            case 1:
                dialogue.ending = Ending::server_is_down;
                truth.failure = "down";
                break;
            case 2:
                dialogue.ending = Ending::server_resets;
                dialogue.reset_before_step = 1;
                truth.failure = "reset-by-server";
                break;
            case 3:
                dialogue.ending = Ending::server_resets;
                dialogue.reset_before_step = dialogue.steps.size() - 1;
                truth.failure = "reset-by-server";
                break;
            case 4: {
                // A router at home forgets the connection while it is idle.
                append_records(talk.client, 400, random);
                talk.say(true, ns(200 + 100 * random.uniform()));
                append_records(talk.server, 800, random);
                talk.say(false, ns(0.01));
                dialogue.answer_of_nat_after_ns = 180 * second_ns;
                dialogue.patience_ns = 400 * second_ns;
                truth.failure = "forgotten-by-nat";
                break;
            }
            case 5:
                // A kept connection that the server ends the hard way.
                dialogue.ending = Ending::server_resets;
                dialogue.reset_before_step = 99;
                dialogue.pause_before_end_ns = ns(5 + 60 * random.uniform());
                dialogue.patience_ns = 100 * second_ns;
                truth.failure = "reset-when-idle";
                break;
            case 6:
                dialogue.ending = Ending::half_closed;
                truth.failure = "half-closed";
                break;
            case 7:
                dialogue.ending = Ending::client_resets;
                truth.failure = "reset-by-client";
                break;
            default:
                // The server never answers the request, though it is there.
                talk.dialogue.steps.pop_back();
                talk.dialogue.patience_ns = ns(8);
                talk.dialogue.pause_before_end_ns = ns(600);
                talk.dialogue.ending = Ending::server_closes;
                truth.failure = "silent-server";
                break;
        }
    }

    void end_as_usual(Dialogue& dialogue, Random& random) {
        dialogue.ending = random.chance(0.6) ? Ending::client_closes : Ending::server_closes;
        dialogue.pause_before_end_ns = ns(random.exponential(0.3));
    }

    std::size_t page_bytes(Random& random) { return 800 + static_cast<std::size_t>(std::min(60'000.0, random.exponential(6'000))); }

    void ordinary(Random& random) {
        const std::uint64_t kind = random.below(100);
        const std::string& name = one_of(m_background_names, random);
        const Site& site = one_of(m_background_sites, random);
        const std::int64_t start_ns = any_time(random);
        if (kind < 12) return ordinary_dns(name, start_ns, random);
        const bool is_v6 = random.chance(m_plan.v6_share);
        if (kind < 20) {
            Flow flow = flow_to(site, 443, start_ns, random);
            flow.is_v6 = is_v6;
            truth_of(flow, "quic", name, "ordinary", "ordinary").is_udp = true;
            run_quic(flow, name, {}, random);
            return;
        }
        const char* protocol = kind < 75 ? "tls" : kind < 92 ? "http" : kind < 96 ? "ssh" : "random";
        const std::uint16_t port = kind < 75 ? 443 : kind < 92 ? 80 : kind < 96 ? 22 : one_of(opaque_ports, random);
        Conversation talk = kind < 75   ? tls(name, page_bytes(random), random)
                            : kind < 92 ? http(name, page_bytes(random), random)
                            : kind < 96 ? ssh(random)
                                        : opaque(fully_random_payload(80 + random.below(700), random), random);
        Flow flow = flow_to(site, port, start_ns, random);
        flow.is_v6 = is_v6;
        NetworkFlowTruth& truth = truth_of(flow, protocol, kind < 92 ? name : "", "ordinary", "ordinary");
        end_as_usual(talk.dialogue, random);
        if (random.chance(m_plan.failure_share)) fail_ordinarily(talk, truth, random);
        run(flow, talk, nullptr, random);
    }

    // Datagrams

    struct Datagram {
        const Flow* flow = nullptr;
        bool is_from_client = true;
        std::int64_t at_ns = 0;
        PayloadStore::Piece payload;
        PayloadStore::Piece more{};  // follows it
    };

    /// Sends it; gives when it arrives, or `unseen`. `box`: says whether it is dropped at that time.
    std::int64_t send(const Datagram& datagram, const std::function<bool(std::int64_t)>& is_dropped, Random& random) {
        const Flow& flow = *datagram.flow;
        Sighting seen = sighting_of(datagram);
        const Machine& machine = m_machines[datagram.is_from_client ? flow.client : flow.server];
        const auto far_ttl = static_cast<std::uint8_t>(machine.ttl - flow.path.hops);
        seen.client_ttl = datagram.is_from_client ? machine.ttl : far_ttl;
        seen.server_ttl = datagram.is_from_client ? far_ttl : machine.ttl;
        (datagram.is_from_client ? seen.client_ns : seen.server_ns) = datagram.at_ns;
        const std::int64_t first_leg_ns = datagram.is_from_client ? flow.path.to_box_ns : flow.path.from_box_ns;
        const std::int64_t both_ns = flow.path.to_box_ns + flow.path.from_box_ns;
        std::int64_t arrival_ns = datagram.at_ns + both_ns + ns(random.exponential(0.0004));
        const bool is_lost = random.chance(flow.path.loss);
        const bool is_stopped = is_dropped && is_dropped(datagram.at_ns + first_leg_ns);
        if (is_lost || is_stopped) arrival_ns = unseen;
        seen.is_stopped = is_stopped;
        (datagram.is_from_client ? seen.server_ns : seen.client_ns) = arrival_ns;
        m_sightings.push_back(seen);
        return arrival_ns;
    }

    Sighting sighting_of(const Datagram& datagram) {
        Sighting seen;
        seen.is_udp = true;
        seen.sent_ns = datagram.at_ns;
        seen.flow = datagram.flow->index;
        seen.is_from_client = datagram.is_from_client;
        Stream& stream = m_streams.emplace_back();
        stream.append(datagram.payload);
        stream.append(datagram.more);
        seen.stream = static_cast<std::uint32_t>(m_streams.size() - 1);
        seen.bytes = static_cast<std::uint16_t>(stream.bytes);
        return seen;
    }

    // DNS

    struct Forgery {
        std::string box_class;
        std::uint16_t flags = 0x8180;
        std::vector<WireAddress> pool;
        std::size_t next = 0;
        std::uint32_t ttl_seconds = 60;
    };

    struct Lookup {
        std::string name;
        std::uint16_t type = dns_type_a;
        bool has_edns = false;
        bool is_resolver_there = true;
        std::string failure;                // "", "nxdomain", "servfail", "timeout", "repeated"
        std::vector<Forgery*> forgeries{};  // of the boxes that answer
    };

    std::vector<WireAddress> addresses_of(const std::string& name, std::uint16_t type) {
        std::uint64_t hash = m_seed;
        for (const char c : name) hash = mix64(hash ^ static_cast<std::uint8_t>(c));
        Random random(hash, type);
        std::vector<WireAddress> all;
        for (std::uint64_t i = 0; i <= random.below(3); ++i) all.push_back(type == dns_type_a ? wire_v4(public_address(random)) : public_v6(random));
        return all;
    }

    void look_up(const Flow& flow, const Lookup& lookup, Random& random) {
        const auto id = static_cast<std::uint16_t>(random.below(65536));
        const auto query = m_store.add(dns_query(id, lookup.name, lookup.type, lookup.has_edns));
        const std::int64_t round_trip_ns = 2 * (flow.path.to_box_ns + flow.path.from_box_ns);
        const std::int64_t resolving_ns = lookup.failure == "repeated" ? ns(1.1 + random.exponential(0.3))
                                          : random.chance(0.6)         ? ns(0.0005)
                                                                       : ns(0.01 + random.exponential(0.06));
        DnsAnswerFields answer;
        const auto addresses = addresses_of(lookup.name, lookup.type);
        answer.id = id;
        answer.name = lookup.name;
        answer.type = lookup.type;
        answer.addresses = addresses;
        answer.has_edns = lookup.has_edns;
        answer.ttl_seconds = static_cast<std::uint32_t>(30 + random.below(3600));
        if (lookup.failure == "nxdomain") answer.flags = 0x8183;
        if (lookup.failure == "servfail") answer.flags = 0x8182;
        if (!lookup.failure.empty() && lookup.failure != "repeated") answer.addresses = {};
        const auto reply = m_store.add(dns_answer(answer));

        const double patience_seconds = lookup.failure == "repeated" ? 1.0 : 5.0;
        std::int64_t answered_ns = unseen;
        std::uint32_t forged = 0;
        for (int attempt = 0; attempt < 3; ++attempt) {
            const std::int64_t at_ns = flow.start_ns + ns(patience_seconds * attempt);
            if (answered_ns != unseen && answered_ns < at_ns) break;
            const std::int64_t arrival_ns = send({&flow, true, at_ns, query}, {}, random);
            // Half of the lost queries are lost behind the box.
            if (arrival_ns != unseen || random.chance(0.5))
                for (Forgery* forgery : lookup.forgeries) {
                    const std::int64_t forged_ns = forge(flow, lookup, id, *forgery, at_ns, random);
                    if (forged_ns == unseen) continue;
                    ++forged;
                    answered_ns = answered_ns == unseen ? forged_ns : std::min(answered_ns, forged_ns);
                }
            if (arrival_ns == unseen || !lookup.is_resolver_there || lookup.failure == "timeout") continue;
            // The same question waits in the resolver already, so that both copies are answered at once.
            const std::int64_t ready_ns = lookup.failure == "repeated" ? std::max(arrival_ns, flow.start_ns + round_trip_ns / 2 + resolving_ns) + ns(0.0001 * attempt)
                                                                       : arrival_ns + resolving_ns;
            const std::int64_t back_ns = send({&flow, false, ready_ns, reply}, {}, random);
            if (back_ns != unseen) answered_ns = answered_ns == unseen ? back_ns : std::min(answered_ns, back_ns);
        }
        m_world.flows[flow.index].injected_seen = forged;
    }

    std::int64_t forge(const Flow& flow, const Lookup& lookup, std::uint16_t id, Forgery& forgery, std::int64_t asked_ns, Random& random) {
        NetworkFlowTruth& truth = m_world.flows[flow.index];
        DnsAnswerFields answer;
        answer.id = id;
        answer.name = lookup.name;
        answer.type = lookup.type;
        answer.flags = forgery.flags;
        answer.ttl_seconds = forgery.ttl_seconds;
        const WireAddress address = forgery.pool[forgery.next++ % forgery.pool.size()];
        answer.addresses = std::span(&address, 1);
        Datagram datagram{&flow, false, 0, m_store.add(dns_answer(answer))};
        const std::int64_t at_box_ns = asked_ns + flow.path.to_box_ns + ns(0.0003 + random.exponential(0.0015));
        datagram.at_ns = at_box_ns;
        Sighting seen = sighting_of(datagram);
        seen.is_injected = true;
        const Machine& client = m_machines[flow.client];
        seen.client_ttl = static_cast<std::uint8_t>(40 + random.below(180));
        seen.id = static_cast<std::uint16_t>(random.below(65536));
        if (forgery.box_class == "gfw-df") {
            seen.dont_fragment = true;
            seen.id = 0;
            seen.client_ttl = 64 - hops_to_box + 20;
        } else if (forgery.box_class == "gfw-mirror") {
            seen.client_ttl = static_cast<std::uint8_t>(client.ttl - 2 * hops_to_box);
        } else if (forgery.box_class == "fixed" || forgery.box_class == "private") {
            seen.client_ttl = 64 - hops_to_box;
        }
        ++truth.injected;
        if (truth.first_action_ns == unseen) truth.first_action_ns = at_box_ns;
        if (!random.chance(flow.path.loss / 2)) seen.client_ns = at_box_ns + flow.path.to_box_ns;
        m_sightings.push_back(seen);
        return seen.client_ns;
    }

    void ordinary_dns(const std::string& name, std::int64_t start_ns, Random& random) {
        Lookup lookup;
        lookup.name = name;
        lookup.type = random.chance(0.3) ? dns_type_aaaa : dns_type_a;
        lookup.has_edns = random.chance(0.5);
        if (random.chance(m_plan.failure_share)) {
            static const std::vector<std::string> failures = {"nxdomain", "servfail", "timeout", "repeated"};
            lookup.failure = one_of(failures, random);
            if (lookup.failure == "nxdomain") lookup.name = "missing-" + name;
        }
        const Flow flow = flow_to(one_of(m_resolvers, random), 53, start_ns, random);
        NetworkFlowTruth& truth = truth_of(flow, "dns", lookup.name, "ordinary", "ordinary");
        truth.is_udp = true;
        truth.failure = lookup.failure;
        look_up(flow, lookup, random);
    }

    // QUIC

    struct QuicFilter {
        std::int64_t delay_ns = 0;
        bool is_both_ways = false;
    };

    /// A handshake and a few packets each way; both sides repeat what stays unanswered.
    void run_quic(const Flow& flow, const std::string& name, const std::optional<QuicFilter>& filter, Random& random) {
        const std::string client_id = random_bytes(random.chance(0.5) ? 0 : 8, random);
        const QuicWriter quic(random_bytes(8, random), client_id, random_bytes(8, random));
        ClientHelloFields hello;
        hello.server_name = name;
        hello.protocol = "h3";
        hello.is_quic = true;
        hello.quic_source_connection_id = client_id;
        const std::string hello_message = tls_client_hello(hello, random);
        const std::string answer_message = tls_server_hello_message(random);
        NetworkFlowTruth& truth = m_world.flows[flow.index];

        std::int64_t blocked_from_ns = unseen;
        const auto drops = [&](bool is_from_client) -> std::function<bool(std::int64_t)> {
            return [&, is_from_client](std::int64_t at_box_ns) {
                if (blocked_from_ns == unseen || at_box_ns < blocked_from_ns) return false;
                if (!is_from_client && !filter->is_both_ways) return false;
                if (truth.first_action_ns == unseen) truth.first_action_ns = at_box_ns;
                ++truth.dropped;
                return true;
            };
        };
        constexpr int tries = 5;
        const std::int64_t round_trip_ns = 2 * (flow.path.to_box_ns + flow.path.from_box_ns);
        std::int64_t repeat_ns = std::max(ns(0.3), 2 * round_trip_ns);

        // First flight and its answer.
        std::int64_t at_ns = flow.start_ns;
        std::int64_t answered_ns = unseen;
        std::int64_t server_knows_ns = unseen;
        std::uint32_t server_number = 0;
        for (int i = 0; i < tries && answered_ns == unseen; ++i) {
            const std::int64_t arrival_ns =
                send({&flow, true, at_ns, m_store.add(quic.client_initial(hello_message, static_cast<std::uint32_t>(i), 1200))}, drops(true), random);
            if (i == 0 && filter) blocked_from_ns = at_ns + flow.path.to_box_ns + filter->delay_ns;
            if (arrival_ns != unseen) {
                server_knows_ns = arrival_ns;
                answered_ns = send({&flow, false, arrival_ns + ns(0.001), m_store.add(quic.server_initial(answer_message, server_number++, 1000, random))}, drops(false), random);
            }
            at_ns += repeat_ns << i;
        }
        if (answered_ns == unseen) return;

        // The client's end of the handshake; until it arrives the server repeats its flight.
        std::int64_t confirmed_ns = unseen;
        at_ns = answered_ns + ns(0.001);
        std::int64_t server_repeats_ns = server_knows_ns + repeat_ns;
        for (int i = 0; i < tries && confirmed_ns == unseen; ++i) {
            const std::int64_t arrival_ns = send({&flow, true, at_ns, m_store.add(quic.client_handshake(60 + random.below(40), random))}, drops(true), random);
            if (arrival_ns == unseen) {
                send({&flow, false, server_repeats_ns, m_store.add(quic.server_initial(answer_message, server_number++, 1000, random))}, drops(false), random);
                server_repeats_ns += repeat_ns << (i + 1);
            } else {
                confirmed_ns = send({&flow, false, arrival_ns + ns(0.001), m_store.add(quic.one_rtt(false, 100 + random.below(100), random))}, drops(false), random);
            }
            at_ns += repeat_ns << i;
        }
        if (confirmed_ns == unseen) return;

        // Requests and answers.
        at_ns = confirmed_ns;
        for (std::uint64_t exchange = 0; exchange < 2 + random.below(4); ++exchange) {
            std::int64_t got_ns = unseen;
            at_ns += ns(0.002 + random.exponential(0.05));
            for (int i = 0; i < 4 && got_ns == unseen; ++i) {
                const std::int64_t arrival_ns = send({&flow, true, at_ns, m_store.add(quic.one_rtt(true, 60 + random.below(300), random))}, drops(true), random);
                at_ns += repeat_ns << i;
                if (arrival_ns == unseen) continue;
                for (std::uint64_t packet = 0; packet < 1 + random.below(6); ++packet) {
                    const std::int64_t back_ns = send({&flow, false, arrival_ns + ns(0.002) + static_cast<std::int64_t>(packet) * 200'000,
                                                       m_store.add(quic.one_rtt(false, 8, random)), m_store.bulk(1200, random)}, drops(false), random);
                    if (back_ns != unseen) got_ns = back_ns;
                }
            }
            if (got_ns == unseen) return;
            at_ns = got_ns;
        }
    }

    // Mechanisms

    std::uint64_t stream_of(std::string_view text) const {
        std::uint64_t hash = 0x51f1;
        for (const char c : text) hash = mix64(hash ^ static_cast<std::uint8_t>(c));
        return hash;
    }

    Scene scene_of(const std::string& mechanism, const std::string& box_class) {
        Scene scene;
        scene.mechanism = mechanism;
        scene.box_class = box_class;
        Random random(m_seed, stream_of("names of " + mechanism + box_class));
        auto names = made_up_names(10, random);
        // Different scenes draw independently; none may share a name.
        for (std::string& name : names)
            while (!m_used_names.insert(name).second) name.insert(0, 1, static_cast<char>('a' + random.below(26)));
        scene.triggers.assign(names.begin(), names.begin() + 4);
        scene.controls.assign(names.begin() + 4, names.end());
        scene.sites = make_sites(8);
        m_world.control_names.insert(m_world.control_names.end(), scene.controls.begin(), scene.controls.end());
        return scene;
    }

    /// `is_exposed`: whether a flow of role "trigger" held this trigger.
    void report(const Scene& scene, const std::string& trigger, std::vector<std::pair<std::string, double>> parameters,
                const std::function<bool(const NetworkFlowTruth&)>& is_exposed) {
        NetworkEffect effect;
        effect.mechanism = scene.mechanism;
        effect.box_class = scene.box_class;
        effect.trigger = trigger;
        effect.parameters = std::move(parameters);
        for (const NetworkFlowTruth& flow : m_world.flows) {
            if (flow.scene == scene.mechanism && flow.role == "trigger" && is_exposed(flow)) ++effect.exposed;
            if (flow.mechanism != scene.mechanism || flow.box_class != scene.box_class || flow.trigger != trigger) continue;
            ++effect.flows;
            if (effect.first_ns == unseen || flow.first_action_ns < effect.first_ns) effect.first_ns = flow.first_action_ns;
        }
        m_world.effects.push_back(std::move(effect));
    }

    void report(const Scene& scene, const std::vector<std::pair<std::string, double>>& parameters) {
        for (const std::string& trigger : scene.triggers)
            report(scene, trigger, parameters, [&](const NetworkFlowTruth& flow) { return flow.name == trigger; });
    }

    void plant(const NetworkMechanism& mechanism) {
        // The classes of a mechanism share its flows.
        std::vector<std::string> classes = {""};
        if (mechanism.name == "rst") classes = m_plan.reset_classes;
        if (mechanism.name == "dns-injection") classes = dns_groups();
        if (mechanism.name == "block-page") classes = {"page-200", "page-403", "page-fin"};
        if (mechanism.name == "residual") classes = {"drop", "reset"};
        if (mechanism.name == "quic-sni") classes = {"uplink", "both-ways"};
        if (mechanism.name == "http-keyword") classes = {"gfw-1", "gfw-2"};
        if (mechanism.name == "tls-interception") classes = {"one-certificate", "own-issuer"};
        for (std::size_t c = 0; c < classes.size(); ++c) {
            const auto flows = static_cast<std::uint32_t>(mechanism.flows * (c + 1) / classes.size() - mechanism.flows * c / classes.size());
            const Scene scene = scene_of(mechanism.name, classes[c]);
            Random random(m_seed, stream_of("flows of " + mechanism.name + classes[c]));
            if (mechanism.name == "dns-injection") plant_dns(scene, flows, random);
            else if (mechanism.name == "residual") plant_residual(scene, flows, random);
            else if (mechanism.name == "quic-sni") plant_quic(scene, flows, random);
            else if (mechanism.name == "fet") plant_fet(scene, flows, random);
            else if (mechanism.name == "protocol-whitelist") plant_whitelist(scene, flows, random);
            else if (mechanism.name == "syn-ack-forged") plant_syn_ack(scene, flows, random);
            else if (mechanism.name == "http-keyword") plant_keywords(scene, flows, random);
            else if (mechanism.name == "tls-interception") plant_interception(scene, flows, random);
            else plant_named(scene, flows, random);
        }
    }

    /// Whether the box does anything about a connection that begins then.
    bool acts(const Flow& flow, double rate, Random& random) const {
        const bool is_drawn = random.chance(rate);
        return is_drawn && flow.start_ns >= m_plan.start_ns + ns(m_plan.onset_seconds);
    }

    bool draws_control(Random& random) { return random.chance(m_plan.control_share); }

    /// Mechanisms that look for a name in a TLS or HTTP request.
    void plant_named(const Scene& scene, std::uint32_t flows, Random& random) {
        ResetDevice device(scene.box_class, Random(m_seed, stream_of("device " + scene.box_class)));
        if (scene.box_class == "henan") device.set_payload(m_store.add(std::string_view("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x00", 10)));
        const bool is_page = scene.mechanism == "block-page";
        const bool is_throttle = scene.mechanism.starts_with("throttle");
        const bool is_large = is_throttle || scene.mechanism == "freeze";
        ThrottleBox::Limit limit;
        limit.bytes_per_second = m_plan.throttle_kbit * 1000 / 8;
        limit.is_shaping = scene.mechanism == "throttle-shaping";
        limit.burst_bytes = m_plan.throttle_burst_kib > 0 ? m_plan.throttle_burst_kib * 1024 : limit.is_shaping ? 0 : 12'000;
        const bool has_fixed_id = random.chance(0.5);
        const auto page_ttl = static_cast<std::uint8_t>(70 + random.below(20));
        const auto page = m_store.add(http_response(scene.box_class == "page-403" ? 403 : 200, scene.box_class == "page-403" ? "Forbidden" : "OK",
                                                    "This site is not available in your country", 500));
        for (std::uint32_t i = 0; i < flows; ++i) {
            const bool is_control = draws_control(random);
            const std::string& name = one_of(is_control ? scene.controls : scene.triggers, random);
            const bool is_http = is_page || (scene.mechanism == "rst" && random.chance(0.25));
            const std::size_t bytes = is_throttle ? 50'000 + random.below(30'000) : is_large ? 30'000 + random.below(30'000) : page_bytes(random);
            const Flow flow = flow_to(one_of(scene.sites, random), is_http ? 80 : 443, any_time(random), random);
            Conversation talk = is_http ? http(name, bytes, random) : tls(name, bytes, random);
            end_as_usual(talk.dialogue, random);
            if (is_throttle) keep_updated(talk, random);
            NetworkFlowTruth& truth = truth_of(flow, is_http ? "http" : "tls", name, scene.mechanism, is_control ? "control" : "trigger");
            if (is_control) {
                if (random.chance(m_plan.failure_share / 2)) fail_ordinarily(talk, truth, random);
                run(flow, talk, nullptr, random);
                continue;
            }
            const bool has_plain_header = !(m_machines[flow.client].has_timestamps && m_machines[flow.server].has_timestamps);
            std::unique_ptr<CountingBox> box;
            if (!acts(flow, m_plan.action_rate, random) || (scene.box_class == "henan" && !has_plain_header)) {
                run(flow, talk, nullptr, random);
                continue;
            }
            if (scene.mechanism == "rst") box = std::make_unique<ResetBox>(device, talk.trigger_end);
            if (scene.mechanism == "drop-sni") box = std::make_unique<UplinkDropBox>(talk.trigger_end, false, ns(3600));
            if (scene.mechanism == "freeze") box = std::make_unique<FreezeBox>(static_cast<std::int64_t>((m_plan.freeze_kib + 4 * random.uniform()) * 1024));
            if (is_page)
                box = std::make_unique<PageBox>(talk.trigger_end, page, scene.box_class == "page-fin", page_ttl,
                                                has_fixed_id ? std::uint16_t{0x1234} : static_cast<std::uint16_t>(random.below(65536)));
            if (is_throttle) box = std::make_unique<ThrottleBox>(limit);
            run(flow, talk, box.get(), random);
            settle(flow, *box, scene, name);
        }
        std::vector<std::pair<std::string, double>> parameters;
        if (scene.box_class == "gfw-2") parameters.emplace_back("window_minus_ttl", device.window_over_ttl());
        if (scene.mechanism == "freeze") parameters.emplace_back("freeze_kib", m_plan.freeze_kib);
        if (is_throttle) parameters.emplace_back("throttle_kbit", m_plan.throttle_kbit);
        report(scene, std::move(parameters));
    }

    /// Gives the client something to say while it gets a long answer.
    void keep_updated(Conversation& talk, Random& random) {
        if (m_plan.update_bytes == 0) return;
        talk.dialogue.update_bytes = m_plan.update_bytes;
        talk.client.append(m_store.bulk(39 * (static_cast<std::size_t>(talk.server.bytes) / m_plan.update_bytes + 1), random));
    }

    /// Slow answers that no box makes.
    void plant_slow_twin(const Scene& scene, std::uint32_t flows, Random& random) {
        const std::string& twin = scene.mechanism;
        const bool is_by_time = twin == "congestion" || twin == "shared-limit";
        constexpr double busy_seconds = 120;
        const auto is_busy = [&](std::int64_t at_ns) {
            const auto slot = static_cast<std::uint64_t>(static_cast<double>(at_ns - m_plan.start_ns) / static_cast<double>(second_ns) / busy_seconds);
            return Random(m_seed, stream_of("busy " + twin) + slot).chance(0.35);
        };
        for (std::uint32_t i = 0; i < flows; ++i) {
            const bool is_control = draws_control(random);
            const std::string& name = one_of(is_control ? scene.controls : scene.triggers, random);
            // What makes slow is met by most connections of the one kind and by some of the other.
            const bool is_by_server = twin == "pausing-server" || twin == "pacing-server";
            const bool is_met = random.chance(!is_control ? 0.9 : is_by_server ? 0 : 0.25);
            const std::size_t half = scene.sites.size() / 2;
            const std::size_t site = twin == "slow-path" ? (is_met ? 0 : half) + random.below(half) : random.below(scene.sites.size());
            const std::size_t slow_clients = std::max<std::size_t>(1, m_clients.size() / 4);
            const auto client = static_cast<std::uint32_t>(twin == "buffer-bloat" && is_met ? random.below(slow_clients) : random.below(m_clients.size()));
            std::int64_t start_ns = any_time(random);
            if (is_by_time)
                for (int tries = 0; tries < 200 && is_busy(start_ns) != is_met; ++tries) start_ns = any_time(random);
            const std::size_t bytes = 50'000 + random.below(30'000);
            const bool is_slow_server = is_by_server && is_met;
            const Flow flow = flow_to(scene.sites[site], 443, start_ns, random, client);
            Conversation talk = tls(name, is_slow_server ? 3000 : bytes, random);
            for (std::size_t sent = 3000; is_slow_server && sent < bytes;) {
                const std::size_t piece = twin == "pacing-server" ? 1400 : 3000 + random.below(6000);
                append_records(talk.server, piece, random);
                talk.say(false, twin == "pacing-server" ? ns(0.076) : ns(0.2 + random.exponential(0.1)));
                sent += piece;
            }
            end_as_usual(talk.dialogue, random);
            keep_updated(talk, random);
            NetworkFlowTruth& truth = truth_of(flow, "tls", name, twin, is_control ? "control" : "trigger");
            if (random.chance(m_plan.failure_share / 2)) fail_ordinarily(talk, truth, random);
            ThrottleBox::Limit limit;
            limit.bytes_per_second = m_plan.throttle_kbit * 1000 / 8;
            limit.is_shaping = true;
            std::unique_ptr<CountingBox> link;
            Random link_random(m_seed, stream_of("link " + twin) + flow.index);
            if (is_by_time && is_busy(start_ns)) {
                if (twin == "congestion") limit.bytes_per_second *= std::exp(3 * link_random.uniform() - 1.5);
                link = std::make_unique<CrowdedLink>(limit, ns(0.05 + 0.25 * link_random.uniform()), 0.03, link_random);
            } else if (twin == "slow-path" && site < half) {
                link = std::make_unique<ThrottleBox>(limit);
            } else if (twin == "buffer-bloat" && client < slow_clients) {
                limit.queue_bytes = 256'000;
                link = std::make_unique<CrowdedLink>(limit, ns(0.5), 0, link_random);
            }
            run(flow, talk, link.get(), random);
        }
    }

    /// A word as clients write it into what they ask for; others beside it are harmless.
    static std::string path_with(std::string_view word, bool is_latin, Random& random) {
        const auto escaped = [](std::string_view bytes) {
            std::string text;
            for (const char c : bytes) text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
            return text;
        };
        const std::uint64_t way = random.below(4);
        if (!is_latin) return (way < 2 ? "/search?q=" : "/tag/") + (way % 2 == 0 ? escaped(word) : std::string(word));
        std::string written(word);
        if (random.chance(0.3)) written[0] = static_cast<char>(written[0] - 'a' + 'A');
        if (way == 0) return "/search?q=" + escaped(written.substr(0, 1)) + written.substr(1);
        if (way == 1) return fmt::format("/{}news/{}.html", written, random.below(1000));
        return fmt::format(fmt::runtime(way == 2 ? "/{}/index.html" : "/search?page=2&q={}"), written);
    }

    /// Words in what is asked for over HTTP, from hosts that are harmless by themselves: two Latin ones and one Chinese one in two encodings.
    void plant_keywords(Scene scene, std::uint32_t flows, Random& random) {
        ResetDevice device(scene.box_class, Random(m_seed, stream_of("device " + scene.box_class)));
        // UTF-8, then GB18030: freedom, news, weather, music.
        constexpr std::array<std::array<std::string_view, 2>, 4> chinese = {{{"\xE8\x87\xAA\xE7\x94\xB1", "\xD7\xD4\xD3\xC9"},
                                                                             {"\xE6\x96\xB0\xE9\x97\xBB", "\xD0\xC2\xCE\xC5"},
                                                                             {"\xE5\xA4\xA9\xE6\xB0\x94", "\xCC\xEC\xC6\xF8"},
                                                                             {"\xE9\x9F\xB3\xE4\xB9\x90", "\xD2\xF4\xC0\xD6"}}};
        const bool is_second = scene.box_class == "gfw-2";
        std::vector<std::string> words;   // the first two bring resets
        for (const std::string& name : made_up_names(30, random))
            if (const std::string word = name.substr(0, name.find('.')); word != "www" && word.size() > 5) words.push_back(word);
        scene.triggers = {words[0], words[1], std::string(chinese[is_second ? 1 : 0][0])};
        for (std::uint32_t i = 0; i < flows; ++i) {
            const bool is_control = draws_control(random);
            const std::size_t kind = random.below(3);
            const auto& pair = chinese[is_control ? 2 + random.below(2) : is_second ? 1u : 0u];
            const std::string word = kind == 2 ? std::string(pair[random.below(2)]) : is_control ? words[2 + random.below(words.size() - 2)] : words[kind];
            const std::string& name = one_of(scene.controls, random);
            const Flow flow = flow_to(one_of(scene.sites, random), 80, any_time(random), random);
            Conversation talk = http(name, path_with(word, kind < 2, random), page_bytes(random), random);
            end_as_usual(talk.dialogue, random);
            NetworkFlowTruth& truth = truth_of(flow, "http", name, scene.mechanism, is_control ? "control" : "trigger");
            if (is_control && random.chance(m_plan.failure_share / 2)) fail_ordinarily(talk, truth, random);
            if (is_control || !acts(flow, m_plan.action_rate, random)) {
                run(flow, talk, nullptr, random);
                continue;
            }
            ResetBox box(device, talk.trigger_end);
            run(flow, talk, &box, random);
            settle(flow, box, scene, scene.triggers[kind]);
        }
        for (const std::string& trigger : scene.triggers) report(scene, trigger, {}, [&](const NetworkFlowTruth& flow) { return flow.box_class == scene.box_class && flow.trigger == trigger; });
    }

    /// The three of China answer together; the others are censors of their own.
    std::vector<std::string> dns_groups() const {
        std::vector<std::string> groups;
        for (const std::string& one : m_plan.dns_classes) {
            const bool is_gfw = one.starts_with("gfw-");
            if (is_gfw && std::find(groups.begin(), groups.end(), "gfw") != groups.end()) continue;
            groups.push_back(is_gfw ? "gfw" : one);
        }
        return groups;
    }

    void plant_dns(const Scene& scene, std::uint32_t flows, Random& random) {
        std::vector<WireAddress> pool;
        const bool is_gfw = scene.box_class == "gfw";
        const std::size_t pool_size = is_gfw ? 60 : scene.box_class == "private" ? 3 : 1;
        for (std::size_t i = 0; i < pool_size; ++i)
            pool.push_back(is_gfw ? wire_v4(public_address(random)) : scene.box_class == "private" ? wire_v4(0x0a0a2222 + static_cast<std::uint32_t>(i)) : wire_v4(0x7f000001));
        for (const WireAddress& address : pool) m_world.bogus_addresses.push_back(address.text());

        std::vector<Forgery> boxes;
        if (is_gfw) {
            for (const std::string& one : m_plan.dns_classes) {
                if (!one.starts_with("gfw-")) continue;
                Forgery forgery;
                forgery.box_class = one;
                forgery.flags = one == "gfw-aa" ? 0x8400 : 0x8180;
                forgery.ttl_seconds = static_cast<std::uint32_t>(60 + random.below(200));
                const std::size_t begin = boxes.size() * 20;
                forgery.pool.assign(pool.begin() + static_cast<std::ptrdiff_t>(begin), pool.begin() + static_cast<std::ptrdiff_t>(begin + 20));
                boxes.push_back(std::move(forgery));
            }
        } else {
            Forgery forgery;
            forgery.box_class = scene.box_class;
            forgery.pool = pool;
            forgery.ttl_seconds = 300;
            boxes.push_back(std::move(forgery));
        }
        // Each box has a list of its own.
        std::map<std::string, std::vector<std::size_t>> lists;
        for (std::size_t t = 0; t < scene.triggers.size(); ++t)
            for (std::size_t b = 0; b < boxes.size(); ++b)
                if (b <= t % boxes.size()) lists[scene.triggers[t]].push_back(b);
        const Site nobody = make_sites(1)[0];

        for (std::uint32_t i = 0; i < flows; ++i) {
            const bool is_control = draws_control(random);
            Lookup lookup;
            lookup.name = one_of(is_control ? scene.controls : scene.triggers, random);
            lookup.has_edns = random.chance(0.5);
            lookup.is_resolver_there = !random.chance(0.2);
            const Flow flow = flow_to(lookup.is_resolver_there ? one_of(m_resolvers, random) : nobody, 53, any_time(random), random);
            NetworkFlowTruth& truth = truth_of(flow, "dns", lookup.name, scene.mechanism, is_control ? "control" : "trigger");
            truth.is_udp = true;
            if (!lookup.is_resolver_there) truth.failure = "no-resolver";
            if (!is_control && acts(flow, m_plan.action_rate, random))
                for (const std::size_t b : lists[lookup.name]) lookup.forgeries.push_back(&boxes[b]);
            look_up(flow, lookup, random);
            if (m_world.flows[flow.index].injected > 0) mark(flow.index, scene, lookup.name);
        }
        for (const std::string& trigger : scene.triggers)
            report(scene, trigger, {{"forged_answers", static_cast<double>(lists[trigger].size())}}, [&](const NetworkFlowTruth& flow) { return flow.name == trigger; });
    }

    /// Addresses are what triggers here: half of the sites answer themselves too, later.
    void plant_syn_ack(Scene scene, std::uint32_t flows, Random& random) {
        const auto payload = m_store.add("cheat");
        const std::size_t half = scene.sites.size() / 2;
        scene.triggers.clear();
        for (std::size_t s = 0; s < half; ++s) scene.triggers.push_back(m_machines[scene.sites[s].machine].v4.text());
        for (std::uint32_t i = 0; i < flows; ++i) {
            const bool is_control = draws_control(random);
            const std::size_t s = (is_control ? half : 0) + random.below(half);
            const std::string& name = one_of(scene.controls, random);
            const Flow flow = flow_to(scene.sites[s], 443, any_time(random), random);
            Conversation talk = tls(name, page_bytes(random), random);
            end_as_usual(talk.dialogue, random);
            NetworkFlowTruth& truth = truth_of(flow, "tls", name, scene.mechanism, is_control ? "control" : "trigger");
            if (is_control || !acts(flow, m_plan.action_rate, random)) {
                if (random.chance(m_plan.failure_share / 2)) fail_ordinarily(talk, truth, random);
                run(flow, talk, nullptr, random);
                continue;
            }
            if (s % 2 == 0) talk.dialogue.ending = Ending::server_is_down;
            ForgedSynAckBox box(payload, Random(random.next()));
            run(flow, talk, &box, random);
            settle(flow, box, scene, m_world.flows[flow.index].server);
        }
        for (const std::string& trigger : scene.triggers)
            report(scene, trigger, {}, [&](const NetworkFlowTruth& flow) { return flow.server == trigger; });
    }

    // Certificates

    static constexpr std::size_t flight_bytes = 3'600;

    /// Of one of three issuers that everybody goes to.
    std::string public_certificate(std::span<const std::string> names, Random& random) {
        constexpr std::array<std::string_view, 3> issuers = {"Dovetail Trust", "Public Key Works", "Free Certificates"};
        return certificate_der({issuers[mix64(m_seed ^ stream_of(names[0])) % issuers.size()], "Server CA 2", names[0], names}, random);
    }

    std::string self_signed(const std::string& name, Random& random) { return certificate_der({"", name, name, {}}, random); }

    std::string flight_with(const std::string& leaf, Random& random) {
        const std::vector<std::string> chain = {leaf, certificate_der({"Root of all", "Root", "Server CA 2", {}}, random)};
        return tls12_server_flight(chain, flight_bytes, random);
    }

    /// From the first answer on somebody at `ttl` speaks in the server's name, or from the handshake on. `sent`: what the server said itself.
    void speak_for_server(std::size_t first_sighting, std::uint8_t ttl, bool is_from_handshake, std::uint32_t sent, Random& random) {
        bool has_begun = is_from_handshake;
        auto id = static_cast<std::uint16_t>(random.below(65536));
        for (std::size_t i = first_sighting; i < m_sightings.size(); ++i) {
            Sighting& seen = m_sightings[i];
            if (seen.is_from_client) continue;
            has_begun = has_begun || seen.bytes > 0;
            if (!has_begun) continue;
            seen.client_ttl = ttl;
            seen.stream_sent = sent;
            if (sent == 0) continue;
            seen.is_injected = true;
            seen.id = id++;
            NetworkFlowTruth& truth = m_world.flows[seen.flow];
            ++truth.injected;
            truth.injected_seen += seen.client_ns != unseen;
            if (truth.first_action_ns == unseen) truth.first_action_ns = seen.sent_ns;
        }
    }

    /// A proxy that lets the handshake pass and answers the hello itself: with one certificate for all, or with one for the name that it signs itself.
    void plant_interception(const Scene& scene, std::uint32_t flows, Random& random) {
        const bool is_one = scene.box_class == "one-certificate";
        const std::string one = self_signed("access.invalid", random);
        std::map<std::string, std::pair<std::string, std::string>> leaves;   // true and false ones
        for (const auto* names : {&scene.triggers, &scene.controls})
            for (const std::string& name : *names) {
                const std::vector<std::string> covered = {name};
                leaves[name] = {public_certificate(covered, random), is_one ? one : certificate_der({"National Gateway", "Gateway CA 1", name, covered}, random)};
            }
        for (std::uint32_t i = 0; i < flows; ++i) {
            const bool is_control = draws_control(random);
            const std::string& name = one_of(is_control ? scene.controls : scene.triggers, random);
            const Flow flow = flow_to(one_of(scene.sites, random), 443, any_time(random), random);
            NetworkFlowTruth& truth = truth_of(flow, "tls", name, scene.mechanism, is_control ? "control" : "trigger");
            const std::size_t bytes = page_bytes(random);
            const auto& [own, foreign] = leaves[name];
            // Most servers speak TLS 1.3 by now.
            Conversation talk = is_control && random.chance(0.4) ? tls(name, bytes, random) : tls12(name, flight_with(own, random), bytes, random);
            end_as_usual(talk.dialogue, random);
            if (is_control || !acts(flow, m_plan.action_rate, random)) {
                if (is_control && random.chance(m_plan.failure_share / 2)) fail_ordinarily(talk, truth, random);
                run(flow, talk, nullptr, random);
                continue;
            }
            const auto sent = static_cast<std::uint32_t>(m_streams.size());
            m_streams.push_back(talk.server);
            talk.server.pieces[0] = m_store.add(flight_with(foreign, random));
            const std::size_t before = m_sightings.size();
            run(flow, talk, nullptr, random);
            speak_for_server(before, 64 - hops_to_box, false, sent, random);
            if (m_world.flows[flow.index].injected > 0) mark(flow.index, scene, name);
        }
        report(scene, {});
    }

    /// What looks like it and is not: hosts that are set up for other names, a content network's certificate for names that it does not serve and in an
    /// hour in which it serves nobody, devices that sign their own, a portal and proxies of the users' own networks, and a load balancer.
    void show_odd_certificates(std::uint32_t flows) {
        Random random(m_seed, stream_of("odd certificates"));
        const auto names_of = [&](std::size_t count) {
            auto names = made_up_names(count, random);
            for (std::string& name : names)
                while (!m_used_names.insert(name).second) name.insert(0, 1, static_cast<char>('a' + random.below(26)));
            return names;
        };
        std::map<std::string, std::string> own;   // the right certificate of each name
        const auto serve = [&](const std::vector<std::string>& names) {
            for (const std::string& name : names) own[name] = public_certificate(std::span(&name, 1), random);
            return names;
        };
        const auto usual = serve(names_of(30));
        const auto hosted = serve(names_of(8));
        const auto misplaced = names_of(6);
        const auto served = serve(names_of(8));
        const auto unserved = names_of(8);
        const auto balanced = serve(names_of(6));
        const auto devices = names_of(5);
        const auto usual_sites = make_sites(20);
        const auto host_sites = make_sites(3);
        const auto content_sites = make_sites(8);
        const auto balancer_sites = make_sites(3);
        const auto device_sites = make_sites(devices.size());
        const std::vector<std::string> content_name = {"edge.content.example"};
        const std::string content_leaf = public_certificate(content_name, random);
        const std::string portal_leaf = self_signed("login.hotel.example", random);
        std::vector<std::string> device_leaves;
        for (std::size_t d = 0; d < devices.size(); ++d) device_leaves.push_back(self_signed("device", random));
        std::map<std::string, std::string> of_office;
        std::map<std::string, std::string> of_school;
        for (const auto* names : {&usual, &hosted, &served})
            for (const std::string& name : *names) {
                of_office[name] = certificate_der({"Office", "Office Proxy CA", name, std::span(&name, 1)}, random);
                of_school[name] = certificate_der({"School", "School Proxy CA", name, std::span(&name, 1)}, random);
            }
        for (const std::string& name : balanced) own[name] = certificate_der({"Balanced Ltd", "Balanced CA", name, std::span(&name, 1)}, random);
        const auto machines = [&](std::size_t count) {
            std::vector<std::uint32_t> all;
            for (std::size_t i = 0; i < count; ++i) {
                Machine machine = m_machines[m_clients[i % m_clients.size()]];
                machine.v4 = wire_v4(public_address(m_random));
                all.push_back(add_machine(machine));
            }
            return all;
        };
        const auto guests = machines(4);
        const auto clerks = machines(5);
        const auto pupils = machines(5);
        std::uint16_t port = 20'000;
        constexpr std::uint8_t at_gateway = 63, at_proxy = 61;
        for (std::uint32_t i = 0; i < flows; ++i) {
            const std::int64_t start_ns = any_time(random);
            const double begun = static_cast<double>(start_ns - m_plan.start_ns) / (m_plan.duration_seconds * static_cast<double>(second_ns));
            const std::uint64_t kind = random.below(8);
            const auto make = [&](const Site& site, const std::string& name, const std::string& leaf, const char* role, std::uint32_t machine = 0) {
                Flow flow = flow_to(site, 443, start_ns, random);
                if (machine != 0) {
                    flow.client = machine;
                    flow.client_port = port++;
                }
                truth_of(flow, "tls", name, "odd-certificates", role);
                Conversation talk = tls12(name, flight_with(leaf, random), page_bytes(random), random);
                end_as_usual(talk.dialogue, random);
                run(flow, talk, nullptr, random);
            };
            const std::size_t before = m_sightings.size();
            if (kind == 0) {
                const std::string& name = one_of(usual, random);
                make(one_of(usual_sites, random), name, own[name], "ordinary");
            } else if (kind == 1) {
                const std::size_t at = random.below(host_sites.size());
                const bool is_wrong = random.chance(0.4);
                const std::string& name = is_wrong ? misplaced[2 * at + random.below(2)] : one_of(hosted, random);
                make(host_sites[at], name, is_wrong ? own[hosted[at]] : own[name], "other-host");
            } else if (kind == 2 || kind == 3) {
                const bool is_served = random.chance(0.6);
                const bool is_broken = begun > 0.4 && begun < 0.5;
                const std::string& name = one_of(is_served ? served : unserved, random);
                make(one_of(content_sites, random), name, is_served && !is_broken ? own[name] : content_leaf, "content-network");
            } else if (kind == 4) {
                const std::size_t at = random.below(devices.size());
                make(device_sites[at], devices[at], device_leaves[at], "device");
            } else if (kind == 5) {
                const std::string& name = one_of(usual, random);
                const bool is_held = begun < 0.3;
                make(one_of(usual_sites, random), name, is_held ? portal_leaf : own[name], "portal", one_of(guests, random));
                if (is_held) speak_for_server(before, at_gateway, true, 0, random);
            } else if (kind == 6) {
                const bool is_late = random.chance(0.5);
                const bool is_exempt = random.chance(0.1);
                const std::string& name = is_exempt ? one_of(hosted, random) : random.chance(0.5) ? one_of(usual, random) : one_of(served, random);
                make(one_of(random.chance(0.5) ? usual_sites : content_sites, random), name, is_exempt ? own[name] : is_late ? of_office[name] : of_school[name], "proxy", one_of(is_late ? clerks : pupils, random));
                if (!is_exempt) speak_for_server(before, at_proxy, !is_late, 0, random);
            } else {
                const std::string& name = one_of(balanced, random);
                make(one_of(balancer_sites, random), name, own[name], "load-balancer");
                speak_for_server(before, 52, false, 0, random);
            }
        }
    }

    /// One trigger, then harmless connections around it until twice its time is over.
    void plant_residual(const Scene& scene, std::uint32_t flows, Random& random) {
        ResetDevice device("gfw-2", Random(m_seed, stream_of("residual device")));
        const std::int64_t lasts_ns = ns(m_plan.residual_seconds);
        std::uint32_t made = 0;
        std::set<std::pair<std::uint32_t, std::uint32_t>> used;
        while (made < flows) {
            const auto client = static_cast<std::uint32_t>(random.below(m_clients.size()));
            const Site site = used.size() < m_clients.size() * scene.sites.size() / 2 ? one_of(scene.sites, random) : make_sites(1)[0];
            if (!used.emplace(client, site.machine).second) continue;
            const std::string& trigger = one_of(scene.triggers, random);
            const std::int64_t start_ns = m_plan.start_ns + ns(std::max(1.0, m_plan.duration_seconds - 2 * m_plan.residual_seconds) * random.uniform());
            std::int64_t triggered_ns = unseen;
            {
                const Flow flow = flow_to(site, 443, start_ns, random, client);
                Conversation talk = tls(trigger, page_bytes(random), random);
                end_as_usual(talk.dialogue, random);
                truth_of(flow, "tls", trigger, scene.mechanism, "trigger");
                ++made;
                if (!acts(flow, m_plan.action_rate, random)) {
                    run(flow, talk, nullptr, random);
                } else if (scene.box_class == "reset") {
                    ResetBox box(device, talk.trigger_end);
                    run(flow, talk, &box, random);
                    settle(flow, box, scene, trigger);
                    triggered_ns = box.first_action_ns;
                } else {
                    UplinkDropBox box(talk.trigger_end, false, lasts_ns);
                    run(flow, talk, &box, random);
                    settle(flow, box, scene, trigger);
                    triggered_ns = box.first_action_ns;
                }
            }
            // The drop begins with a packet that may itself have been the first to go.
            const std::int64_t until_ns = triggered_ns == unseen ? 0 : triggered_ns + lasts_ns;
            for (int i = 0; i < 8 && made < flows; ++i) {
                const std::int64_t at_ns = start_ns + ns(1) + ns(2 * m_plan.residual_seconds * (i + random.uniform()) / 8);
                const Flow flow = flow_to(site, 443, at_ns, random, client);
                const std::string& name = one_of(scene.controls, random);
                Conversation talk = tls(name, page_bytes(random), random);
                end_as_usual(talk.dialogue, random);
                truth_of(flow, "tls", name, scene.mechanism, "aftermath");
                ++made;
                AftermathBox box(until_ns, scene.box_class == "reset" ? &device : nullptr);
                run(flow, talk, &box, random);
                settle(flow, box, scene, trigger);
            }
            for (const char* role : {"other-port", "other-host", "other-client"}) {
                if (made >= flows) break;
                const std::string_view what = role;
                const bool is_other_port = what == "other-port";
                const Site& to = what == "other-host" ? one_of(m_background_sites, random) : site;
                const auto from = what == "other-client" ? static_cast<std::uint32_t>((client + 1) % m_clients.size()) : client;
                if (what == "other-client" && m_clients.size() == 1) continue;
                const std::int64_t at_ns = start_ns + ns(1 + m_plan.residual_seconds * random.uniform());
                const Flow flow = flow_to(to, is_other_port ? 8443 : 443, at_ns, random, from);
                const std::string& name = one_of(scene.controls, random);
                Conversation talk = tls(name, page_bytes(random), random);
                end_as_usual(talk.dialogue, random);
                truth_of(flow, "tls", name, scene.mechanism, role);
                ++made;
                // The other client may have triggered the box itself; then that answer would be wrong.
                if (what == "other-client" && used.count({from, site.machine}) > 0) m_world.flows.back().failure = "may-have-triggered-itself";
                run(flow, talk, nullptr, random);
            }
            if (m_clients.size() > 1) used.emplace(static_cast<std::uint32_t>((client + 1) % m_clients.size()), site.machine);
        }
        report(scene, {{"residual_seconds", m_plan.residual_seconds}});
    }

    void plant_quic(const Scene& scene, std::uint32_t flows, Random& random) {
        for (std::uint32_t i = 0; i < flows; ++i) {
            const bool is_control = draws_control(random);
            const std::string& name = one_of(is_control ? scene.controls : scene.triggers, random);
            // The filter looks only where the source port is the higher one.
            const std::uint16_t port = random.chance(0.25) ? static_cast<std::uint16_t>(61000 + random.below(4000)) : std::uint16_t{443};
            const Flow flow = flow_to(one_of(scene.sites, random), port, any_time(random), random);
            truth_of(flow, "quic", name, scene.mechanism, is_control ? "control" : "trigger").is_udp = true;
            std::optional<QuicFilter> filter;
            if (!is_control && flow.client_port > flow.server_port && acts(flow, m_plan.action_rate, random))
                filter = QuicFilter{ns(0.09 + random.exponential(0.02)), scene.box_class == "both-ways"};
            run_quic(flow, name, filter, random);
            if (m_world.flows[flow.index].dropped > 0) mark(flow.index, scene, name);
        }
        report(scene, {{"source_port_above_destination_port", 1}});
    }

    /// The first packet's bytes trigger, towards half of the sites, now and then.
    void plant_fet(Scene scene, std::uint32_t flows, Random& random) {
        scene.triggers = {"fully-encrypted"};
        const std::size_t half = scene.sites.size() / 2;
        for (std::uint32_t i = 0; i < flows; ++i) {
            const bool is_control = draws_control(random);
            const std::uint64_t kind = is_control ? random.below(4) : 3;
            const std::size_t s = kind < 3 ? random.below(scene.sites.size()) : is_control ? half + random.below(half) : random.below(half);
            std::string first;
            if (kind == 0) first = "\x05\x01" + std::string(300, '\0') + random_bytes(40, random);          // few bits
            if (kind == 1) first = "HELO07" + random_bytes(200 + random.below(300), random);                 // begins printable
            if (kind == 2) first = random_bytes(50, random) + "a run of many printable characters" + random_bytes(150, random);
            if (kind == 3) first = fully_random_payload(120 + random.below(600), random);
            const Flow flow = flow_to(scene.sites[s], 8388, any_time(random), random);
            Conversation talk = opaque(first, random);
            end_as_usual(talk.dialogue, random);
            truth_of(flow, "random", "", scene.mechanism, is_control ? "control" : "trigger");
            if (is_control || !acts(flow, m_plan.fet_rate, random)) {
                run(flow, talk, nullptr, random);
                continue;
            }
            UplinkDropBox box(talk.trigger_end, false, ns(180));
            run(flow, talk, &box, random);
            settle(flow, box, scene, scene.triggers[0]);
        }
        report(scene, scene.triggers[0], {{"rate", m_plan.fet_rate}, {"affected_hosts", static_cast<double>(half)}}, [](const NetworkFlowTruth&) { return true; });
    }

    /// On three ports only what belongs there passes; other ports are free.
    void plant_whitelist(Scene scene, std::uint32_t flows, Random& random) {
        scene.triggers = {"other-protocol"};
        static const std::vector<std::uint16_t> watched = {53, 80, 443};
        for (std::uint32_t i = 0; i < flows; ++i) {
            const bool is_control = draws_control(random);
            const std::uint64_t kind = random.below(3);
            const bool is_ssh = random.chance(0.5);
            // Controls: TLS and HTTP where they belong, or the other protocols elsewhere.
            const bool is_free_port = is_control && kind == 2;
            const bool is_foreign = !is_control || is_free_port;
            const std::uint16_t port = is_free_port ? one_of(opaque_ports, random)
                                       : is_foreign ? one_of(watched, random)
                                       : kind == 0  ? std::uint16_t{80}
                                                    : std::uint16_t{443};
            const std::string& name = one_of(scene.controls, random);
            Conversation talk = is_foreign && is_ssh ? ssh(random)
                                : is_foreign         ? opaque(random_bytes(1, random) + "\x01" + fully_random_payload(100 + random.below(400), random), random)
                                : kind == 0          ? http(name, page_bytes(random), random)
                                                     : tls(name, page_bytes(random), random);
            end_as_usual(talk.dialogue, random);
            const Flow flow = flow_to(one_of(scene.sites, random), port, any_time(random), random);
            truth_of(flow, is_foreign && is_ssh ? "ssh" : is_foreign ? "random" : kind == 0 ? "http" : "tls", is_foreign ? "" : name, scene.mechanism,
                     is_control ? "control" : "trigger");
            if (is_control || !acts(flow, m_plan.action_rate, random)) {
                run(flow, talk, nullptr, random);
                continue;
            }
            UplinkDropBox box(talk.trigger_end, true, ns(60));
            run(flow, talk, &box, random);
            settle(flow, box, scene, scene.triggers[0]);
        }
        report(scene, scene.triggers[0], {{"seconds", 60}}, [](const NetworkFlowTruth&) { return true; });
    }

    // Frames

    /// Identifications, in the order in which each machine sends.
    void number_packets(const std::vector<std::uint32_t>& order) {
        Random random(m_seed, 0x1d5);
        std::vector<std::uint16_t> counters(m_machines.size());
        for (auto& counter : counters) counter = static_cast<std::uint16_t>(random.below(65536));
        std::vector<std::array<std::uint16_t, 2>> of_flows(m_world.flows.size());
        for (auto& pair : of_flows) pair = {static_cast<std::uint16_t>(random.next()), static_cast<std::uint16_t>(random.next())};
        for (const std::uint32_t i : order) {
            Sighting& seen = m_sightings[i];
            if (seen.is_injected) continue;
            const Flow& flow = m_flows[seen.flow];
            const std::uint32_t machine = seen.is_from_client ? flow.client : flow.server;
            switch (m_machines[machine].id_process) {
                case IdProcess::zero: seen.dont_fragment = true; break;
                case IdProcess::counter:
                    counters[machine] = static_cast<std::uint16_t>(counters[machine] + 1 + random.below(4));
                    seen.id = counters[machine];
                    seen.dont_fragment = seen.is_from_client;
                    break;
                case IdProcess::per_flow: {
                    seen.dont_fragment = true;
                    const bool is_bare = !seen.is_udp && ((seen.flags & tcp_bit::rst) != 0 || (!seen.is_from_client && (seen.flags & tcp_bit::syn) != 0));
                    if (!is_bare) seen.id = of_flows[seen.flow][seen.is_from_client ? 0 : 1]++;
                    break;
                }
                case IdProcess::random: seen.id = static_cast<std::uint16_t>(random.next()); break;
            }
        }
    }

    void write() {
        std::vector<std::uint32_t> order(m_sightings.size());
        std::iota(order.begin(), order.end(), 0U);
        const auto sort_by = [&](auto key) {
            std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
                const std::int64_t left = key(m_sightings[a]), right = key(m_sightings[b]);
                return left != right ? left < right : a < b;
            });
        };
        sort_by([](const Sighting& seen) { return seen.sent_ns; });
        number_packets(order);
        for (const Sighting& seen : m_sightings) {
            if (seen.is_injected) continue;
            ++m_world.packets_sent;
            const bool is_gone = (seen.is_from_client ? seen.server_ns : seen.client_ns) == unseen;
            if (is_gone) ++(seen.is_stopped ? m_world.packets_stopped : m_world.packets_lost);
        }
        write_side(order, sort_by, true, m_world.client);
        if (m_plan.is_two_sided) write_side(order, sort_by, false, m_world.server);
    }

    template <typename Sort>
    void write_side(std::vector<std::uint32_t>& order, Sort sort_by, bool is_client, NetworkCapture& capture) {
        sort_by([&](const Sighting& seen) { return is_client ? seen.client_ns : seen.server_ns; });
        std::uint64_t bytes = 0, frames = 0;
        for (const Sighting& seen : m_sightings) {
            if ((is_client ? seen.client_ns : seen.server_ns) == unseen) continue;
            ++frames;
            bytes += std::min<std::uint64_t>(m_plan.snap_bytes, seen.bytes + 86U);
        }
        capture.arena.reserve(bytes);
        capture.frames.reserve(frames);
        std::string frame;
        for (const std::uint32_t i : order) {
            const Sighting& seen = m_sightings[i];
            const std::int64_t true_ns = is_client ? seen.client_ns : seen.server_ns;
            if (true_ns == unseen) continue;
            frame.clear();
            build(seen, is_client, frame);
            NetworkCapture::Frame& entry = capture.frames.emplace_back();
            entry.time_ns = true_ns;
            if (!is_client)
                entry.time_ns += ns(m_plan.clock_offset_seconds) +
                                 static_cast<std::int64_t>(static_cast<double>(true_ns - m_plan.start_ns) * m_plan.clock_drift_ppm * 1e-6);
            entry.offset = capture.arena.size();
            entry.bytes_on_wire = static_cast<std::uint32_t>(frame.size());
            entry.captured_bytes = std::min(entry.bytes_on_wire, m_plan.snap_bytes);
            entry.flow = seen.flow;
            entry.is_injected = seen.is_injected && (is_client || seen.stream_sent == 0);
            capture.arena.append(frame, 0, entry.captured_bytes);
        }
    }

    void build(const Sighting& seen, bool is_client, std::string& frame) {
        const Flow& flow = m_flows[seen.flow];
        const Machine& client = m_machines[flow.client];
        const Machine& server = m_machines[flow.server];
        const WireAddress& client_address = flow.is_v6 ? client.v6 : client.v4;
        const WireAddress& server_address = flow.is_v6 ? server.v6 : server.v4;
        IpFields ip;
        ip.from = seen.is_from_client ? client_address : server_address;
        ip.to = seen.is_from_client ? server_address : client_address;
        // Each capture stands at its own end's router.
        const std::uint64_t near_mac = is_client ? client.mac : server_mac;
        ip.mac_from = seen.is_from_client == is_client ? near_mac : gateway_mac;
        ip.mac_to = seen.is_from_client == is_client ? gateway_mac : near_mac;
        ip.ttl = is_client ? seen.client_ttl : seen.server_ttl;
        ip.id = seen.id;
        ip.dont_fragment = seen.dont_fragment;
        m_payload.clear();
        collect(m_streams[!is_client && seen.stream_sent != 0 ? seen.stream_sent : seen.stream], seen.offset, seen.bytes, m_payload);
        const std::uint16_t from_port = seen.is_from_client ? flow.client_port : flow.server_port;
        const std::uint16_t to_port = seen.is_from_client ? flow.server_port : flow.client_port;
        if (seen.is_udp) return append_udp_frame(frame, ip, from_port, to_port, m_payload);
        TcpFields tcp;
        tcp.from_port = from_port;
        tcp.to_port = to_port;
        tcp.seq = seen.seq;
        tcp.ack = seen.ack;
        tcp.flags = seen.flags;
        tcp.window = seen.window;
        if (seen.has_options_of_syn) {
            tcp.mss = flow.is_v6 ? 1440 : 1460;
            tcp.permits_sack = true;
            tcp.window_shift = 7;
        }
        if (seen.has_timestamps) tcp.timestamps = {seen.timestamp_value, seen.timestamp_echo};
        append_tcp_frame(frame, ip, tcp, m_payload);
    }

    void collect(const Stream& stream, std::int64_t offset, std::int64_t bytes, std::string& out) const {
        for (const auto& piece : stream.pieces) {
            if (bytes <= 0) return;
            if (offset >= piece.bytes) {
                offset -= piece.bytes;
                continue;
            }
            const std::int64_t taken = std::min<std::int64_t>(bytes, piece.bytes - offset);
            out += m_store.view(piece).substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(taken));
            offset = 0;
            bytes -= taken;
        }
    }

    static constexpr std::uint64_t gateway_mac = 0x02005e000001;
    static constexpr std::uint64_t server_mac = 0x02005e0000fe;
    static constexpr std::uint8_t hops_to_box = 5;

    const NetworkPlan& m_plan;
    std::uint64_t m_seed;
    Random m_random;
    PayloadStore m_store;
    NetworkWorld m_world;
    std::vector<Machine> m_machines;
    std::vector<std::uint32_t> m_clients;
    std::vector<std::uint16_t> m_ports;
    std::vector<std::int64_t> m_to_box_ns;
    std::vector<Site> m_background_sites;
    std::vector<Site> m_resolvers;
    std::vector<std::string> m_background_names;
    std::set<std::string> m_used_names;
    std::vector<Stream> m_streams;
    std::vector<Sighting> m_sightings;
    std::vector<Flow> m_flows;
    std::string m_payload;
};

}  // namespace

const std::vector<std::string>& network_mechanisms() {
    static const std::vector<std::string> all = {"dns-injection", "rst",      "syn-ack-forged", "block-page",        "drop-sni",         "freeze",
                                                 "residual",      "quic-sni", "fet",            "throttle-policing", "throttle-shaping", "protocol-whitelist",
                                                 "http-keyword",  "tls-interception"};
    return all;
}

const std::vector<std::string>& network_slow_twins() {
    static const std::vector<std::string> names = {"congestion", "shared-limit", "slow-path", "buffer-bloat", "pausing-server", "pacing-server"};
    return names;
}

const std::vector<std::string>& network_reset_classes() {
    static const std::vector<std::string> all = {"gfw-1", "gfw-2", "gfw-3", "henan", "generic"};
    return all;
}

const std::vector<std::string>& network_dns_classes() {
    static const std::vector<std::string> all = {"gfw-aa", "gfw-df", "gfw-mirror", "fixed", "private"};
    return all;
}

std::vector<std::string> made_up_names(std::size_t count, Random& random) {
    constexpr std::array<std::string_view, 14> onsets = {"b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z"};
    constexpr std::array<std::string_view, 8> rests = {"a", "e", "i", "o", "u", "an", "or", "el"};
    std::vector<std::string> names;
    std::set<std::string> used;
    while (names.size() < count) {
        std::string name = random.chance(0.4) ? "www." : "";
        for (std::uint64_t i = 0; i < 3 + random.below(2); ++i) {
            name += onsets[random.below(onsets.size())];
            name += rests[random.below(rests.size())];
        }
        name += random.chance(0.5) ? ".example" : ".test";
        if (used.insert(name).second) names.push_back(std::move(name));
    }
    return names;
}

NetworkWorld make_network_world(const NetworkPlan& plan, std::uint64_t seed) { return WorldMaker(plan, seed).make(); }

std::string pcap_of(const NetworkCapture& capture, std::uint32_t snap_bytes) {
    std::string out = pcap_file_header(snap_bytes);
    out.reserve(out.size() + capture.arena.size() + 16 * capture.frames.size());
    for (const auto& frame : capture.frames) append_pcap_record(out, frame.time_ns, frame.bytes_on_wire, capture.bytes(frame));
    return out;
}

}  // namespace unveil::lab
