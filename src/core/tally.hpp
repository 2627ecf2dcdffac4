// Counts of what was kept, skipped and noticed while reading, each with located examples. Nothing is lost silently.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

class Tally {
  public:
    static constexpr std::size_t examples_max = 3;      // kept per reason
    static constexpr std::size_t example_bytes_max = 120;

    struct Entry {
        std::uint64_t count = 0;
        std::vector<std::string> examples;  // "posts.csv:17: ..." first seen first, control bytes escaped
    };

    void keep(std::uint64_t count = 1) { m_kept += count; }
    /// A record that cannot be used. `reason` is a fixed phrase ("time not understood"), `where` is "file:line".
    void skip(std::string_view reason, std::string_view where, std::string_view example);
    /// Something worth saying about records that are kept ("time recovered from the id").
    void note(std::string_view what, std::uint64_t count = 1);

    std::uint64_t kept() const { return m_kept; }
    std::uint64_t skipped() const { return m_skipped; }
    double skipped_share() const;
    const std::map<std::string, Entry, std::less<>>& skips() const { return m_skips; }
    const std::map<std::string, std::uint64_t, std::less<>>& notes() const { return m_notes; }
    void merge(const Tally& other);

  private:
    std::uint64_t m_kept = 0;
    std::uint64_t m_skipped = 0;
    std::map<std::string, Entry, std::less<>> m_skips;
    std::map<std::string, std::uint64_t, std::less<>> m_notes;
};

}  // namespace unveil
