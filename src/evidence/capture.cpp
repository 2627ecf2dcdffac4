#include "evidence/capture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evidence/input_buffer.hpp"
#include "evidence/time_tracker.hpp"

namespace unveil {
namespace {

__extension__ using Wide = __int128;

constexpr std::uint32_t byte_swapped(std::uint32_t value) { return __builtin_bswap32(value); }
constexpr std::uint16_t byte_swapped(std::uint16_t value) { return __builtin_bswap16(value); }

template <typename Number>
Number load(const char* at) {
    Number value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
std::uint32_t load_little(const char* at) {
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<std::uint8_t>(at[i]);
    return value;
}

// Magic numbers of classic pcap, as their first four bytes read in little-endian order.
constexpr std::uint32_t magic_microseconds = 0xA1B2C3D4;
constexpr std::uint32_t magic_nanoseconds = 0xA1B23C4D;
constexpr std::uint32_t magic_kuznetzov = 0xA1B2CD34;   // Linux of the 1990s: 8 more bytes in each record header
constexpr std::uint32_t pcapng_section = 0x0A0D0D0A;
constexpr std::uint32_t pcapng_order = 0x1A2B3C4D;

bool is_pcap_magic(std::uint32_t magic) {
    return magic == magic_microseconds || magic == magic_nanoseconds || magic == magic_kuznetzov;
}

bool is_pcap(std::string_view head) {
    if (head.size() < 4) return false;
    const auto magic = load_little(head.data());
    return is_pcap_magic(magic) || is_pcap_magic(byte_swapped(magic));
}

bool is_pcapng(std::string_view head) {
    if (head.size() < 12 || load_little(head.data()) != pcapng_section) return false;
    const auto order = load_little(head.data() + 8);
    return order == pcapng_order || byte_swapped(order) == pcapng_order;
}

constexpr std::size_t pcap_header_bytes = 24;
constexpr std::uint32_t usual_frame_bytes_max = 262'144;   // what libpcap and Wireshark take for the longest frame of a network
constexpr std::size_t interfaces_max = 65'536;             // of one section
constexpr std::int64_t second_ns = 1'000'000'000;

namespace block {
constexpr std::uint32_t interface_description = 1, packet = 2, simple_packet = 3, name_resolution = 4, interface_statistics = 5,
                        enhanced_packet = 6, journal = 9, secrets = 10, custom = 0xBAD, custom_no_copy = 0x40000BAD;
}

std::string_view block_note(std::uint32_t type) {
    switch (type) {
        case block::name_resolution: return "name resolution blocks, not used";
        case block::interface_statistics: return "interface statistics blocks, not used";
        case block::secrets: return "decryption secrets blocks, not used";
        case block::journal: return "journal blocks, not used";
        case block::custom:
        case block::custom_no_copy: return "custom blocks, not used";
        default: return "blocks of an unknown type, not used";
    }
}

std::int64_t clamped(Wide value) {
    if (value > INT64_MAX) return INT64_MAX;
    if (value < INT64_MIN) return INT64_MIN;
    return static_cast<std::int64_t>(value);
}

std::uint64_t power_of_ten(unsigned exponent) {
    std::uint64_t power = 1;
    for (unsigned i = 0; i < exponent; ++i) power *= 10;
    return power;
}

/// What an interface description of pcapng says about packets.
struct Interface {
    std::uint16_t link_type = 0;
    std::uint8_t fcs_bytes = 0;
    std::uint8_t resolution = 6;          // if_tsresol as it stands in the file
    std::uint32_t snap_bytes = 0;         // 0: no limit
    std::uint64_t multiplier = 1000;      // of the ticks of a time; 0 where there is none that fits
    std::uint64_t ticks_max = INT64_MAX / 1000;
    std::int64_t offset_seconds = 0;

    void set_resolution(std::uint8_t value) {
        resolution = value;
        multiplier = value <= 9 ? power_of_ten(9u - value) : 0;
        ticks_max = multiplier == 0 ? 0 : INT64_MAX / multiplier;
    }
    std::int64_t time_ns(std::uint64_t ticks) const {
        if (multiplier != 0 && ticks <= ticks_max && offset_seconds == 0) return static_cast<std::int64_t>(ticks * multiplier);
        Wide time = 0;
        if ((resolution & 0x80) != 0) time = static_cast<Wide>(ticks) * second_ns >> (resolution & 0x7F);
        else if (resolution <= 9) time = static_cast<Wide>(ticks) * static_cast<Wide>(multiplier);
        else if (resolution - 9 <= 19) time = static_cast<Wide>(ticks / power_of_ten(resolution - 9u));
        return clamped(time + static_cast<Wide>(offset_seconds) * second_ns);
    }
};

class Capture final : public FrameSource {
  public:
    Capture(InputBuffer buffer, const std::string& path, std::uint32_t evidence, const EvidenceLimits& limits)
        : m_buffer(std::move(buffer)), m_evidence(evidence), m_record_bytes_max(limits.record_bytes_max) {
        m_report.path = path;
        m_is_pcapng = is_pcapng({m_buffer.begin(), m_buffer.size()});
        m_report.format = m_is_pcapng ? "pcapng" : "pcap";
        if (!m_is_pcapng) read_pcap_header();
    }

    const SourceReport& report() const override { return m_report; }
    std::uint64_t bytes_done() const override { return m_buffer.stream().disk_bytes(); }

    bool next(std::vector<Frame>& batch) override {
        batch.clear();
        batch.reserve(batch_frames_max);
        while (!m_is_finished) {
            if (m_bytes_to_skip > 0) {
                const auto count = std::min<std::uint64_t>(m_bytes_to_skip, m_buffer.size());
                consume(static_cast<std::size_t>(count));
                m_bytes_to_skip -= count;
            }
            if (m_bytes_to_skip == 0 && !m_is_stopped) {
                if (m_is_pcapng) read_blocks(batch);
                else if (m_is_swapped) read_records<Swapped>(batch);
                else read_records<AsIs>(batch);
            }
            // The window must not move while frames point into it.
            if (!batch.empty()) break;
            if (m_is_stopped) drain();
            else if ((m_bytes_to_skip == 0 || m_buffer.size() == 0) && !m_buffer.fill()) end_of_file();
        }
        m_report.tally.keep(batch.size());
        return !batch.empty();
    }

  private:
    struct AsIs {
        static std::uint32_t u32(const char* at) { return load<std::uint32_t>(at); }
    };
    struct Swapped {
        static std::uint32_t u32(const char* at) { return byte_swapped(load<std::uint32_t>(at)); }
    };

    std::uint32_t u32(const char* at) const { return m_is_swapped ? Swapped::u32(at) : AsIs::u32(at); }
    std::uint16_t u16(const char* at) const {
        const auto value = load<std::uint16_t>(at);
        return m_is_swapped ? byte_swapped(value) : value;
    }
    std::uint64_t u64_of_option(const char* at) const {
        const std::uint64_t first = u32(at);
        const std::uint64_t second = u32(at + 4);
        const bool is_big = m_is_swapped == (load<std::uint16_t>("\x01\x00") == 1);
        return is_big ? first << 32 | second : second << 32 | first;
    }

    std::string where(std::uint64_t offset) const { return fmt::format("{}:byte {}", m_report.path, offset); }
    void skip(std::string_view reason, std::uint64_t offset, std::string_view example) { m_report.tally.skip(reason, where(offset), example); }
    /// Behind what makes no sense no record can be found.
    void stop(std::string_view reason, std::uint64_t offset, std::string_view example) {
        skip(reason, offset, example);
        m_is_stopped = true;
    }

    void consume(std::size_t count) {
        m_buffer.consume(count);
        m_offset += count;
    }

    void read_pcap_header() {
        const char* at = m_buffer.begin();
        if (m_buffer.size() < pcap_header_bytes)
            throw Error(ErrorKind::input, "ends within the header of the capture", "Get the file anew", m_report.path);
        std::uint32_t magic = load<std::uint32_t>(at);
        m_is_swapped = !is_pcap_magic(magic);
        if (m_is_swapped) magic = byte_swapped(magic);
        if (magic == magic_nanoseconds) m_fraction_ns = 1;
        m_header_bytes = magic == magic_kuznetzov ? 24 : 16;
        const unsigned major = u16(at + 4);
        m_minor = u16(at + 6);
        if (major != 2)
            throw Error(ErrorKind::input, fmt::format("is a pcap file of version {}.{}; this program reads 2.x", major, m_minor),
                        "Write it anew with a newer tool: editcap FILE NEW", m_report.path);
        const auto snap_bytes = u32(at + 16);
        m_frame_bytes_max = static_cast<std::uint32_t>(
            std::min<std::size_t>(m_record_bytes_max, std::max(usual_frame_bytes_max, snap_bytes)));
        const auto link = u32(at + 20);
        m_link_type = static_cast<std::uint16_t>(link & 0xFFFF);
        if ((link & 0x04000000) != 0) m_fcs_bytes = static_cast<std::uint8_t>((link >> 28) * 2);
        consume(pcap_header_bytes);
    }

    template <typename Order>
    void read_records(std::vector<Frame>& batch) {
        const char* const begin = m_buffer.begin();
        const char* const end = m_buffer.end();
        const char* at = begin;
        const std::size_t header_bytes = m_header_bytes;
        while (batch.size() < batch_frames_max) {
            const auto left = static_cast<std::size_t>(end - at);
            if (left < header_bytes) break;
            const std::uint32_t seconds = Order::u32(at);
            const std::uint32_t fraction = Order::u32(at + 4);
            std::uint32_t captured = Order::u32(at + 8);
            std::uint32_t original = Order::u32(at + 12);
            // Before version 2.3 the two stood the other way round, and in 2.3 they may do either.
            if (m_minor < 3 || (m_minor == 3 && captured > original)) std::swap(captured, original);
            if (captured > m_frame_bytes_max) {
                ++m_number;
                stop("the length of a packet is absurd; nothing behind it can be found", m_offset + static_cast<std::uint64_t>(at - begin),
                     fmt::format("{} bytes", captured));
                break;
            }
            if (left - header_bytes < captured) break;
            add(batch, static_cast<std::int64_t>(seconds) * second_ns + static_cast<std::int64_t>(fraction) * m_fraction_ns,
                m_link_type, at + header_bytes, captured, original, m_fcs_bytes);
            at += header_bytes + captured;
        }
        consume(static_cast<std::size_t>(at - begin));
    }

    void add(std::vector<Frame>& batch, std::int64_t time_ns, std::uint16_t link_type, const char* bytes, std::uint32_t captured,
             std::uint32_t original, std::uint32_t fcs_bytes) {
        if (original < captured) {
            original = captured;
            ++m_longer_than_said;
        }
        if (fcs_bytes != 0 && original >= fcs_bytes) {
            original -= fcs_bytes;
            captured = std::min(captured, original);
        }
        if (time_ns < m_time_before_ns) ++m_backwards;
        m_time_before_ns = time_ns;
        m_times.add(time_ns >= 0 ? time_ns / 1000 : -((-(time_ns + 1)) / 1000) - 1);
        batch.push_back({time_ns, ++m_number, m_evidence, original, link_type, {reinterpret_cast<const std::uint8_t*>(bytes), captured}});
    }

    /// Whole blocks of the window, up to a full batch.
    void read_blocks(std::vector<Frame>& batch) {
        while (batch.size() < batch_frames_max && !m_is_stopped) {
            if (m_buffer.size() < 12) return;
            const char* const at = m_buffer.begin();
            const bool is_section = load_little(at) == pcapng_section;
            if (is_section && !read_order(at)) return;
            const std::uint32_t type = is_section ? pcapng_section : u32(at);
            const std::uint32_t size = u32(at + 4);
            if (size < 12 || size % 4 != 0) {
                stop("the length of a block makes no sense; nothing behind it can be found", m_offset, fmt::format("block type {:#x}, {} bytes", type, size));
                return;
            }
            if (size > m_record_bytes_max) {
                pass_by(type, size);
                return;
            }
            if (m_buffer.size() < size) return;
            if (u32(at + size - 4) != size) {
                stop("the two lengths of a block differ; nothing behind it can be found", m_offset, fmt::format("block type {:#x}, {} and {} bytes", type, size, u32(at + size - 4)));
                return;
            }
            read_block(batch, type, at + 8, size - 12);
            if (m_is_stopped) return;
            consume(size);
        }
    }

    /// The byte order of the section that begins here.
    bool read_order(const char* at) {
        const auto order = load<std::uint32_t>(at + 8);
        if (order == pcapng_order) m_is_swapped = false;
        else if (byte_swapped(order) == pcapng_order) m_is_swapped = true;
        else stop("a section has no byte order; nothing behind it can be found", m_offset, fmt::format("{:#x}", order));
        return !m_is_stopped;
    }

    /// Too long to be held. Only its length is believed.
    void pass_by(std::uint32_t type, std::uint32_t size) {
        if (type == pcapng_section || type == block::interface_description) {
            stop("a section or interface block is absurdly long; nothing behind it can be found", m_offset, fmt::format("{} bytes", size));
            return;
        }
        if (type == block::enhanced_packet || type == block::simple_packet || type == block::packet) {
            ++m_number;
            skip("a packet block is too long", m_offset, fmt::format("{} bytes", size));
        } else {
            m_report.tally.note(block_note(type));
        }
        m_bytes_to_skip = size;
    }

    void read_block(std::vector<Frame>& batch, std::uint32_t type, const char* body, std::uint32_t size) {
        switch (type) {
            case block::enhanced_packet: {
                if (size < 20) return skip_packet("a packet block is too short", size);
                const std::uint64_t ticks = std::uint64_t{u32(body + 4)} << 32 | u32(body + 8);
                return add_packet(batch, u32(body), ticks, u32(body + 12), u32(body + 16), body + 20, size - 20);
            }
            case block::packet: {
                if (size < 20) return skip_packet("a packet block is too short", size);
                const std::uint64_t ticks = std::uint64_t{u32(body + 4)} << 32 | u32(body + 8);
                return add_packet(batch, u16(body), ticks, u32(body + 12), u32(body + 16), body + 20, size - 20);
            }
            case block::simple_packet: return add_simple_packet(batch, body, size);
            case block::interface_description: return read_interface(body, size);
            case pcapng_section: return read_section(body, size);
            default: m_report.tally.note(block_note(type));
        }
    }

    void skip_packet(std::string_view reason, std::uint64_t example) {
        ++m_number;
        skip(reason, m_offset, fmt::format("packet {}: {}", m_number, example));
    }

    void add_packet(std::vector<Frame>& batch, std::uint32_t interface, std::uint64_t ticks, std::uint32_t captured, std::uint32_t original,
                    const char* bytes, std::uint32_t room) {
        if (interface >= m_interfaces.size()) return skip_packet("a packet is of an interface that was not described", interface);
        if (captured > room) return skip_packet("a packet is longer than its block", captured);
        const Interface& from = m_interfaces[interface];
        add(batch, from.time_ns(ticks), from.link_type, bytes, captured, original, from.fcs_bytes);
    }

    void add_simple_packet(std::vector<Frame>& batch, const char* body, std::uint32_t size) {
        if (size < 4) return skip_packet("a packet block is too short", size);
        if (m_interfaces.empty()) return skip_packet("a packet is of an interface that was not described", 0);
        const Interface& from = m_interfaces.front();
        const auto original = u32(body);
        auto captured = original;
        if (from.snap_bytes > 0) captured = std::min(captured, from.snap_bytes);
        if (captured > size - 4) return skip_packet("a packet is longer than its block", captured);
        ++m_timeless;
        add(batch, m_time_before_ns == INT64_MIN ? 0 : m_time_before_ns, from.link_type, body + 4, captured, original, from.fcs_bytes);
    }

    void read_section(const char* body, std::uint32_t size) {
        if (size < 16) return stop("the header of a section is too short; nothing behind it can be found", m_offset, fmt::format("{} bytes", size));
        const unsigned major = u16(body + 4);
        if (major != 1) {
            const auto message = fmt::format("is a pcapng file of version {}.{}; this program reads 1.x", major, u16(body + 6));
            if (m_offset == 0) throw Error(ErrorKind::input, message, "Write it anew with another tool: editcap FILE NEW", m_report.path);
            return stop("a section is of an unknown version; nothing behind it is read", m_offset, message);
        }
        m_interfaces.clear();
        if (m_offset > 0) m_report.tally.note("further sections");
    }

    void read_interface(const char* body, std::uint32_t size) {
        if (m_interfaces.size() >= interfaces_max) return m_report.tally.note("interfaces beyond the 65,536th of a section, not read");
        Interface described;
        // Packets count interfaces from the first, so even a damaged description takes its place.
        if (size < 8) {
            m_interfaces.push_back(described);
            return skip("an interface description is too short", m_offset, fmt::format("{} bytes", size));
        }
        described.link_type = u16(body);
        described.snap_bytes = u32(body + 4);
        const char* at = body + 8;
        std::uint32_t left = size - 8;
        while (left >= 4) {
            const unsigned code = u16(at);
            const std::uint32_t length = u16(at + 2);
            const std::uint32_t padded = 4 + (length + 3) / 4 * 4;
            if (code == 0) break;
            if (padded > left) {
                skip("an option of an interface is longer than its block", m_offset, fmt::format("option {}, {} bytes", code, length));
                break;
            }
            if (code == 9 && length >= 1) described.set_resolution(static_cast<std::uint8_t>(at[4]));
            if (code == 13 && length >= 1) described.fcs_bytes = static_cast<std::uint8_t>(at[4]);
            if (code == 14 && length >= 8) described.offset_seconds = static_cast<std::int64_t>(u64_of_option(at + 4));
            at += padded;
            left -= padded;
        }
        m_interfaces.push_back(described);
    }

    void end_of_file() {
        if (m_bytes_to_skip > 0 || m_buffer.size() > 0) {
            const std::string_view reason = m_is_pcapng ? "the file ends within a block" : "the file ends within a packet record";
            skip(reason, m_offset, fmt::format("{} bytes are there", m_buffer.size()));
            consume(m_buffer.size());
        }
        finish();
    }

    void drain() {
        std::uint64_t left = m_buffer.size();
        consume(m_buffer.size());
        while (m_buffer.fill()) {
            left += m_buffer.size();
            consume(m_buffer.size());
        }
        m_report.tally.note("bytes behind a break, not read", left);
        finish();
    }

    void finish() {
        m_is_finished = true;
        m_report.tally.note("packets without a time, which got that of the packet before", m_timeless);
        m_report.tally.note("packets earlier than the one before them", m_backwards);
        m_report.tally.note("packets said to be shorter than what was captured of them", m_longer_than_said);
        m_buffer.stream().finish(m_report);
        m_report.time_first_us = m_times.first_us();
        m_report.time_last_us = m_times.last_us();
        m_report.time_resolution = m_times.resolution();
    }

    InputBuffer m_buffer;
    std::uint32_t m_evidence;
    std::size_t m_record_bytes_max;
    SourceReport m_report;
    TimeTracker m_times;
    std::uint64_t m_offset = 0;            // of the window's begin, in the unpacked file
    std::uint64_t m_bytes_to_skip = 0;     // of a block that is passed by
    std::uint64_t m_number = 0;
    std::uint64_t m_backwards = 0;
    std::uint64_t m_longer_than_said = 0;
    std::uint64_t m_timeless = 0;
    std::int64_t m_time_before_ns = INT64_MIN;
    bool m_is_pcapng = false;
    bool m_is_swapped = false;             // the section's byte order is not this machine's
    bool m_is_stopped = false;
    bool m_is_finished = false;
    // Classic pcap.
    std::size_t m_header_bytes = 16;
    std::int64_t m_fraction_ns = 1000;
    std::uint32_t m_frame_bytes_max = usual_frame_bytes_max;
    unsigned m_minor = 4;
    std::uint16_t m_link_type = 0;
    std::uint8_t m_fcs_bytes = 0;
    // pcapng.
    std::vector<Interface> m_interfaces;
};

}  // namespace

bool is_capture(std::string_view head) { return is_pcap(head) || is_pcapng(head); }

bool is_capture_file(const std::string& path) {
    constexpr std::size_t head_bytes = 12;
    try {
        ByteStream stream(open_file_input(path), path, EvidenceLimits{});
        std::array<char, head_bytes> head{};
        std::size_t size = 0;
        while (size < head_bytes) {
            const std::size_t more = stream.read(head.data() + size, head_bytes - size);
            if (more == 0) break;
            size += more;
        }
        return is_capture({head.data(), size});
    } catch (const Error&) {
        return false;
    }
}

std::unique_ptr<FrameSource> open_capture_from(std::unique_ptr<RawInput> input, const std::string& path, std::uint32_t evidence,
                                               const EvidenceLimits& limits) {
    InputBuffer buffer(ByteStream(std::move(input), path, limits), limits);
    while (buffer.size() < pcap_header_bytes && buffer.fill()) {
    }
    const std::string_view head(buffer.begin(), std::min(buffer.size(), pcap_header_bytes));
    if (!is_capture(head))
        throw Error(ErrorKind::input, fmt::format("is no packet capture; it begins with \"{}\"", printable(head, 60)),
                    "pcap and pcapng are read, plain or packed with gzip, zstd or xz; editcap of Wireshark turns other kinds into them", path);
    return std::make_unique<Capture>(std::move(buffer), path, evidence, limits);
}

std::unique_ptr<FrameSource> open_capture(const std::string& path, std::uint32_t evidence) {
    return open_capture_from(open_file_input(path), path, evidence, EvidenceLimits{});
}

}  // namespace unveil
