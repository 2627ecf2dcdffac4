// Which category of a codebook does a row of a list name? Lists spell the same category in many ways, and some only say "General" beside a number; the
// table in docs/instruments/filter.md says what is one. The categories themselves are those of the user's lists.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace unveil::filter {

struct MergedLabel {
    std::string_view spelling;   // plain: lower case, without years and what stands in brackets
    std::string_view number;     // that must stand beside it, as lists number the codebook; empty: whatever stands there
    std::string_view category;   // empty: about nothing in particular
};

/// In the order in which they are tried.
std::span<const MergedLabel> merged_labels();

/// One name for all spellings of a category, in lower case, without years and brackets, merged by the table. Empty for what is no category, such as
/// "context unclear". Of several categories of one row ("a;b" beside "1;2") the first counts.
std::string category_of_label(std::string_view label, std::string_view number = {});

/// The same for a theme: "Event " and "Events" are one.
std::string theme_of_label(std::string_view label);

}  // namespace unveil::filter
