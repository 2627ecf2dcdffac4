#include "report/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "case/comparison.hpp"
#include "core/output_table.hpp"
#include "core/text.hpp"
#include "report/assets.hpp"
#include "report/case_folder.hpp"
#include "report/chart.hpp"
#include "report/markup.hpp"
#include "report/network.hpp"
#include "report/page.hpp"
#include "report/pseudonym.hpp"
#include "report/world_map.hpp"

namespace unveil {
namespace {

/// What is shown at most; halved until the report fits.
struct Limits {
    NetworkLimits network;
    std::size_t table_rows = 300;
    std::size_t findings = 1000;

    Limits halved() const {
        return {{network.nodes_max / 2, network.edges_max / 2}, table_rows / 2, std::max<std::size_t>(10, findings / 2)};
    }
};

constexpr std::size_t items_open_max = 3;
constexpr std::size_t table_rows_open_max = 30;
constexpr std::ptrdiff_t zeros_joined_min = 3;

struct VerdictWords {
    std::string_view css_class;
    std::string_view word;
    std::string_view meaning;
};

const VerdictWords& words_of(ReportVerdict verdict) {
    static constexpr std::array<VerdictWords, 3> all = {{
        {"supported", "Supported", "Every comparison that the claim makes holds over the whole interval of what was measured."},
        {"contradicted", "Contradicted", "At least one comparison fails over the whole interval of what was measured."},
        {"undetermined", "Undetermined",
         "The evidence does not decide: an interval reaches to both sides, a metric could not be measured, or the claim is "
         "of a kind that observation can contradict but never prove. Undetermined is an answer; it does not mean “no”."},
    }};
    return all[static_cast<std::size_t>(verdict)];
}

std::string capitalised(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
    return text;
}

std::string plural(std::uint64_t count, std::string_view one, std::string_view many) {
    return count_text(count) + " " + std::string(count == 1 ? one : many);
}

/// Shares are spoken of in per cent, everything else in its unit.
bool is_share(std::string_view unit) { return unit == "share"; }

std::string amount_text(double value, std::string_view unit) { return number_text(is_share(unit) ? 100 * value : value); }

std::string unit_text(std::string_view unit) { return is_share(unit) ? "%" : std::string(unit); }

std::string quantity_text(double value, std::string_view unit) {
    return amount_text(value, unit) + (unit.empty() ? "" : " " + unit_text(unit));
}

std::string range_text(double low, double high, std::string_view unit) {
    if (std::isinf(high)) return amount_text(low, unit) + " or more";
    return fmt::format("{} to {}{}", amount_text(low, unit), amount_text(high, unit), is_share(unit) ? " %" : "");
}

std::string interval_text(const Finding& finding) {
    if (finding.low == finding.high) return "exact";
    return range_text(finding.low, finding.high, finding.unit);
}

/// Sentences of findings begin small and end open; on the page they stand alone.
std::string as_sentence(std::string text) {
    if (text.empty()) return text;
    const auto space = std::min(text.find(' '), text.size());
    const auto first_word = text.substr(0, space);
    // The name of a metric stays as claims write it: "rules is 13", "folds holds ...".
    const auto rest = std::string_view(text).substr(space);
    const bool is_name = first_word.find_first_of("._-(") != std::string::npos || rest.starts_with(" holds ") || rest.starts_with(" does not hold ") ||
                         (first_word.ends_with('s') && rest.starts_with(" is "));
    if (!is_name) text = capitalised(std::move(text));
    if (text.back() != '.' && text.back() != '?' && text.back() != '!') text += '.';
    return text;
}

/// "co-retweet.edges" -> "co-retweet"; empty when the metric belongs to the whole run. Arguments, such as names of sites, may hold dots of their own.
std::string_view metric_family(std::string_view metric) {
    metric = metric.substr(0, metric.find('('));
    const auto dot = metric.find('.');
    return dot == std::string_view::npos ? std::string_view() : metric.substr(0, dot);
}

/// Findings that are about the same thing, under one heading.
struct Section {
    enum class Kind {
        whole,   // of the run as a whole
        part,    // of one of several, such as one trace
        item,    // of one of a numbered list, such as one community
    };
    Kind kind = Kind::whole;
    std::string title;   // empty: no heading
    std::string key;
    std::vector<const Finding*> findings;
};

/// "community.2.posts" -> "community 2"; empty when the metric is not of a numbered list.
std::string item_of(std::string_view metric) {
    const auto family = metric_family(metric);
    if (family.empty()) return {};
    const auto number = metric_family(metric.substr(family.size() + 1));
    if (number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos) return {};
    return std::string(family) + " " + std::string(number);
}

/// The findings in their order, by what their metrics are about. The first word of a metric that the instrument declares with
/// a word in its place ("<trace>.edges") names a part; the others are about the whole. Without declarations all are parts.
std::vector<Section> sections_of(const ReportRun& run, std::size_t count) {
    std::set<std::string_view> whole;
    std::string part_word;
    for (const std::string_view metric : run.metrics) {
        const auto end = metric.starts_with("<") ? metric.find('>') : std::string_view::npos;
        if (end == std::string_view::npos) whole.insert(metric.substr(0, metric.find_first_of(".(")));
        else if (part_word.empty()) part_word = metric.substr(1, end - 1);
    }
    std::vector<Section> sections;
    for (std::size_t i = 0; i < count; ++i) {
        const auto& finding = run.findings.items[i];
        const auto family = metric_family(finding.metric);
        Section section;
        section.key = item_of(finding.metric);
        if (!section.key.empty()) section.kind = Section::Kind::item;
        else if (!family.empty() && !whole.contains(family)) section.kind = Section::Kind::part;
        if (section.kind == Section::Kind::part) section.key = family;
        auto at = std::find_if(sections.begin(), sections.end(), [&](const Section& other) {
            return other.kind == section.kind && other.key == section.key;
        });
        // What is about the whole stands where it was said: before the parts, or behind them.
        if (section.kind == Section::Kind::whole && at != sections.end())
            at = sections.back().kind == Section::Kind::whole ? sections.end() - 1 : sections.end();
        if (at == sections.end()) at = sections.insert(at, section);
        at->findings.push_back(&finding);
    }
    bool is_said = false;   // that all parts are together from here on
    for (std::size_t i = 0; i < sections.size() && sections.size() > 1; ++i) {
        auto& section = sections[i];
        if (section.kind != Section::Kind::whole) {
            section.title = capitalised(section.key);
        } else if (i > 0) {
            const auto family = metric_family(section.findings[0]->metric);
            section.title = is_said && !family.empty() ? capitalised(std::string(family))
                            : part_word.empty()        ? "All together"
                                                       : "All " + part_word + "s together";
            is_said = true;
        }
    }
    return sections;
}

bool is_drawn(const Finding& finding) { return finding.figure.kind != FigureKind::none || !finding.table.rows.empty(); }

bool is_zero(const Finding& finding) { return finding.value == 0 && finding.low == 0 && (finding.high == 0 || std::isinf(finding.high)); }

/// Whether everything in it that would be drawn is zero.
bool has_nothing(const Section& section) {
    const auto drawn = std::count_if(section.findings.begin(), section.findings.end(), [](const Finding* f) { return is_drawn(*f); });
    const auto zero =
        std::count_if(section.findings.begin(), section.findings.end(), [](const Finding* f) { return is_drawn(*f) && is_zero(*f); });
    return drawn > 0 && drawn == zero;
}

std::string strength_text(const Finding& finding) {
    const auto small = [&](std::string_view name) {
        if (finding.strength_value < 1e-4) return fmt::format("{} < 0.0001", name);
        return fmt::format("{} = {}", name, number_text(finding.strength_value));
    };
    switch (finding.strength) {
        case StrengthKind::exact: return "exact count";
        case StrengthKind::interval: return fmt::format("{} % interval", number_text(100 * finding.level));
        case StrengthKind::p_value: return small("p");
        case StrengthKind::q_value: return small("q");
        case StrengthKind::likelihood_ratio: return "likelihood ratio " + number_text(finding.strength_value);
    }
    return {};
}

class Page {
  public:
    Page(const ReportInput& input, const Limits& limits) : m_input(input), m_limits(limits) {}

    std::string render() {
        head();
        verdict_table();
        contents();
        claims();
        for (std::size_t i = 0; i < m_input.runs.size(); ++i) run(i);
        provenance();
        guide();
        foot();
        return std::move(m_out);
    }

  private:
    template <typename... Parts>
    void put(fmt::format_string<Parts...> format, Parts&&... parts) {
        fmt::format_to(std::back_inserter(m_out), format, std::forward<Parts>(parts)...);
    }
    void raw(std::string_view markup) { m_out += markup; }
    void text(std::string_view words) { append_text(words, m_out); }
    void name(std::string_view words) { append_name(words, m_out); }
    /// Text in which names of metrics break at their dots and underscores only.
    void prose(std::string_view words) {
        for (std::size_t at = 0; at < words.size();) {
            const auto end = std::min(words.find(' ', at), words.size());
            const auto word = words.substr(at, end - at);
            const auto joint = word.find_first_of("._", 1);
            const bool is_metric = !word.empty() && word[0] >= 'a' && word[0] <= 'z' && joint < word.size() - 1 && word.size() <= 200;
            if (!is_metric) {
                text(word);
            } else {
                raw("<span class=\"whole\">");
                for (std::size_t from = 0; from < word.size();) {
                    const auto to = std::min(word.find_first_of("._", from), word.size() - 1) + 1;
                    text(word.substr(from, to - from));
                    if (to < word.size()) raw("<wbr>");
                    from = to;
                }
                raw("</span>");
            }
            if (end < words.size()) raw(" ");
            at = end + 1;
        }
    }
    void prose_paragraph(std::string_view css_class, std::string_view words) {
        if (words.empty()) return;
        put("<p class=\"{}\">", css_class);
        prose(words);
        raw("</p>");
    }
    void element(std::string_view tag, std::string_view attributes, std::string_view words) {
        put("<{}{}{}>", tag, attributes.empty() ? "" : " ", attributes);
        text(words);
        put("</{}>", tag);
    }
    void paragraph(std::string_view css_class, std::string_view words) {
        if (words.empty()) return;
        element("p", css_class.empty() ? "" : fmt::format("class=\"{}\"", css_class), words);
    }
    /// A paragraph that opens with a word in bold.
    void remark(std::string_view css_class, std::string_view lead, std::string_view words) {
        if (words.empty()) return;
        put("<p class=\"{}\"><b>{}</b> ", css_class, lead);
        text(words);
        raw("</p>");
    }
    void list(const std::vector<std::string>& items) {
        raw("<ul>");
        for (const auto& item : items) element("li", "", item);
        raw("</ul>");
    }
    void copyable(std::string_view words) { element("code", "class=\"copy\"", words); }

    void head() {
        append_page_head(m_input.title + " – case report", report_script(), m_out);
        marks();
        raw("<header class=\"masthead\"><p class=\"kicker\">Case report</p>");
        element("h1", "", m_input.title);
        paragraph("deck", m_input.description);
        paragraph("standfirst", standfirst());
        if (m_input.is_pseudonymised)
            paragraph("note", "The accounts in this report stand under keyed hashes instead of their ids.");
        raw("</header>\n<main>");
    }

    std::string standfirst() const {
        std::array<std::size_t, 3> counts = {};
        for (const auto& claim : m_input.claims) ++counts[static_cast<std::size_t>(claim.verdict)];
        std::uint64_t kept = 0;
        std::uint64_t skipped = 0;
        for (const auto& item : m_input.evidence) {
            kept += item.rows_kept;
            skipped += item.rows_skipped;
        }
        std::string words = fmt::format("{} tested against {} with {}", plural(m_input.claims.size(), "claim", "claims"),
                                        plural(m_input.evidence.size(), "evidence file", "evidence files"),
                                        plural(kept, "record", "records"));
        if (skipped > 0) words += fmt::format(" ({} could not be used)", count_text(skipped));
        if (!m_input.claims.empty())
            words += fmt::format(": {} supported, {} contradicted, {} undetermined", counts[0], counts[1], counts[2]);
        return words + ".";
    }

    /// The signs of the verdicts, drawn once and used wherever one is named: disc, diamond and ring, with a sign inside.
    void marks() {
        raw("<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\">"
            "<symbol id=\"mark-supported\" viewBox=\"0 0 20 20\"><circle cx=\"10\" cy=\"10\" r=\"9\" class=\"fill\"/>"
            "<path d=\"M5.5 10.5l3 3 6-6.5\" class=\"sign\"/></symbol>"
            "<symbol id=\"mark-contradicted\" viewBox=\"0 0 20 20\"><path d=\"M10 0l10 10-10 10L0 10z\" class=\"fill\"/>"
            "<path d=\"M7 7l6 6M13 7l-6 6\" class=\"sign\"/></symbol>"
            "<symbol id=\"mark-undetermined\" viewBox=\"0 0 20 20\"><circle cx=\"10\" cy=\"10\" r=\"8.2\" class=\"ring\"/>"
            "<path d=\"M7.4 8c0-3.4 5.2-3.3 5.2-.2 0 2-2.6 2-2.6 4.1\" class=\"hook\"/>"
            "<circle cx=\"10\" cy=\"14.6\" r=\"1.1\" class=\"point\"/></symbol></svg>");
    }

    void badge(ReportVerdict verdict) {
        const auto& words = words_of(verdict);
        put("<span class=\"verdict {0}\"><svg class=\"mark\" aria-hidden=\"true\"><use href=\"#mark-{0}\"/></svg>{1}</span>",
            words.css_class, words.word);
    }

    void verdict_table() {
        raw("<section id=\"verdicts\" aria-label=\"Verdicts\">");
        if (m_input.claims.empty()) {
            paragraph("note", "This case makes no claims; the findings below stand for themselves.");
        } else {
            raw("<table class=\"verdicts\"><thead><tr><th>Verdict</th><th>Claim</th><th>Why</th></tr></thead><tbody>");
            for (std::size_t i = 0; i < m_input.claims.size(); ++i) {
                const auto& claim = m_input.claims[i];
                raw("<tr><td>");
                badge(claim.verdict);
                put("</td><td><a href=\"#claim-{}\">", i + 1);
                text(claim.text);
                raw("</a></td><td>");
                prose(as_sentence(claim.why));
                raw("</td></tr>");
            }
            raw("</tbody></table>");
        }
        raw("</section>\n");
    }

    void contents() {
        raw("<nav aria-label=\"Contents\"><ul>");
        if (!m_input.claims.empty()) raw("<li><a href=\"#claims\">The claims</a></li>");
        for (std::size_t i = 0; i < m_input.runs.size(); ++i) {
            put("<li><a href=\"#run-{}\">", i + 1);
            text(run_title(i));
            raw("</a></li>");
        }
        raw("<li><a href=\"#provenance\">Where it comes from</a></li><li><a href=\"#guide\">How to read this</a></li></ul></nav>\n");
    }

    std::string run_title(std::size_t index) const {
        const auto& run = m_input.runs[index];
        const auto same = std::count_if(m_input.runs.begin(), m_input.runs.end(),
                                        [&](const ReportRun& other) { return other.instrument == run.instrument; });
        if (same == 1) return capitalised(run.instrument);
        const auto before = std::count_if(m_input.runs.begin(), m_input.runs.begin() + static_cast<std::ptrdiff_t>(index),
                                          [&](const ReportRun& other) { return other.instrument == run.instrument; });
        return fmt::format("{}, run {}", capitalised(run.instrument), before + 1);
    }

    void claims() {
        if (m_input.claims.empty()) return;
        raw("<section id=\"claims\"><h2>The claims</h2>");
        for (std::size_t i = 0; i < m_input.claims.size(); ++i) claim(i);
        raw("</section>\n");
    }

    void claim(std::size_t index) {
        const auto& claim = m_input.claims[index];
        put("<article class=\"claim {}\" id=\"claim-{}\">", words_of(claim.verdict).css_class, index + 1);
        badge(claim.verdict);
        element("h3", "", claim.text);
        prose_paragraph("why", as_sentence(claim.why));
        if (!claim.comparisons.empty()) {
            raw("<div class=\"scroll\"><table class=\"comparisons\"><thead class=\"unseen\"><tr><th>Measured</th>"
                "<th>Picture</th><th>So it is</th></tr></thead>");
            for (const auto& item : claim.comparisons) comparison(item, claim.why);
            raw("</table></div>");
        }
        if (!claim.settle.empty()) {
            raw("<div class=\"settle\"><h4>What would settle it</h4>");
            for (const auto& item : claim.settle) prose_paragraph("", as_sentence(item));
            raw("</div>");
        }
        raw("<p class=\"facts\">Claim ");
        name(claim.id);
        if (claim.run < m_input.runs.size()) {
            put(", tested by <a href=\"#run-{}\">", claim.run + 1);
            text(run_title(claim.run));
            raw("</a>");
        } else if (!claim.test.empty()) {
            raw(", to be tested by ");
            text(claim.test);
        }
        raw("</p></article>\n");
    }

    void comparison(const ReportComparison& item, const std::string& claim_why) {
        raw("<tbody><tr class=\"needs\"><td colspan=\"3\"><span class=\"small\">The claim needs</span> <code>");
        prose(item.text);
        raw("</code>");
        if (item.why != claim_why) prose_paragraph("small", as_sentence(item.why));
        raw("</td></tr><tr><td>");
        if (item.is_measured) {
            element("span", "class=\"value\"", quantity_text(item.value, item.unit));
            if (item.low != item.high) element("span", "class=\"range\"", range_text(item.low, item.high, item.unit));
            if (item.has_other) {
                element("span", "class=\"range\"", "against " + quantity_text(item.other_value, item.unit));
                if (item.other_low != item.other_high)
                    element("span", "class=\"range\"", range_text(item.other_low, item.other_high, item.unit));
            }
        } else {
            // What a set holds is said by the sentence above; it has no size to show.
            const auto comparison = parse_comparison(item.text);
            const bool is_set = comparison && is_about_set(comparison->relation);
            if (!is_set) raw("<span class=\"missing\">not measured</span>");
        }
        raw("</td><td class=\"picture\">");
        if (item.is_measured) {
            IntervalPicture picture{item.value, item.low, item.high, item.has_other, item.other_value, item.other_low,
                                    item.other_high, {}, {}};
            picture.measured_label = "Measured " + quantity_text(item.value, item.unit);
            picture.other_label = (item.has_other ? "against " : "the claim draws the line at ") +
                                  quantity_text(item.other_value, item.unit);
            if (!item.has_other) picture.other_low = picture.other_high = item.other_value;
            append_interval_picture(picture, m_out);
        }
        raw("</td><td class=\"so\">");
        badge(item.verdict);
        raw("</td></tr></tbody>");
    }

    void run(std::size_t index) {
        const auto& run = m_input.runs[index];
        put("<section class=\"run\" id=\"run-{}\"><p class=\"kicker\">What was measured</p>", index + 1);
        element("h2", "", run_title(index));
        paragraph("deck", run.question);
        raw("<p class=\"facts\">On ");
        for (std::size_t i = 0; i < run.inputs.size(); ++i) {
            if (i > 0) raw(", ");
            name(run.inputs[i].path);
            role(run.inputs[i]);
        }
        for (const auto& [key, value] : run.parameters) {
            if (value.empty() || value == "false") continue;
            raw(" · ");
            text(key + " " + value);
        }
        raw("</p>");
        const std::size_t count = std::min(run.findings.items.size(), m_limits.findings);
        const auto sections = sections_of(run, count);
        const auto parts = std::count_if(sections.begin(), sections.end(),
                                         [](const Section& section) { return section.kind == Section::Kind::part; });
        std::vector<const Section*> without_any;
        std::size_t items = 0;
        for (std::size_t i = 0; i < sections.size(); ++i) {
            const auto& section = sections[i];
            const bool is_part = section.kind == Section::Kind::part;
            if (is_part && parts > 1 && has_nothing(section)) {
                without_any.push_back(&section);
            } else if (section.kind == Section::Kind::item && ++items > items_open_max) {
                raw("<details class=\"fold\"><summary>");
                prose(section.title + ": " + as_sentence(section.findings[0]->sentence));
                raw("</summary>");
                section_body(section, index);
                raw("</details>");
            } else {
                if (!section.title.empty()) element("h3", "class=\"family\"", section.title);
                section_body(section, index);
            }
            const bool is_last_part = is_part && (i + 1 == sections.size() || sections[i + 1].kind != Section::Kind::part);
            if (is_last_part && !without_any.empty()) nothing_found(std::exchange(without_any, {}), index);
        }
        if (count < run.findings.items.size())
            paragraph("note", fmt::format("{} further findings are left out here; findings.json has all of them.",
                                          count_text(run.findings.items.size() - count)));
        if (!run.findings.notes.empty()) {
            raw("<h3>Notes of the run</h3>");
            list(run.findings.notes);
        }
        if (!run.findings.caveats.empty() || !run.limits.empty()) {
            raw("<div class=\"limits\"><h3>What this does not show</h3>");
            auto all = run.findings.caveats;
            for (const auto& limit : run.limits)
                if (std::find(all.begin(), all.end(), limit) == all.end()) all.push_back(limit);
            list(all);
            raw("</div>");
        }
        raw("</section>\n");
    }

    void role(const ReportEvidence& item) {
        if (item.role.empty()) return;
        raw(" (");
        text(item.role);
        raw(")");
    }

    void nothing_found(const std::vector<const Section*>& sections, std::size_t run) {
        std::vector<std::string> names;
        for (const auto* section : sections) names.push_back(section->key);
        raw("<details class=\"fold\"><summary>");
        text(fmt::format("Nothing was found in {}", fmt::join(names, ", ")));
        raw("</summary>");
        for (const auto* section : sections) {
            element("h3", "class=\"family\"", section->title);
            section_body(*section, run);
        }
        raw("</details>");
    }

    void section_body(const Section& section, std::size_t run) {
        std::vector<const Finding*> drawn;
        std::vector<const Finding*> plain;
        for (const auto* item : section.findings) (is_drawn(*item) ? drawn : plain).push_back(item);
        // A network says most at one look.
        std::stable_partition(drawn.begin(), drawn.end(),
                              [](const Finding* item) { return item->figure.kind == FigureKind::network; });
        for (const auto* item : drawn)
            finding(*item, fmt::format("{}-{}", run + 1, item - m_input.runs[run].findings.items.data() + 1));
        if (plain.empty()) return;
        if (!drawn.empty()) raw("<h4>Further numbers</h4>");
        compact_table(plain);
    }

    void stat(const Finding& item) {
        raw("<p class=\"stat\"><span class=\"stat-value\">");
        text(amount_text(item.value, item.unit));
        raw("</span> ");
        element("span", "class=\"stat-unit\"", unit_text(item.unit));
        raw(" <span class=\"stat-interval\">");
        if (item.low != item.high)
            text(std::isinf(item.high) ? interval_text(item) + " · " : fmt::format("{} % interval {} · ", number_text(100 * item.level), interval_text(item)));
        if (item.low == item.high || item.strength != StrengthKind::interval) text(strength_text(item) + " · ");
        raw("<code>");
        text(item.metric);
        raw("</code></span></p>");
    }

    void finding(const Finding& item, const std::string& id) {
        put("<article class=\"finding\" id=\"finding-{}\">", id);
        std::string title = item.figure.title;
        if (title.empty()) title = item.subject.empty() ? item.metric : capitalised(item.subject);
        element("h4", "", title);
        stat(item);
        prose_paragraph("sentence", as_sentence(item.sentence));
        if (item.figure.kind == FigureKind::network) network(item, id);
        else if (item.figure.kind != FigureKind::none) chart(item);
        const auto rows = item.table.rows.size();
        if (item.figure.kind == FigureKind::none && rows > 0 && rows <= table_rows_open_max)
            append_data_table(item.table.columns, item.table.rows, m_limits.table_rows, m_out);
        else if (!item.table.columns.empty())
            data_table(item.table.columns, item.table.rows, "The table");
        remark("caveat", "Caveat.", as_sentence(item.caveat));
        locators(item);
        raw("</article>\n");
    }

    void caption(const Figure& figure, const std::string& further) {
        raw("<figcaption>");
        text(figure.caption);
        if (!figure.caption.empty() && !further.empty()) raw(" ");
        text(further);
        raw("</figcaption>");
    }

    void chart(const Finding& item) {
        const auto& figure = item.figure;
        raw("<figure>");
        std::string further;
        if (figure.kind == FigureKind::map) further = append_world_map(figure, m_out);
        else append_chart(figure, m_out);
        const std::size_t drawn = figure.kind == FigureKind::bars || figure.kind == FigureKind::timeline ? chart_bars_max : chart_rows_max;
        if (figure.kind != FigureKind::map && figure.rows.size() > drawn)
            further = fmt::format("The chart shows the first {} of {} rows.", drawn, count_text(figure.rows.size()));
        caption(figure, further);
        raw("</figure>");
        // Their findings bring tables that say more than the rows do.
        if (figure.kind == FigureKind::map || figure.kind == FigureKind::timeline) return;
        bool has_interval = false;
        for (const auto& row : figure.rows) has_interval = has_interval || row.low != row.high;
        std::vector<std::string> columns = {figure.x_label.empty() ? "Label" : capitalised(figure.x_label),
                                            figure.y_label.empty() ? "Value" : capitalised(figure.y_label)};
        if (figure.kind == FigureKind::bars && figure.y_label.empty() && !figure.x_label.empty())
            columns = {"Label", capitalised(figure.x_label)};
        if (has_interval) columns.insert(columns.end(), {"From", "To"});
        std::vector<std::vector<std::string>> rows;
        for (const auto& row : figure.rows) {
            rows.push_back({row.label, number_text(row.value)});
            if (has_interval) {
                rows.back().push_back(number_text(row.low));
                rows.back().push_back(number_text(row.high));
            }
        }
        data_table(columns, rows, "The numbers behind the chart");
    }

    void network(const Finding& item, const std::string& id) {
        const auto& figure = item.figure;
        const auto view = network_view(figure, m_limits.network);
        raw("<figure class=\"network\"><div class=\"stage\"><div class=\"still\">");
        append_network_svg(view, (figure.title.empty() ? item.sentence : figure.title) + ". " + figure.caption, m_out);
        raw("</div></div>");
        append_network_legend(view, m_out);
        std::string further = fmt::format("{} and {} are drawn.", plural(view.nodes.size(), "account", "accounts"),
                                          plural(view.edges.size(), "link", "links"));
        if (view.nodes_left_out + view.edges_left_out > 0)
            further = fmt::format("Drawn are the strongest {} of {} links and {} of {} accounts; the rest is in the exports.",
                                  count_text(view.edges.size()), count_text(figure.edges.size()),
                                  count_text(view.nodes.size()), count_text(figure.nodes.size()));
        caption(figure, further);
        put("<script type=\"application/json\" id=\"network-{}\">", id);
        raw(network_json(view));
        raw("</script></figure>");

        std::vector<FigureEdge> strongest = view.edges;
        std::stable_sort(strongest.begin(), strongest.end(),
                         [](const FigureEdge& a, const FigureEdge& b) { return a.weight > b.weight; });
        constexpr std::size_t edges_shown = 100;
        if (strongest.size() > edges_shown) strongest.resize(edges_shown);
        std::vector<std::vector<std::string>> rows;
        const auto shown = [&](std::uint32_t node) {
            const auto& account = view.nodes[node];
            return account.label.empty() || account.label == account.id ? account.id : account.label + " (" + account.id + ")";
        };
        for (const auto& edge : strongest) rows.push_back({shown(edge.from), shown(edge.to), number_text(edge.weight)});
        data_table({"Account", "Account", "Weight"}, rows,
                   view.edges.size() > edges_shown ? "The strongest links" : "The links");
    }

    void data_table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows,
                    std::string_view summary) {
        if (rows.empty()) return;
        raw("<details><summary>");
        text(fmt::format("{} ({})", summary, plural(rows.size(), "row", "rows")));
        raw("</summary>");
        append_data_table(columns, rows, m_limits.table_rows, m_out);
        if (rows.size() > m_limits.table_rows)
            paragraph("note",
                      fmt::format("{} further rows are in the exports.", count_text(rows.size() - m_limits.table_rows)));
        raw("</details>");
    }

    void compact_table(const std::vector<const Finding*>& findings) {
        raw("<div class=\"scroll\"><table class=\"data compact\"><thead><tr><th>Metric</th><th class=\"number\">Value</th>"
            "<th>Interval</th><th>In words</th></tr></thead><tbody>");
        // Several findings may share a caveat: it is said at the first of them that stands in the table.
        std::set<std::string_view> caveats = {""};
        for (const auto* item : findings)
            if (!is_zero(*item)) caveats.insert(item->caveat);
        const auto is_short = [&](const Finding* item) {
            return is_zero(*item) && (item->strength == StrengthKind::exact || std::isinf(item->high)) && caveats.contains(item->caveat);
        };
        std::set<std::string_view> said;
        const bool joins_zeros = std::count_if(findings.begin(), findings.end(), is_short) >= zeros_joined_min;
        for (const auto* item : findings) {
            if (joins_zeros && is_short(item)) continue;
            const bool is_new = said.insert(item->caveat).second;
            raw("<tr><td><code>");
            prose(item->metric);
            raw("</code></td><td class=\"number\">");
            text(quantity_text(item->value, item->unit));
            raw("</td><td>");
            const bool is_plain = item->strength == StrengthKind::exact || item->strength == StrengthKind::interval;
            text(interval_text(*item) + (is_plain ? "" : ", " + strength_text(*item)));
            raw("</td><td>");
            prose(as_sentence(item->sentence));
            if (is_new) paragraph("small", as_sentence(item->caveat));
            raw("</td></tr>");
        }
        raw("</tbody></table></div>");
        if (!joins_zeros) return;
        raw("<p class=\"small\">Zero:");
        bool is_first = true;
        for (const auto* item : findings) {
            if (!is_short(item)) continue;
            raw(is_first ? " <code>" : ", <code>");
            is_first = false;
            prose(item->metric);
            raw("</code>");
        }
        raw(".</p>");
    }

    void locators(const Finding& item) {
        if (item.locators.empty()) return;
        const ReportRun* run = nullptr;
        for (const auto& candidate : m_input.runs)
            if (!candidate.findings.items.empty() && &item >= &candidate.findings.items.front() &&
                &item <= &candidate.findings.items.back())
                run = &candidate;
        raw("<p class=\"locators\"><b>In the evidence:</b> ");
        for (std::size_t i = 0; i < item.locators.size();) {
            const auto evidence = item.locators[i].evidence;
            if (i > 0) raw("; ");
            if (run != nullptr && evidence < run->inputs.size()) name(run->inputs[evidence].path);
            else text(fmt::format("evidence {}", evidence + 1));
            std::size_t end = i;
            while (end < item.locators.size() && item.locators[end].evidence == evidence) ++end;
            raw(end - i == 1 ? " row " : " rows ");
            for (std::size_t k = i; k < end; ++k) {
                if (k > i) raw(", ");
                text(count_text(item.locators[k].row));
            }
            i = end;
        }
        if (item.locators_total > item.locators.size())
            text(fmt::format("; {} in all", plural(item.locators_total, "record", "records")));
        raw(".</p>");
    }

    void provenance() {
        raw("<section id=\"provenance\"><p class=\"kicker\">Provenance</p><h2>Where it comes from</h2>");
        for (const auto& item : m_input.evidence) evidence(item);
        if (m_input.evidence.empty()) paragraph("note", "No evidence was read.");
        for (std::size_t i = 0; i < m_input.runs.size(); ++i) manifest(i);
        if (!m_input.notes.empty()) {
            raw("<h3>Notes of the case</h3>");
            list(m_input.notes);
        }
        raw("<h3>Do it again</h3><p>Every number above comes out the same, byte for byte, from the same evidence and the "
            "same program. The first command runs the case anew, the second re-checks the digests of the evidence and "
            "compares all findings.</p><pre>");
        copyable("unveil investigate " + (m_input.case_file.empty() ? "CASE.toml" : m_input.case_file));
        raw("\n");
        copyable("unveil verify " + (m_input.case_folder.empty() ? "CASE" : m_input.case_folder));
        raw("</pre></section>\n");
    }

    void evidence(const ReportEvidence& item) {
        raw("<article class=\"evidence\"><h3>");
        name(item.id.empty() ? item.path : item.id);
        raw("</h3><dl>");
        const auto entry = [&](std::string_view term, std::string_view words) {
            if (words.empty()) return;
            element("dt", "", term);
            raw("<dd>");
            name(words);
            raw("</dd>");
        };
        if (!item.id.empty()) entry("File", item.path);
        std::string format = item.format;
        if (!item.compression.empty() && item.compression != "none") format += ", " + item.compression;
        entry("Used as", item.role);
        entry("Obtained", item.obtained);
        entry("Format", format);
        raw("<dt>SHA-256</dt><dd>");
        copyable(item.sha256);
        raw("</dd>");
        entry("Size", fmt::format("{} ({} bytes)", bytes_text(item.bytes), count_text(item.bytes)));
        entry("Records", fmt::format("{} kept, {} skipped", count_text(item.rows_kept), count_text(item.rows_skipped)));
        if (!item.time_first.empty()) entry("Time span", item.time_first + " to " + item.time_last);
        entry("Time resolution", item.time_resolution);
        raw("</dl>");
        if (!item.skips.empty()) {
            raw("<h4>Skipped records</h4><ul>");
            for (const auto& skip : item.skips) {
                raw("<li>");
                text(fmt::format("{}: ", count_text(skip.count)));
                text(skip.what);
                if (!skip.examples.empty()) {
                    raw("<ul class=\"examples\">");
                    for (const auto& example : skip.examples) {
                        raw("<li><code>");
                        name(example);
                        raw("</code></li>");
                    }
                    raw("</ul>");
                }
                raw("</li>");
            }
            raw("</ul>");
        }
        if (!item.notes.empty()) {
            raw("<h4>Noticed while reading</h4><ul>");
            for (const auto& note : item.notes) element("li", "", fmt::format("{}: {}", count_text(note.count), note.what));
            raw("</ul>");
        }
        raw("</article>");
    }

    void manifest(std::size_t index) {
        const auto& run = m_input.runs[index];
        raw("<article class=\"manifest\">");
        element("h3", "", "Run: " + run_title(index));
        raw("<dl>");
        const auto entry = [&](std::string_view term, std::string_view words) {
            element("dt", "", term);
            raw("<dd>");
            if (words.empty()) raw("–");
            else name(words);
            raw("</dd>");
        };
        entry("Program", fmt::format("unveil {} (commit {})", run.version, run.commit));
        entry("Seed", run.seed);
        raw("<dt>Findings SHA-256</dt><dd>");
        copyable(run.findings_sha256);
        raw("</dd>");
        raw("</dl>");
        if (!run.parameters.empty()) {
            raw("<details><summary>");
            text(fmt::format("Parameters ({})", run.parameters.size()));
            raw("</summary><dl>");
            for (const auto& [key, value] : run.parameters) entry(key, value);
            raw("</dl></details>");
        }
        if (!run.citations.empty()) {
            raw("<details><summary>Methods and sources</summary>");
            list(run.citations);
            raw("</details>");
        }
        raw("</article>");
    }

    void guide() {
        raw("<section id=\"guide\"><p class=\"kicker\">Reading guide</p><h2>How to read this</h2><dl class=\"words\">");
        for (const auto verdict : {ReportVerdict::supported, ReportVerdict::contradicted, ReportVerdict::undetermined}) {
            raw("<dt>");
            badge(verdict);
            raw("</dt>");
            element("dd", "", words_of(verdict).meaning);
        }
        raw("</dl><p><b>Intervals.</b> A number counted in the evidence is exact. A number estimated from it comes with the "
            "interval that holds the true value at the stated level; a verdict looks at the whole interval, never at the "
            "number alone.</p>"
            "<p><b>Rows.</b> “File row 17” is the 17th record of the file, the header not counted, skipped records counted, "
            "so it can be found with any tool.</p>"
            "<p><b>What no report of this kind shows.</b> A pattern in the records is not an intention: accounts that act "
            "together may be run by one hand, follow the same news, or be fans of the same show. Nothing here says who a "
            "person is. What is not in the evidence was not looked at, and a claim that finds no support in it may still "
            "be true. The evidence itself is taken as it was given: the digests prove which bytes were read, not how they "
            "came about.</p></section>\n");
    }

    void foot() {
        raw("</main><footer><p>");
        std::set<std::string> programs;
        for (const auto& run : m_input.runs) programs.insert(fmt::format("unveil {}", run.version));
        text(programs.empty() ? "unveil" : fmt::format("{}", fmt::join(programs, ", ")));
        raw(" · This file is complete in itself: it loads nothing and sends nothing.</p></footer>");
        if (!report_script().empty()) put("<script>{}</script>", report_script());
        raw("</body></html>\n");
    }

    const ReportInput& m_input;
    const Limits m_limits;
    std::string m_out;
};

}  // namespace

std::string render_report(const ReportInput& input) {
    std::size_t networks = 0;
    for (const auto& run : input.runs)
        for (const auto& item : run.findings.items) networks += item.figure.kind == FigureKind::network ? 1 : 0;
    Limits limits;
    // Several pictures share the room, and the time to lay them out.
    for (std::size_t share = 2; share < networks; share *= 2) limits.network = limits.halved().network;
    for (int attempt = 0;; ++attempt) {
        auto page = Page(input, limits).render();
        if (page.size() <= report_bytes_max || attempt == 8) return page;
        limits = limits.halved();
    }
}

void write_report(const std::string& case_folder) {
    write_file_atomically(case_folder + "/report.html", render_report(read_case_folder(case_folder).report));
}

void pseudonymise(ReportInput& input, const Pseudonyms& pseudonyms) {
    input.is_pseudonymised = true;
    const auto drop_examples = [](std::vector<ReportEvidence>& evidence) {
        for (auto& item : evidence)
            for (auto& skip : item.skips) skip.examples.clear();
    };
    drop_examples(input.evidence);
    for (auto& run : input.runs) {
        drop_examples(run.inputs);
        pseudonyms.apply(run.findings, {});
    }
}

}  // namespace unveil
