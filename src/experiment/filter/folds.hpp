// In which other spellings can the same words be written, so that it shows how a filter reads text? Each fold is a change that a
// filter may undo before it compares; a variant carries one fold on every component of a rule.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

struct Fold {
    std::string_view name;      // "case", "space"
    std::string_view help;      // what is changed, with an example
};

/// All folds, in the order in which they are tried.
std::span<const Fold> folds();

/// The component in the other spelling; nothing where the fold does not apply to it (no letter that has a case, one character that
/// nothing can be put between ...). UTF-8 in, UTF-8 out. O(length).
std::optional<std::string> folded(std::string_view fold, std::string_view component);

/// All components that can be changed are, joined by `separator`; nothing when none can, or when the message still holds every
/// component as it was.
std::optional<std::string> variant_of(std::string_view fold, std::span<const std::string> components, std::string_view separator);

}  // namespace unveil
