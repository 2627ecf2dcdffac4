// How does a word read to a filter that sees through changes of spelling? So that two spellings of one rule are told to be one.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unveil::filter {

/// The changes that can be undone, or looked for.
std::set<std::string> all_spellings();

/// The component without these changes, by the names under which they are probed; unknown names change nothing, nor do those that spell a component by its sound and those that put characters of any
/// kind between. A class of characters is left out as a whole, such as all ASCII punctuation where a full stop was tried. A change without which nothing would be left is
/// kept. `component` is valid UTF-8. O(folds * length).
std::string as_read(const std::set<std::string>& folds, std::string_view component);

/// The same for a rule: each component once, sorted unless their order matters.
std::vector<std::string> as_read(const std::set<std::string>& folds, const std::vector<std::string>& components, bool is_ordered);

/// The changes that spell a component by how it sounds, in this order: "pinyin", "pinyin-tones", "pinyin-spaced", "initials".
std::span<const std::string_view> sound_spellings();

/// The component so spelled: "中国人" -> "zhongguoren", "zhōngguórén", "zhong guo ren", "zgr". Nothing without Chinese characters, with some whose sound is not known here, or, for initials, with fewer
/// than three.
std::optional<std::string> spelled_by_sound(std::string_view fold, std::string_view component);

/// The rule with all changes undone, sounds included: rules for which it differs are taken to be independent of each other, however the filter reads. Not undone in it are initials, characters of any
/// kind between others, and words from last to first, which few lists hold beside each other.
std::vector<std::string> broadest_reading(const std::vector<std::string>& components);

}  // namespace unveil::filter
