// Goal: captures of ordinary traffic accuse nobody, and a known box is known in a real capture. Method: the 436 files of nDPI's tests, each by itself,
// and a capture of CenTrace. Skips where the collections are not there.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "evidence/blocking_fingerprints.hpp"
#include "evidence/capture.hpp"
#include "instruments/interference/capture_book.hpp"
#include "instruments/interference/capture_watch.hpp"
#include "net/packet.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

const std::string data_folder = std::string(UNVEIL_SHARED_DIR) + "/data/";

struct Looked {
    NameBook names;
    CaptureBook book;
    CaptureCounts counts;
    Looked() : book(built_in_facts(), names, {}) {}
};

void look_at(const std::vector<std::string>& paths, Looked& looked, const interference::FingerprintSet* fingerprints = nullptr) {
    CaptureWatch watch(built_in_facts(), looked.names,
                       {[&](const FlowRecord& flow) { looked.book.add(flow); }, [&](const RateRecord& rate) { looked.book.add(rate); }}, fingerprints);
    for (std::uint32_t p = 0; p < paths.size(); ++p) {
        const auto source = open_capture(paths[p], p);
        std::vector<Frame> batch;
        while (source->next(batch)) watch.add(batch);
        watch.finish();
    }
    looked.counts = watch.counts();
    looked.book.judge();
}

TEST(InterferenceCaptures, OrdinaryTrafficAccusesNobody) {
    const std::string folder = data_folder + "captures/ndpi/pcap";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "needs " << folder;
    std::uint64_t files = 0;
    std::uint64_t files_firm = 0;
    std::uint64_t flows = 0;
    std::uint64_t firm = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (!is_capture_file(entry.path().string())) continue;
        Looked looked;
        look_at({entry.path().string()}, looked);
        ++files;
        flows += looked.counts.flows;
        std::uint64_t own = 0;
        for (const auto& verdict : looked.book.verdicts()) {
            own += verdict.is_firm;
            if (verdict.is_firm) ADD_FAILURE() << entry.path().filename() << ": " << mechanism_name(verdict.mechanism) << " " << verdict.trigger;
        }
        firm += own;
        files_firm += own > 0;
    }
    const auto by_file = clopper_pearson_interval(files_firm, files);
    const auto by_flow = clopper_pearson_interval(firm, flows);
    fmt::print("{} of {} files (at most {:.4f}), {} of {} flows (at most {:.6f})\n", files_firm, files, by_file.high, firm, flows, by_flow.high);
    EXPECT_GT(files, 400u);
    EXPECT_EQ(firm, 0u);
}

/// OONI's lists; empty where they are absent.
interference::FingerprintSet published_fingerprints() {
    std::vector<interference::Fingerprint> all;
    for (const auto* name : {"fingerprints_dns.csv", "fingerprints_http.csv"}) {
        const std::string path = data_folder + "interference/ooni-blocking-fingerprints/" + name;
        if (!std::filesystem::exists(path)) continue;
        const auto source = open_blocking_fingerprints(path);
        std::vector<BlockingFingerprint> batch;
        while (source->next(batch)) all.insert(all.end(), batch.begin(), batch.end());
    }
    return interference::FingerprintSet(std::move(all));
}

TEST(InterferenceCaptures, OrdinaryTrafficHoldsNoKnownBlockPageAndABlockedSiteDoes) {
    const std::string folder = data_folder + "captures/ndpi/pcap";
    const auto fingerprints = published_fingerprints();
    if (!std::filesystem::exists(folder) || fingerprints.empty()) GTEST_SKIP() << "needs " << folder << " and OONI's lists";
    std::uint64_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (!is_capture_file(entry.path().string())) continue;
        ++files;
        Looked looked;
        look_at({entry.path().string()}, looked, &fingerprints);
        for (const auto& judged : looked.book.flows())
            if (judged.flow.fingerprint != 0) ADD_FAILURE() << entry.path().filename() << ": " << fingerprints.at(judged.flow.fingerprint - 1).name;
        EXPECT_EQ(looked.counts.pages_not_compared, 0u);
    }
    EXPECT_GT(files, 400u);
    const std::string product = data_folder + "interference/centrace/testdata/91.199.201.114_www.bitcomet.com_www.bitcomet.com.pcap";
    if (!std::filesystem::exists(product)) GTEST_SKIP() << "needs " << product;
    Looked looked;
    look_at({product}, looked, &fingerprints);
    std::set<std::string> found;
    for (const auto& judged : looked.book.flows())
        if (judged.flow.fingerprint != 0) {
            found.insert(fingerprints.at(judged.flow.fingerprint - 1).name);
            EXPECT_EQ(judged.mechanism, Mechanism::block_page);
            EXPECT_FALSE(judged.is_firm) << "a product's page by itself is not enough";
        }
    EXPECT_EQ(found, std::set<std::string>{"cl.prod_fortiguard_webfilter_blockurl"});
}

const std::string archive_capture = data_folder + "interference/centrace/testdata/222.138.4.221_archive.org_archive.org.pcap";

TEST(InterferenceCaptures, TheSecondClassOfResetsInARealCapture) {
    if (!std::filesystem::exists(archive_capture)) GTEST_SKIP() << "needs " << archive_capture;
    Looked looked;
    look_at({archive_capture}, looked);
    std::uint64_t flows = 0;
    std::set<std::uint64_t> frames;
    for (const auto& judged : looked.book.flows())
        if (judged.is_firm && judged.mechanism == Mechanism::reset_injection && judged.flow.box_class != 0) {
            EXPECT_EQ(built_in_facts().reset_classes[judged.flow.box_class - 1u].name, "gfw-2");
            ++flows;
        }
    EXPECT_EQ(flows, 6u);
    const auto told = std::find_if(looked.book.verdicts().begin(), looked.book.verdicts().end(), [](const auto& verdict) { return verdict.mechanism == Mechanism::reset_injection; });
    ASSERT_NE(told, looked.book.verdicts().end());
    EXPECT_EQ(told->box_class, "gfw-2");
    EXPECT_EQ(told->figure, 1375);
    // All 18 packets of the six have one window less TTL.
    std::set<int> constants;
    std::uint64_t packets = 0;
    const auto source = open_capture(archive_capture, 0);
    std::vector<Frame> batch;
    while (source->next(batch))
        for (const Frame& frame : batch) {
            Packet packet;
            if (decode_packet(frame, packet) != Decoded::packet || !packet.is_tcp() || !packet.has_flag(tcp_flag::rst) || !packet.has_df || packet.ip_id == 0 || packet.window == 0) continue;
            ++packets;
            constants.insert(int{packet.window} - int{packet.ttl});
        }
    EXPECT_EQ(packets, 18u);
    EXPECT_EQ(constants, std::set<int>{1375});
}

TEST(InterferenceCaptures, TheOrderOfCapturesDoesNotMatter) {
    const std::string other = data_folder + "captures/ndpi/pcap/443-curl.pcap";
    if (!std::filesystem::exists(archive_capture) || !std::filesystem::exists(other)) GTEST_SKIP() << "needs " << other;
    const auto told = [](const std::vector<std::string>& paths) {
        Looked looked;
        look_at(paths, looked);
        std::vector<std::string> lines;
        for (const auto& verdict : looked.book.verdicts())
            lines.push_back(fmt::format("{} {} {} {} {} {}", mechanism_name(verdict.mechanism), verdict.trigger, verdict.flows, verdict.exposed, verdict.q_value, verdict.is_firm));
        return lines;
    };
    EXPECT_EQ(told({archive_capture, other}), told({other, archive_capture}));
}

}  // namespace
}  // namespace unveil
