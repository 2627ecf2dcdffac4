#include "report/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "report/markup.hpp"

namespace unveil {
namespace {

constexpr double column_width = 7.8;  // of one text column at the charts' font size, in a wide font

struct Canvas {
    std::string& out;
    double width;

    template <typename... Parts>
    void put(fmt::format_string<Parts...> format, Parts&&... parts) {
        fmt::format_to(std::back_inserter(out), format, std::forward<Parts>(parts)...);
    }
    void text(double x, double y, std::string_view css_class, std::string_view anchor, std::string_view words) {
        put(R"(<text x="{:.1f}" y="{:.1f}" class="{}" text-anchor="{}">)", x, y, css_class, anchor);
        append_text(words, out);
        out += "</text>";
    }
    void title(std::string_view words) {
        out += "<title>";
        append_text(words, out);
        out += "</title>";
    }
    void open(double height, std::string_view size_class, std::string_view label) {
        put(R"(<svg class="chart {}" viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}" height="{:.0f}" role="img" aria-label=")",
            size_class, width, height, width, height);
        append_text(label, out);
        out += "\">";
        title(label);
    }
    void close() { out += "</svg>"; }
};

struct Scale {
    double from;
    double to;
    double step;
    double place(double value, double begin, double end) const {
        return begin + (value - from) / (to - from) * (end - begin);
    }
};

/// Round numbers around [low, high] with about `ticks` steps; always holds 0.
Scale scale_around(double low, double high, int ticks) {
    low = std::min(0.0, low);
    high = std::max(0.0, high);
    if (high - low <= 0) high = 1;
    const double raw = (high - low) / ticks;
    const double power = std::pow(10, std::floor(std::log10(raw)));
    double step = 10 * power;
    for (const double nice : {1.0, 2.0, 2.5, 5.0}) {
        if (nice * power >= raw * 0.999) {
            step = nice * power;
            break;
        }
    }
    return {std::floor(low / step) * step, std::ceil(high / step - 1e-9) * step, step};
}

std::string tick_text(double value, double step) {
    if (step >= 1e6 && std::fabs(value) >= 1e6) return number_text(value / 1e6) + " M";
    return number_text(std::fabs(value) < step / 1e6 ? 0 : value);
}

std::string row_text(const FigureRow& row) {
    std::string text = visible_text(row.label, 200) + ": " + number_text(row.value);
    if (row.low != row.high) text += fmt::format(" ({} to {})", number_text(row.low), number_text(row.high));
    return text;
}

std::string figure_label(const Figure& figure) {
    std::string text = figure.title;
    if (!figure.caption.empty()) text += (text.empty() ? "" : ". ") + figure.caption;
    return text.empty() ? "Chart" : text;
}

void draw_no_data(Canvas canvas, std::string_view size_class, const Figure& figure) {
    canvas.open(90, size_class, figure_label(figure) + " No data.");
    canvas.put(R"(<rect x="0.5" y="0.5" width="{:.1f}" height="89" class="no-data"/>)", canvas.width - 1);
    canvas.text(canvas.width / 2, 50, "axis-text", "middle", "no data");
    canvas.close();
}

void draw_bars(Canvas canvas, std::string_view size_class, const Figure& figure) {
    const std::size_t count = std::min(figure.rows.size(), chart_bars_max);
    double low = 0;
    double high = 0;
    std::size_t label_columns = 0;
    std::size_t value_columns = 0;
    const auto label_columns_max = static_cast<std::size_t>(canvas.width * 0.36 / column_width);
    for (std::size_t i = 0; i < count; ++i) {
        const auto& row = figure.rows[i];
        low = std::min({low, row.value, row.low});
        high = std::max({high, row.value, row.high});
        label_columns = std::max(label_columns, text_columns(shortened(visible_text(row.label), label_columns_max)));
        value_columns = std::max(value_columns, text_columns(number_text(row.value)));
    }
    constexpr double row_height = 26;
    constexpr double bar_height = 15;
    const double left = static_cast<double>(label_columns) * column_width + 12;
    const double right = canvas.width - static_cast<double>(value_columns) * column_width - 14;
    const bool has_axis_title = !figure.x_label.empty() || !figure.y_label.empty();
    const double top = has_axis_title ? 24 : 6;
    const double bottom = top + row_height * static_cast<double>(count);
    const Scale scale = low == 0 && high > 0 ? Scale{0, high, high} : scale_around(low, high, 4);
    const double zero = scale.place(0, left, right);

    canvas.open(bottom + 6, size_class, figure_label(figure));
    if (has_axis_title)
        canvas.text(left, 12, "axis-text", "start", figure.x_label.empty() ? figure.y_label : figure.x_label);
    for (std::size_t i = 0; i < count; ++i) {
        const auto& row = figure.rows[i];
        const double y = top + row_height * static_cast<double>(i);
        const double middle = y + row_height / 2;
        const double end = scale.place(row.value, left, right);
        canvas.out += "<g>";
        canvas.title(row_text(row));
        canvas.text(left - 8, middle + 4.5, "label-text", "end", shortened(visible_text(row.label), label_columns_max));
        canvas.put(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="bar"/>)", std::min(zero, end),
                   middle - bar_height / 2, std::max(0.75, std::fabs(end - zero)), bar_height);
        double text_at = std::max(zero, end);
        if (row.low != row.high) {
            const double from = scale.place(row.low, left, right);
            const double to = scale.place(row.high, left, right);
            canvas.put(R"(<path d="M{0:.1f} {2:.1f}H{1:.1f}M{0:.1f} {3:.1f}V{4:.1f}M{1:.1f} {3:.1f}V{4:.1f}" class="whisker"/>)",
                       from, to, middle, middle - 4, middle + 4);
            text_at = std::max(text_at, to);
        }
        canvas.text(text_at + 6, middle + 4.5, "value-text", "start", number_text(row.value));
        canvas.out += "</g>";
    }
    canvas.put(R"(<path d="M{:.1f} {:.1f}V{:.1f}" class="axis"/>)", zero, top, bottom);
    canvas.close();
}

/// Histograms and lines share their axes.
void draw_columns(Canvas canvas, std::string_view size_class, const Figure& figure) {
    const std::size_t count = std::min(figure.rows.size(), chart_rows_max);
    const bool is_line = figure.kind == FigureKind::line;
    double low = 0;
    double high = 0;
    for (std::size_t i = 0; i < count; ++i) {
        low = std::min({low, figure.rows[i].value, figure.rows[i].low});
        high = std::max({high, figure.rows[i].value, figure.rows[i].high});
    }
    const Scale scale = scale_around(low, high, 4);
    std::size_t tick_columns = 0;
    for (double tick = scale.from; tick <= scale.to + scale.step / 2; tick += scale.step)
        tick_columns = std::max(tick_columns, text_columns(tick_text(tick, scale.step)));
    const double left = static_cast<double>(tick_columns) * column_width + 12;
    const double right = canvas.width - 8;
    constexpr double top = 28;
    const double bottom = top + (canvas.width > 500 ? 220 : 170);
    const double height = bottom + (figure.x_label.empty() ? 26 : 46);
    const double slot = (right - left) / static_cast<double>(count);
    const auto centre = [&](std::size_t i) { return left + slot * (static_cast<double>(i) + 0.5); };
    const auto level = [&](double value) { return scale.place(value, bottom, top); };

    // Where there is room, each bar carries its number: tails of long-tailed counts are too low to read off.
    std::size_t value_columns = 0;
    for (std::size_t i = 0; i < count; ++i)
        value_columns = std::max(value_columns, text_columns(number_text(figure.rows[i].value)));
    const bool has_values = !is_line && low == 0 && static_cast<double>(value_columns) * column_width < slot;

    canvas.open(height, size_class, figure_label(figure));
    canvas.text(0, 12, "axis-text", "start", figure.y_label);
    for (double tick = scale.from; tick <= scale.to + scale.step / 2; tick += scale.step) {
        canvas.put(R"(<path d="M{:.1f} {:.1f}H{:.1f}" class="grid"/>)", left, level(tick), right);
        canvas.text(left - 8, level(tick) + 4.5, "axis-text", "end", tick_text(tick, scale.step));
    }
    if (is_line) {
        std::string band;
        std::string line;
        bool has_band = false;
        for (std::size_t i = 0; i < count; ++i) {
            const auto& row = figure.rows[i];
            has_band = has_band || row.low != row.high;
            line += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : "L", centre(i), level(row.value));
            band += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : "L", centre(i), level(row.high));
        }
        for (std::size_t i = count; i-- > 0;)
            band += fmt::format("L{:.1f} {:.1f}", centre(i), level(figure.rows[i].low));
        if (has_band) canvas.put(R"(<path d="{}Z" class="band"/>)", band);
        canvas.put(R"(<path d="{}" class="line"/>)", line);
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto& row = figure.rows[i];
        canvas.out += "<g>";
        canvas.title(row_text(row));
        if (is_line) {
            canvas.put(R"(<circle cx="{:.1f}" cy="{:.1f}" r="{}" class="dot"/>)", centre(i), level(row.value),
                       count > 60 ? "1.5" : "3");
        } else {
            const double gap = slot > 6 ? 1.0 : 0.15 * slot;
            // Few is not none: a bar that would round away keeps a pixel.
            const double tall = row.value == 0 ? 0 : std::max(1.0, std::fabs(level(0) - level(row.value)));
            const double y = row.value < 0 ? level(0) : level(0) - tall;
            canvas.put(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="bar"/>)",
                       left + slot * static_cast<double>(i) + gap / 2, y, slot - gap,
                       tall);
            if (row.low != row.high)
                canvas.put(R"(<path d="M{:.1f} {:.1f}V{:.1f}" class="whisker"/>)", centre(i), level(row.low),
                           level(row.high));
            else if (has_values)
                canvas.text(centre(i), y - 5, "axis-text", "middle", number_text(row.value));
        }
        canvas.out += "</g>";
    }
    canvas.put(R"(<path d="M{:.1f} {:.1f}H{:.1f}" class="axis"/>)", left, level(0), right);
    // Labels under the axis: as many as stand side by side, the first always.
    std::size_t columns = 1;
    for (std::size_t i = 0; i < count; ++i)
        columns = std::max(columns, text_columns(shortened(visible_text(figure.rows[i].label), 16)));
    const double label_width = static_cast<double>(columns) * column_width + 10;
    const auto every = static_cast<std::size_t>(std::max(1.0, std::ceil(label_width / slot)));
    for (std::size_t i = 0; i < count; i += every) {
        const double half = label_width / 2 - 5;
        canvas.text(std::clamp(centre(i), std::min(half, right - half), right - half), bottom + 18, "axis-text",
                    "middle", shortened(visible_text(figure.rows[i].label), 16));
    }
    if (!figure.x_label.empty())
        canvas.text((left + right) / 2, bottom + 40, "axis-text", "middle", figure.x_label);
    canvas.close();
}

std::string day_text(double day) { return format_date(static_cast<std::int64_t>(day) * 86'400'000'000); }

/// By SpanState.
constexpr std::array<std::string_view, 3> span_classes = {"span-ok", "span-uncertain", "span-blocked"};
constexpr std::array<std::string_view, 3> span_words = {"measured, not blocked", "changed within these days", "blocked"};

/// A line a row over one axis of days. What no span covers was not looked at and stays a thin line.
void draw_timeline(Canvas canvas, std::string_view size_class, const Figure& figure) {
    const auto count = static_cast<std::uint32_t>(std::min(figure.rows.size(), chart_bars_max));
    double from = std::numeric_limits<double>::infinity();
    double to = -from;
    for (const auto& span : figure.spans) {
        if (span.row >= count) continue;
        from = std::min(from, span.from);
        to = std::max(to, span.to);
    }
    if (!(from < to)) return draw_no_data(canvas, size_class, figure);
    const bool is_narrow = canvas.width < 500;
    const auto label_columns_max = static_cast<std::size_t>(canvas.width * (is_narrow ? 1.0 : 0.36) / column_width) - 2;
    std::size_t label_columns = 0;
    for (std::uint32_t i = 0; i < count; ++i) label_columns = std::max(label_columns, text_columns(shortened(visible_text(figure.rows[i].label), label_columns_max)));
    // Labels stand above their lines on a phone.
    const double row_height = is_narrow ? 40 : 26;
    const double bar_height = 13;
    const double left = is_narrow ? 2 : static_cast<double>(label_columns) * column_width + 12;
    const double right = canvas.width - 4;
    const double bottom = row_height * static_cast<double>(count) + 6;
    const auto x = [&](double day) { return left + (day - from) / (to - from) * (right - left); };
    canvas.open(bottom + 24, size_class, figure_label(figure));
    for (std::uint32_t i = 0; i < count; ++i) {
        const double y = row_height * static_cast<double>(i) + (is_narrow ? 27 : row_height / 2);
        const std::string label = shortened(visible_text(figure.rows[i].label), label_columns_max);
        if (is_narrow) canvas.text(left, y - 12, "label-text", "start", label);
        else canvas.text(left - 8, y + 4.5, "label-text", "end", label);
        canvas.put(R"(<path d="M{:.1f} {:.1f}H{:.1f}" class="grid"/>)", left, y, right);
    }
    for (const auto& span : figure.spans) {
        if (span.row >= count) continue;
        const double y = row_height * static_cast<double>(span.row) + (is_narrow ? 27 : row_height / 2);
        const auto state = static_cast<std::size_t>(span.state);
        canvas.put(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="{}">)", x(span.from), y - bar_height / 2, std::max(0.75, x(span.to) - x(span.from)), bar_height, span_classes[state]);
        canvas.title(fmt::format("{}: {}, {} to {}", visible_text(figure.rows[span.row].label, 200), span_words[state], day_text(span.from), day_text(span.to - 1)));
        canvas.out += "</rect>";
    }
    canvas.text(left, bottom + 14, "axis-text", "start", day_text(from));
    canvas.text(right, bottom + 14, "axis-text", "end", day_text(to - 1));
    canvas.close();
}

void draw(Canvas canvas, std::string_view size_class, const Figure& figure) {
    if (figure.rows.empty()) draw_no_data(canvas, size_class, figure);
    else if (figure.kind == FigureKind::timeline) draw_timeline(canvas, size_class, figure);
    else if (figure.kind == FigureKind::bars) draw_bars(canvas, size_class, figure);
    else draw_columns(canvas, size_class, figure);
}

}  // namespace

void append_chart(const Figure& figure, std::string& out) {
    UNVEIL_ASSERT(figure.kind != FigureKind::network && figure.kind != FigureKind::map && figure.kind != FigureKind::none);
    draw({out, 680}, "wide", figure);
    draw({out, 340}, "narrow", figure);
    if (figure.kind == FigureKind::timeline && !figure.rows.empty()) {
        std::vector<std::pair<std::string_view, std::string>> legend;
        for (std::size_t state = span_words.size(); state-- > 0;) legend.emplace_back(span_classes[state], span_words[state]);
        append_legend(legend, out);
    }
}

void append_legend(std::span<const std::pair<std::string_view, std::string>> entries, std::string& out) {
    out += R"(<ul class="legend">)";
    for (const auto& [css_class, words] : entries) {
        fmt::format_to(std::back_inserter(out), R"(<li><svg class="swatch" viewBox="0 0 16 16" aria-hidden="true"><rect x="1" y="1" width="14" height="14" class="{}"/></svg>)", css_class);
        append_text(words, out);
        out += "</li>";
    }
    out += "</ul>";
}

void append_interval_picture(const IntervalPicture& picture, std::string& out) {
    const double low = std::min({picture.low, picture.value, picture.other_low, picture.other_value});
    double high = std::max(picture.value, picture.other_value);
    for (const double end : {picture.high, picture.other_high})
        if (std::isfinite(end)) high = std::max(high, end);
    const double margin = high > low ? 0.08 * (high - low) : std::max(1.0, 0.1 * std::fabs(high));
    // Zero is shown when it is near: a distance from nothing reads differently from a distance from much.
    const double from = low >= 0 && low < high * 0.7 ? 0 : low - margin;
    const double to = high + margin;
    Canvas canvas{out, 160};
    const auto x = [&](double value) { return 8 + (value - from) / (to - from) * 144; };
    std::string label = picture.measured_label;
    if (!picture.other_label.empty()) label += "; " + picture.other_label;
    canvas.open(34, "interval", label);
    canvas.out += R"(<path d="M8 17H152" class="axis"/>)";
    if (from == 0) canvas.out += R"(<path d="M8 11V23" class="axis"/>)";
    const auto draw_mark = [&](double value, double mark_low, double mark_high, std::string_view name, double y) {
        if (mark_low != mark_high)
            canvas.put(R"(<path d="M{:.1f} {:.1f}H{:.1f}" class="{}-range"/>)", x(mark_low), y, x(std::min(mark_high, to)), name);
        canvas.put(R"(<circle cx="{:.1f}" cy="{:.1f}" r="5" class="{}-dot"/>)", x(value), y, name);
    };
    if (picture.has_other)
        draw_mark(picture.other_value, picture.other_low, picture.other_high, "other", 25);
    else
        canvas.put(R"(<path d="M{0:.1f} 5V29" class="threshold"/>)", x(picture.other_value));
    draw_mark(picture.value, picture.low, picture.high, "measured", picture.has_other ? 9 : 17);
    canvas.close();
}

}  // namespace unveil
