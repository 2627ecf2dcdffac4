// Which packets belong together? Flows by addresses, ports and protocol, both directions in one entry, with state of the caller's kind. Memory
// follows live flows: what was idle for long, and the longest idle when there are too many, is handed back to the caller and forgotten.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "net/packet.hpp"

namespace unveil {

/// Ends in canonical order: `low` is the smaller (address, port).
struct FlowKey {
    IpAddress low;
    IpAddress high;
    std::uint16_t low_port = 0;
    std::uint16_t high_port = 0;
    std::uint8_t protocol = 0;
    bool operator==(const FlowKey&) const = default;
};
/// `is_from_low` says whether the packet went from low to high.
FlowKey flow_key(const Packet& packet, bool& is_from_low);
std::uint64_t flow_hash(const FlowKey& key);

/// Open addressing over hashes, entries in a dense array. find() is O(1) on average; expiry O(1) amortised through a list by last packet.
template <typename State>
class FlowTable {
  public:
    /// Must not call the table. The state is forgotten afterwards and may be moved from.
    using Expired = std::function<void(const FlowKey&, State&)>;
    /// At least one flow is kept, at most 2^31.
    FlowTable(std::size_t flows_max, std::int64_t idle_ns_max, Expired expired)
        : m_flows_max(std::clamp<std::size_t>(flows_max, 1, std::size_t{1} << 31)),
          m_idle_ns_max(static_cast<std::uint64_t>(std::max<std::int64_t>(idle_ns_max, 0))),
          m_expired(std::move(expired)),
          m_slots(slots_min) {}

    /// The packet's flow, made anew when there is none or when it was idle for more than idle_ns_max by the packet's time; others that were are
    /// handed back. Times that run backwards make nothing idle. The reference lives until the next call.
    State& find(const Packet& packet, bool& is_from_low, bool& is_new) {
        const FlowKey key = flow_key(packet, is_from_low);
        expire(packet.time_ns);
        const auto tag = static_cast<std::uint32_t>(flow_hash(key) >> 32);
        std::size_t slot = slot_of(tag, key);
        if (m_slots[slot].entry != none) {
            const std::uint32_t found = m_slots[slot].entry;
            Entry& entry = m_entries[found];
            if (!is_idle(entry, packet.time_ns)) {
                entry.last_ns = packet.time_ns;
                touch(found);
                is_new = false;
                return entry.state;
            }
            // Stands behind a flow whose last packet seemed to be of a later time.
            forget(found);
            slot = slot_of(tag, key);
        } else if (m_size >= m_flows_max) {
            ++m_evicted;
            forget(m_links[none].next);
            slot = slot_of(tag, key);
        }
        is_new = true;
        if ((m_size + 1) * 2 > m_slots.size()) {
            grow();
            slot = slot_of(tag, key);
        }
        const std::uint32_t added = add(key, tag, packet.time_ns);
        m_slots[slot] = {tag, added};
        return m_entries[added].state;
    }
    /// Hands every flow back, the longest idle first.
    void finish() {
        while (m_size > 0) forget(m_links[none].next);
    }
    std::size_t size() const { return m_size; }
    std::uint64_t evicted() const { return m_evicted; }      // given up because there were too many

  private:
    static constexpr std::uint32_t none = 0;   // entry 0 is no flow but both ends of the list
    static constexpr std::size_t slots_min = 1024;

    struct Slot {
        std::uint32_t tag = 0;      // of the hash
        std::uint32_t entry = none;
    };
    struct Entry {
        FlowKey key;
        std::uint32_t tag = 0;
        std::int64_t last_ns = 0;
        State state{};
    };
    /// Apart from the entries, so that moving a flow to the end of the list touches few cache lines.
    struct Link {
        std::uint32_t before = none;
        std::uint32_t next = none;
    };

    bool is_idle(const Entry& entry, std::int64_t now_ns) const {
        return now_ns > entry.last_ns && static_cast<std::uint64_t>(now_ns) - static_cast<std::uint64_t>(entry.last_ns) > m_idle_ns_max;
    }

    /// Where the key stands, or the free slot where it would.
    std::size_t slot_of(std::uint32_t tag, const FlowKey& key) const {
        const std::size_t mask = m_slots.size() - 1;
        for (std::size_t slot = tag & mask;; slot = (slot + 1) & mask) {
            const Slot& here = m_slots[slot];
            if (here.entry == none || (here.tag == tag && m_entries[here.entry].key == key)) return slot;
        }
    }

    void unlink(std::uint32_t entry) {
        const Link link = m_links[entry];
        m_links[link.before].next = link.next;
        m_links[link.next].before = link.before;
    }
    void link_last(std::uint32_t entry) {
        const std::uint32_t last = m_links[none].before;
        m_links[entry] = {last, none};
        m_links[last].next = entry;
        m_links[none].before = entry;
    }
    void touch(std::uint32_t entry) {
        if (m_links[none].before == entry) return;
        unlink(entry);
        link_last(entry);
    }

    void expire(std::int64_t now_ns) {
        for (std::uint32_t first = m_links[none].next; first != none; first = m_links[none].next) {
            Entry& entry = m_entries[first];
            // One time far ahead must not keep all flows behind it alive: from now on it counts as of now.
            if (entry.last_ns > now_ns) entry.last_ns = now_ns;
            if (!is_idle(entry, now_ns)) return;
            forget(first);
        }
    }

    void forget(std::uint32_t index) {
        Entry& entry = m_entries[index];
        m_expired(entry.key, entry.state);
        const std::size_t mask = m_slots.size() - 1;
        std::size_t hole = entry.tag & mask;
        while (m_slots[hole].entry != index) hole = (hole + 1) & mask;
        // What probing would no longer reach moves up (Knuth, volume 3, 6.4, algorithm R).
        for (std::size_t slot = (hole + 1) & mask; m_slots[slot].entry != none; slot = (slot + 1) & mask) {
            const std::size_t home = m_slots[slot].tag & mask;
            if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
            m_slots[hole] = m_slots[slot];
            hole = slot;
        }
        m_slots[hole] = {};
        unlink(index);
        entry.state = State{};
        m_free.push_back(index);
        --m_size;
    }

    std::uint32_t add(const FlowKey& key, std::uint32_t tag, std::int64_t time_ns) {
        std::uint32_t index = 0;
        if (m_free.empty()) {
            index = static_cast<std::uint32_t>(m_entries.size());
            m_entries.emplace_back();
            m_links.emplace_back();
        } else {
            index = m_free.back();
            m_free.pop_back();
        }
        Entry& entry = m_entries[index];
        entry.key = key;
        entry.tag = tag;
        entry.last_ns = time_ns;
        link_last(index);
        ++m_size;
        return index;
    }

    void grow() {
        std::vector<Slot> slots(m_slots.size() * 2);
        const std::size_t mask = slots.size() - 1;
        for (const Slot& old : m_slots) {
            if (old.entry == none) continue;
            std::size_t slot = old.tag & mask;
            while (slots[slot].entry != none) slot = (slot + 1) & mask;
            slots[slot] = old;
        }
        m_slots = std::move(slots);
    }

    std::size_t m_flows_max;
    std::uint64_t m_idle_ns_max;
    Expired m_expired;
    std::vector<Slot> m_slots;            // a power of two, at most half of them taken
    std::vector<Entry> m_entries = std::vector<Entry>(1);
    std::vector<Link> m_links = std::vector<Link>(1);
    std::vector<std::uint32_t> m_free;    // entries that hold no flow
    std::size_t m_size = 0;
    std::uint64_t m_evicted = 0;
};

}  // namespace unveil
