// What the instrument "interference" makes of the client's capture of a made-up network, through the same reader of packets and the same judgement as the
// command.
#pragma once

#include <string_view>
#include <vector>

#include "instruments/interference/capture_book.hpp"
#include "instruments/interference/capture_watch.hpp"
#include "lab/network_world.hpp"

namespace unveil {

struct Seen {
    NameBook names;
    CaptureBook book;
    Seen() : book(built_in_facts(), names, {}) {}
};

inline void look_at(const lab::NetworkWorld& world, Seen& seen) {
    CaptureWatch watch(built_in_facts(), seen.names,
                       {[&](const FlowRecord& flow) { seen.book.add(flow); }, [&](const RateRecord& rate) { seen.book.add(rate); }});
    std::vector<Frame> batch;
    std::uint64_t number = 0;
    for (const auto& packet : world.client.frames) {
        const std::string_view bytes = world.client.bytes(packet);
        Frame frame;
        frame.time_ns = packet.time_ns;
        frame.number = ++number;
        frame.bytes_original = packet.bytes_on_wire;
        frame.link_type = 1;
        frame.bytes = {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
        batch.push_back(frame);
        if (batch.size() < FrameSource::batch_frames_max) continue;
        watch.add(batch);
        batch.clear();
    }
    watch.add(batch);
    watch.finish();
    seen.book.judge();
}

}  // namespace unveil
