// Charts as SVG: bars, histograms and lines drawn here, so that a report needs no script and prints as it looks.
// Colours and fonts come from the classes of report.css; every mark has a <title>.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "instruments/finding.hpp"

namespace unveil {

/// Two drawings of the same figure, for a desk and for a phone; the style sheet shows one of them. A figure without rows
/// says "no data". Must not be called for networks and maps.
void append_chart(const Figure& figure, std::string& out);

/// What colours mean, in their order: the class of the mark's fill, and words.
void append_legend(std::span<const std::pair<std::string_view, std::string>> entries, std::string& out);

/// How many rows a chart draws at most; the table beside it has them all.
constexpr std::size_t chart_rows_max = 200;
constexpr std::size_t chart_bars_max = 40;

/// A number line: the measured interval, which may be open above, and where the claim draws the line. `has_other` adds a second interval (the
/// claim compares two metrics).
struct IntervalPicture {
    double value = 0;
    double low = 0;
    double high = 0;
    bool has_other = false;
    double other_value = 0;   // the threshold, or the second metric
    double other_low = 0;
    double other_high = 0;
    std::string measured_label;
    std::string other_label;
};
void append_interval_picture(const IntervalPicture& picture, std::string& out);

}  // namespace unveil
