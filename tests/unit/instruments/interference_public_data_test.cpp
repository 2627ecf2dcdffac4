// Goal: what the instrument knows of boxes agrees with what others measured. Method: published lists of reset packets, of payloads that were blocked or
// not, and of ports at which QUIC was blocked. Skips where the collections are not there.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "instruments/interference/capture_book.hpp"
#include "instruments/interference/first_payload.hpp"
#include "instruments/interference/reset_class.hpp"

namespace unveil {
namespace {

const std::string data_folder = std::string(UNVEIL_SHARED_DIR) + "/data/interference/";

std::vector<std::vector<std::string>> rows_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::vector<std::string>> rows;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        std::vector<std::string> cells;
        std::stringstream cut(line);
        for (std::string cell; std::getline(cut, cell, ',');) cells.push_back(cell);
        rows.push_back(std::move(cells));
    }
    return rows;
}

std::string bytes_of_hex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    return bytes;
}

// Wu et al. 2025: 58,564 resets of two boxes; columns sni, delta, payload, ttl, ip_flags.
TEST(PublicData, ResetsOfTwoBoxesAreToldApart) {
    const std::string folder = data_folder + "gfw-henan-2025/fingerprint/";
    if (rows_of(folder + "gfw.csv").empty()) GTEST_SKIP() << "needs " << folder;
    std::uint64_t all = 0;
    std::uint64_t right = 0;
    std::uint64_t unknown = 0;
    for (const std::string box : {"gfw", "henan"}) {
        std::map<std::string, std::uint64_t> found;
        const auto rows = rows_of(folder + box + ".csv");
        for (std::size_t i = 1; i < rows.size(); ++i) {
            const auto& cells = rows[i];
            if (cells.size() < 4 || cells[3].empty()) continue;
            const bool has_df = cells.size() > 4 && cells[4] == "DF";
            const std::string name(reset_class_by_shape(bytes_of_hex(cells[2]), static_cast<std::uint8_t>(std::stoi(cells[3])), has_df, built_in_facts()));
            ++found[name.empty() ? "unknown" : name];
            ++all;
            right += box == "henan" ? name == "henan" : name.starts_with("gfw-");
            unknown += name.empty();
        }
        for (const auto& [name, count] : found) fmt::print("{:6} as {:8} {}\n", box, name, count);
    }
    fmt::print("{} of {} right, {} unknown, {} wrong\n", right, all, unknown, all - right - unknown);
    EXPECT_GT(all, 58'000u);
    EXPECT_GE(static_cast<double>(right), 0.99 * static_cast<double>(all));
}

// Wu et al. 2023: payloads and whether they were blocked; the authors compare with their detect.py the same way.
TEST(PublicData, PayloadsAreEligibleThatWereBlocked) {
    const std::string folder = data_folder + "gfw-fet-2023/artifacts/";
    std::uint64_t all = 0;
    std::uint64_t agreed = 0;
    for (const char* name : {"test-entropy/test-entropy.out", "test-entropy/test-pops.out", "test-printable-fraction/fraction.out", "test-printable-longest-run/test-printable.out"}) {
        std::uint64_t own = 0;
        std::uint64_t own_agreed = 0;
        for (const auto& cells : rows_of(folder + name)) {
            if (cells.size() < 8 || cells[0] == "endTime" || (cells[7] != "true" && cells[7] != "false")) continue;
            const std::string bytes = bytes_of_hex(cells[2]);
            const auto exemption = fully_encrypted_exemption({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
            ++own;
            own_agreed += (exemption == Exemption::none) == (cells[7] == "true");
        }
        if (own > 0) fmt::print("{:50} {} of {} agree\n", name, own_agreed, own);
        all += own;
        agreed += own_agreed;
    }
    if (all == 0) GTEST_SKIP() << "needs " << folder;
    EXPECT_EQ(agreed, all);
}

TEST(PublicData, BordersOfTheRuleOnFullyEncryptedTraffic) {
    const auto exemption = [](std::string_view bytes) { return fully_encrypted_exemption({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}); };
    std::string base;
    for (int i = 0; i < 100; ++i) base.push_back(static_cast<char>(i % 2 == 0 ? 0x8F : 0x99));   // five and four bits: 4.5 a byte, none printable
    EXPECT_EQ(exemption(base), Exemption::none);
    EXPECT_EQ(exemption(std::string(100, '\xFF')), Exemption::bit_density);
    EXPECT_EQ(exemption(std::string(100, '\0')), Exemption::bit_density);
    EXPECT_EQ(exemption("abcdef" + base), Exemption::printable_prefix);
    EXPECT_EQ(exemption("abcde" + base), Exemption::none);
    EXPECT_EQ(exemption(base + std::string(20, 'k')), Exemption::none);
    EXPECT_EQ(exemption(base + std::string(21, 'k')), Exemption::printable_run);
    std::string half;
    for (int i = 0; i < 51; ++i) half += std::string("\x99") + "k" + (i == 0 ? "k" : "");
    EXPECT_EQ(exemption(half), Exemption::printable_share);
    EXPECT_EQ(exemption("\x16\x03\x0F" + base), Exemption::known_protocol);
    EXPECT_EQ(exemption("\x16\x03\x10" + base), Exemption::none);
    EXPECT_EQ(exemption("\x15\x03\x03" + base), Exemption::none);
    EXPECT_EQ(exemption("GET \x99\x99" + base), Exemption::known_protocol);
    EXPECT_EQ(exemption(""), Exemption::bit_density);
}

// Zohaib et al. 2025: 24,914 trials by source and destination port.
TEST(PublicData, QuicIsBlockedOnlyWithTheHigherSourcePort) {
    const std::string path = data_folder + "gfw-quic-2025/experiments/rule-srcport-greater-than-dst-port/heatmap-ports-401-450-step-1-date-2024-10-17.csv";
    PortComparison comparison;
    for (const auto& cells : rows_of(path)) {
        if (cells.size() < 7) continue;
        const int from = std::stoi(cells[3]);
        const int to = std::stoi(cells[4]);
        const bool is_blocked = cells[6] == "true";
        auto& flows = from > to ? comparison.above : from == to ? comparison.equal : comparison.below;
        auto& blocked = from > to ? comparison.above_blocked : from == to ? comparison.equal_blocked : comparison.below_blocked;
        ++flows;
        blocked += is_blocked;
    }
    if (comparison.above == 0) GTEST_SKIP() << "needs " << path;
    fmt::print("above {}/{}, equal {}/{}, below {}/{}\n", comparison.above_blocked, comparison.above, comparison.equal_blocked, comparison.equal, comparison.below_blocked, comparison.below);
    EXPECT_EQ(comparison.above + comparison.equal + comparison.below, 24'914u);
    EXPECT_EQ(port_rule(comparison), PortRule::source_above);
    // Without trials at equal ports the two rules are not told apart.
    comparison.equal = comparison.equal_blocked = 0;
    EXPECT_EQ(port_rule(comparison), PortRule::source_above_equal_untried);
}

}  // namespace
}  // namespace unveil
