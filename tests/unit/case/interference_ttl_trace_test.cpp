// Goal: real pairs of traces come out as the tool that took them says, each for reasons that lie in its packets. Method: the captures of CenTrace
// with the codes, addresses and kinds that its own tests expect of nine pairs; each control held against itself; every other pair is printed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "evidence/capture.hpp"
#include "instruments/interference/ttl_trace.hpp"

namespace unveil {
namespace {

std::filesystem::path folder() { return std::filesystem::path(UNVEIL_SHARED_DIR) / "data/interference/centrace"; }

TtlTraceResult read_trace(const std::filesystem::path& path) {
    TtlTrace trace;
    const auto source = open_capture(path.string(), 0);
    std::vector<Frame> batch;
    while (source->next(batch)) trace.add(batch);
    return trace.finish();
}

std::string text(const TraceComparison& comparison) {
    std::ostringstream out;
    out << trace_code_name(comparison.code) << " box=" << (comparison.has_box ? address_text(comparison.box) : "-") << " hop=" << comparison.hop
        << " seen=" << comparison.seen_hop << (comparison.is_dropping ? " dropping" : "") << (comparison.is_on_path ? " on_path" : "")
        << (comparison.is_ttl_mirrored ? " mirrored" : "") << " censored frames";
    for (const auto frame : comparison.censored_frames) out << ' ' << frame;
    out << " | control frames";
    for (const auto frame : comparison.control_frames) out << ' ' << frame;
    return out.str();
}

TEST(InterferenceTtlTrace, CenTracePairsComeOutAsExpected) {
    std::ifstream expected(folder() / "expected.tsv");
    if (!expected) GTEST_SKIP() << "no " << folder();
    std::string line;
    unsigned pairs = 0;
    while (std::getline(expected, line)) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream cells(line);
        std::string censored, control, code, address, on_path;
        cells >> censored >> control >> code >> address >> on_path;
        SCOPED_TRACE(censored);
        const auto control_trace = read_trace(folder() / "testdata" / control);
        const auto comparison = compare_traces(read_trace(folder() / "testdata" / censored), control_trace);
        std::cout << censored << ": " << text(comparison) << "\n";
        EXPECT_EQ(trace_code_name(comparison.code), code);
        // A dash says that nothing is expected, not that there is no address.
        if (address != "-") {
            EXPECT_TRUE(comparison.has_box);
            EXPECT_EQ(address_text(comparison.box), address);
        }
        if (on_path == "true") {
            EXPECT_TRUE(comparison.is_on_path);
        }
        EXPECT_FALSE(comparison.censored_frames.empty());
        EXPECT_FALSE(comparison.control_frames.empty());
        EXPECT_EQ(compare_traces(control_trace, control_trace).code, TraceCode::no_observed_censorship);
        ++pairs;
    }
    EXPECT_EQ(pairs, 9u);
}

TEST(InterferenceTtlTrace, CenTraceExampleMirrorsTtls) {
    const auto pcaps = folder() / "examples/pcaps";
    if (!std::filesystem::is_directory(pcaps)) GTEST_SKIP() << "no " << pcaps;
    std::map<std::string, std::map<bool, std::filesystem::path>> pairs;   // by server and repetition; the second is the control
    for (const auto& entry : std::filesystem::directory_iterator(pcaps)) {
        const auto name = entry.path().stem().string();
        pairs[name.substr(0, name.find('_')) + name.substr(name.rfind('_'))][name.find("example.com") != std::string::npos] = entry.path();
    }
    unsigned past = 0;
    for (auto& [name, pair] : pairs) {
        if (pair.size() != 2) continue;
        const auto control = read_trace(pair[true]);
        const auto comparison = compare_traces(read_trace(pair[false]), control);
        std::cout << name << ": " << text(comparison) << " control hop " << control.answer_hop << "\n";
        if (comparison.code != TraceCode::terminating_ttl_past_control) continue;
        ++past;
        EXPECT_TRUE(comparison.is_ttl_mirrored);
        EXPECT_GT(comparison.seen_hop, control.answer_hop);
        EXPECT_LE(comparison.hop, control.answer_hop);
    }
    EXPECT_GT(past, 0u);
}

TEST(InterferenceTtlTrace, CenTraceRemainingPairsAreNotOverstated) {
    const auto captures = folder() / "testdata";
    if (!std::filesystem::is_directory(captures)) GTEST_SKIP() << "no " << captures;
    std::map<std::string, std::map<bool, std::filesystem::path>> pairs;
    for (const auto& entry : std::filesystem::directory_iterator(captures)) {
        const auto name = entry.path().stem().string();
        pairs[name.substr(0, name.find('_'))][name.find("example.com") != std::string::npos] = entry.path();
    }
    for (auto& [name, pair] : pairs) {
        if (pair.size() != 2) continue;
        const auto censored = read_trace(pair[false]);
        const auto control = read_trace(pair[true]);
        const auto comparison = compare_traces(censored, control);
        std::cout << name << ": " << text(comparison) << " | " << censored.hop_count << " and " << control.hop_count << " hops, answered at "
                  << censored.answer_hop << " and " << control.answer_hop << "\n";
        if (control.answer_hop < 0 || (censored.answer_hop < 0 && static_cast<int>(censored.hop_max) < control.answer_hop)) {
            EXPECT_EQ(comparison.code, TraceCode::not_comparable);
        }
    }
}

}  // namespace
}  // namespace unveil
