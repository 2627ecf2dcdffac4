#include "core/tally.hpp"

#include "core/text.hpp"

namespace unveil {

void Tally::skip(std::string_view reason, std::string_view where, std::string_view example) {
    ++m_skipped;
    auto found = m_skips.find(reason);
    if (found == m_skips.end()) found = m_skips.emplace(std::string(reason), Entry{}).first;
    Entry& entry = found->second;
    ++entry.count;
    if (entry.examples.size() >= examples_max) return;
    entry.examples.push_back(std::string(where) + ": " + printable(example, example_bytes_max));
}

void Tally::note(std::string_view what, std::uint64_t count) {
    if (count == 0) return;
    auto found = m_notes.find(what);
    if (found == m_notes.end()) found = m_notes.emplace(std::string(what), 0).first;
    found->second += count;
}

double Tally::skipped_share() const {
    const auto total = m_kept + m_skipped;
    return total == 0 ? 0.0 : static_cast<double>(m_skipped) / static_cast<double>(total);
}

void Tally::merge(const Tally& other) {
    m_kept += other.m_kept;
    m_skipped += other.m_skipped;
    for (const auto& [reason, entry] : other.m_skips) {
        Entry& mine = m_skips[reason];
        mine.count += entry.count;
        for (const auto& example : entry.examples)
            if (mine.examples.size() < examples_max) mine.examples.push_back(example);
    }
    for (const auto& [what, count] : other.m_notes) m_notes[what] += count;
}

}  // namespace unveil
