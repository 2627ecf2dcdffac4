#include "instruments/coordination/near_text_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/text.hpp"
#include "instruments/coordination/text_difference.hpp"
#include "instruments/coordination/traces.hpp"

namespace unveil::coordination {
namespace {

/// The text with the parts in which it differs in [brackets]; empty ones where something is missing.
std::string marked(std::string_view text, std::string_view other) {
    std::string out;
    std::size_t next = 0;
    for (const DifferingSpan& span : differing_spans(text, other)) {
        out += text.substr(next, span.begin_a - next);
        out += '[';
        out += text.substr(span.begin_a, span.end_a - span.begin_a);
        out += ']';
        next = span.end_a;
    }
    out += text.substr(next);
    return out;
}

}  // namespace

OutputTable& open_near_texts(OutputTables& tables, bool show_texts) {
    std::vector<Column> columns = {{"object", CellType::text, "the cluster, named after the text that stands for it"},
                                   {"text", CellType::text, "name of the member, as in exact-text"},
                                   {"posts", CellType::integer, "rows with this text"},
                                   {"similarity", CellType::real, "Jaccard with its nearest text in the cluster"}};
    if (show_texts) columns.push_back({"differences", CellType::text, "the text; what the cluster's text does not have in brackets"});
    return tables.open("near_texts", std::move(columns));
}

void join_near_texts(Dictionary& texts, const std::vector<std::uint32_t>& posts, RowStore& rows, const NearTextOptions& options,
                     bool show_texts, OutputTable& table, Progress& progress, Findings& findings) {
    std::vector<std::string_view> views(texts.size());
    for (std::uint32_t i = 0; i < texts.size(); ++i) views[i] = texts.string(i);
    const NearTextClusters found = cluster_near_texts(views, posts, options, progress);

    std::vector<double> similarity(texts.size(), 0);
    for (const NearTextMatch& match : found.matches) {
        if (found.cluster[match.a] != found.cluster[match.b]) continue;
        similarity[match.a] = std::max(similarity[match.a], match.jaccard);
        similarity[match.b] = std::max(similarity[match.b], match.jaccard);
    }
    // Members by cluster in byte order of the texts: nothing may depend on the order in which they were met.
    const auto order = texts.byte_order();
    std::map<std::uint32_t, std::vector<std::uint32_t>> members;
    for (const std::uint32_t text : order.ordered)
        if (similarity[text] > 0) members[order.rank[found.cluster[text]]].push_back(text);
    for (const auto& [cluster_rank, list] : members) {
        if (list.size() < 2) continue;
        const std::uint32_t cluster = order.ordered[cluster_rank];
        const std::string name = text_name(views[cluster]);
        for (const std::uint32_t text : list) {
            table.text(name);
            table.text(text_name(views[text]));
            table.integer(posts[text]);
            table.real(similarity[text]);
            if (show_texts) table.text(marked(views[text], views[cluster]));
            table.end_row();
        }
    }

    Dictionary names;
    std::vector<std::uint32_t> number(texts.size());
    for (std::uint32_t i = 0; i < texts.size(); ++i) {
        const std::string name = text_name(views[found.cluster[i]]);
        const std::string_view one[] = {name};
        names.number(one, &number[i]);
    }
    rows.rename_objects(number);
    texts = std::move(names);

    const NearTextCounts& counts = found.counts;
    findings.notes.push_back(fmt::format("near-text: {} of {} different texts lie in {} clusters of similarity {:g} and above; see near_texts.csv",
                                         grouped_digits(counts.texts_clustered), grouped_digits(number.size()),
                                         grouped_digits(counts.clusters), options.jaccard_min));
    const std::uint64_t limited = counts.texts_postings_full + counts.texts_comparisons_full;
    if (limited > 0)
        findings.notes.push_back(fmt::format("near-text: {} texts have so much in common with so many others that not all of them were "
                                             "compared; near texts of theirs may be missing",
                                             grouped_digits(limited)));
    if (counts.joins_not_tried > 0)
        findings.notes.push_back(fmt::format("near-text: {} pairs of clusters were not compared, so one template may stand in several",
                                             grouped_digits(counts.joins_not_tried)));
    if (counts.texts_cut > 0)
        findings.notes.push_back(fmt::format("near-text: {} texts were compared by their beginning alone, being very long",
                                             grouped_digits(counts.texts_cut)));
}

}  // namespace unveil::coordination
