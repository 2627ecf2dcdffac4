// How does a word read to a filter that sees through changes of spelling? So that two spellings of one rule are told to be one.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace unveil::filter {

/// The changes that can be undone.
std::set<std::string> all_spellings();

/// The component without these changes, by the names under which they are probed; unknown names change nothing. A class of characters is left out as a
/// whole, such as all ASCII punctuation where a full stop was tried. A change without which nothing would be left is
/// kept. `component` is valid UTF-8. O(folds * length).
std::string as_read(const std::set<std::string>& folds, std::string_view component);

/// The same for a rule: each component once, sorted unless their order matters.
std::vector<std::string> as_read(const std::set<std::string>& folds, const std::vector<std::string>& components, bool is_ordered);

}  // namespace unveil::filter
