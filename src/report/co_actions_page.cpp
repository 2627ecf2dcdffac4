#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <set>
#include <span>

#include "report/chart.hpp"
#include "report/co_actions.hpp"
#include "report/markup.hpp"
#include "report/page.hpp"

namespace unveil {
namespace {

constexpr std::size_t posts_shown_max = 1000;
constexpr std::size_t edges_shown_max = 50;
constexpr std::size_t members_shown_max = 300;
constexpr std::size_t upright_rows_max = 3;
constexpr std::size_t open_rows_max = 10;

/// What a column says, for readers; columns that are not named here are not shown.
struct ColumnWords {
    std::string_view column;
    std::string_view words;
};

constexpr std::array<ColumnWords, 22> edge_words = {{
    {"trace", "Trace"},
    {"traces", "Share of each trace"},
    {"window_seconds", "Window, s"},
    {"account_a", "Account A"},
    {"account_b", "Account B"},
    {"user_1", "Account A"},
    {"user_2", "Account B"},
    {"weight", "Objects within the window"},
    {"pairs", "Co-actions"},
    {"shared_objects", "Objects shared at any time"},
    {"expected_shared", "Expected by chance"},
    {"expected_together", "Expected within the window"},
    {"delay_median_seconds", "Median delay, s"},
    {"first_a", "A first"},
    {"first_b", "B first"},
    {"direction_p", "p of that order"},
    {"p_interest", "p of interest"},
    {"p_sync", "p of synchrony"},
    {"q_interest", "q of interest"},
    {"q_sync", "q of synchrony"},
    {"p", "p"},
    {"q", "q"},
}};

/// The same for many edges, where there is room for fewer columns.
constexpr std::array<ColumnWords, 9> edges_words = {{
    {"trace", "Trace"},
    {"account_a", "Account A"},
    {"account_b", "Account B"},
    {"user_1", "Account A"},
    {"user_2", "Account B"},
    {"weight", "Objects"},
    {"expected_together", "Expected"},
    {"p", "p"},
    {"q", "q"},
}};

constexpr std::array<ColumnWords, 12> tier_words = {{
    {"account", "Account"},
    {"community", "Community"},
    {"tier", "Tier"},
    {"reason", "Why"},
    {"posts", "Posts"},
    {"originality", "Own posts, share"},
    {"received_from_members", "Reposted by members"},
    {"given_to_members", "Reposts of members"},
    {"given_to_boosted", "Reposts of boosted accounts"},
    {"focus", "Focus"},
    {"median_delay_seconds", "Median delay, s"},
    {"stability", "Stability"},
}};

constexpr std::array<ColumnWords, 6> members_words = {{
    {"account", "Account"},
    {"tier", "Tier"},
    {"reason", "Why"},
    {"posts", "Posts"},
    {"received_from_members", "Reposted by members"},
    {"given_to_members", "Reposts of members"},
}};

constexpr std::array<ColumnWords, 14> community_words = {{
    {"community", "Community"},
    {"accounts", "Accounts"},
    {"edges", "Edges within"},
    {"core", "Core"},
    {"bridge", "Bridge"},
    {"amplifier", "Amplifier"},
    {"periphery", "Periphery"},
    {"posts", "Posts"},
    {"first_post", "First post"},
    {"last_post", "Last post"},
    {"stability", "Stability"},
    {"stability_low", "Stability from"},
    {"stability_high", "Stability to"},
    {"hours_p", "p of its hours"},
}};

constexpr std::array<std::string_view, 5> other_explanations = {
    "News accounts on one schedule: agencies and their clients post the same story within seconds of each other.",
    "Fan clubs and campaigns that anybody may join: members agree in the open on when to post what.",
    "A crowd at an event: a match or a speech makes strangers pass on the same posts at the same time.",
    "Official accounts: the offices of one body announce the same thing at the same hour.",
    "Tools that post for many: schedulers and apps publish for customers who do not know each other.",
};

/// Numbers of tables have all their digits; four are enough to read.
std::string readable(std::string_view column, const std::string& cell) {
    static const std::set<std::string_view> as_they_are = {"trace",     "traces",    "account",    "account_a", "account_b", "user_1",
                                                           "user_2",    "tier",      "reason",     "first_post", "last_post"};
    if (as_they_are.contains(column)) return cell;
    double value = 0;
    const auto end = cell.data() + cell.size();
    if (cell.empty() || std::from_chars(cell.data(), end, value).ptr != end) return cell;
    return number_text(value);
}

class Page {
  public:
    explicit Page(const CoActions& found) : m_found(found) {}

    std::string render() {
        append_page_head(title() + " – co-actions", {}, m_out);
        head();
        numbers();
        posts();
        explanations();
        recheck();
        m_out += "</main><footer><p>This file is complete in itself: it loads nothing and sends nothing.</p></footer></body></html>\n";
        return std::move(m_out);
    }

  private:
    bool is_edge() const { return m_found.question.accounts.size() == 2; }
    bool is_community() const { return m_found.question.accounts.empty(); }

    std::string title() const {
        const auto& asked = m_found.question;
        if (is_edge()) return asked.accounts[0] + " and " + asked.accounts[1];
        return is_community() ? fmt::format("Community {}", asked.community) : asked.accounts[0];
    }

    void paragraph(std::string_view css_class, std::string_view words) {
        m_out += css_class.empty() ? std::string("<p>") : fmt::format("<p class=\"{}\">", css_class);
        append_text(words, m_out);
        m_out += "</p>";
    }

    void head() {
        const auto& asked = m_found.question;
        m_out += "<header class=\"masthead\"><p class=\"kicker\">Who acted together, and the posts that show it</p><h1>";
        if (is_community()) {
            append_text(title(), m_out);
        } else {
            for (std::size_t i = 0; i < asked.accounts.size(); ++i) {
                if (i > 0) m_out += " and ";
                append_name(asked.accounts[i], m_out);
            }
        }
        m_out += "</h1>";
        bool is_first = true;
        for (const auto& sentence : co_action_sentences(m_found)) {
            paragraph(is_first ? "deck" : "standfirst", sentence + ".");
            is_first = false;
        }
        paragraph("note", "This page names accounts. What it shows is that they act together; it does not show who runs them, "
                          "or why. Read the other explanations below before you pass it on.");
        m_out += "</header>\n<main>";
    }

    /// The named columns of the table that have anything to say: few rows upright with `words`, many with `words_of_many`.
    void table(const CoActionTable& table, std::span<const ColumnWords> words, std::span<const ColumnWords> words_of_many,
               std::size_t rows_max) {
        const bool is_upright = table.rows.size() <= upright_rows_max;
        std::vector<std::string> columns;
        std::vector<std::size_t> from;
        for (const auto& known : is_upright ? words : words_of_many)
            for (std::size_t i = 0; i < table.columns.size(); ++i) {
                const auto is_said = [&](const std::vector<std::string>& row) { return !row[i].empty(); };
                if (table.columns[i] != known.column || std::none_of(table.rows.begin(), table.rows.end(), is_said)) continue;
                columns.emplace_back(known.words);
                from.push_back(i);
            }
        std::vector<std::vector<std::string>> rows;
        for (const auto& cells : table.rows) {
            auto& row = rows.emplace_back();
            for (const auto i : from) row.push_back(readable(table.columns[i], cells[i]));
        }
        if (is_upright) upright(columns, rows);
        else folded(columns, rows, rows_max);
        const auto shown = std::min(rows.size(), rows_max);
        if (shown < table.total)
            paragraph("note", fmt::format("{} of {} rows are shown; the tables of the run have all of them.", count_text(shown),
                                          count_text(table.total)));
    }

    /// A long table opens at a click.
    void folded(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows, std::size_t rows_max) {
        const auto count = std::min(rows.size(), rows_max);
        if (count > open_rows_max) m_out += fmt::format("<details><summary>The table ({} rows)</summary>", count_text(count));
        append_data_table(columns, rows, rows_max, m_out);
        if (count > open_rows_max) m_out += "</details>";
    }

    /// Few rows of many columns read better turned: a line for each column.
    void upright(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows) {
        std::vector<std::string> head = {""};
        std::vector<std::vector<std::string>> turned;
        for (std::size_t r = 0; r < rows.size(); ++r) head.push_back(rows.size() == 1 ? "" : fmt::format("{}", r + 1));
        for (std::size_t c = 0; c < columns.size(); ++c) {
            turned.push_back({columns[c]});
            for (const auto& row : rows) turned.back().push_back(row[c]);
        }
        append_data_table(head, turned, turned.size(), m_out);
    }

    void edges() {
        if (m_found.edges.total > 0) {
            m_out += is_edge() ? "<h3>The edge, by trace and window</h3>" : "<h3>Its edges, by trace and window</h3>";
            table(m_found.edges, edge_words, edges_words, edges_shown_max);
        }
        if (m_found.fused.total > 0) {
            m_out += is_edge() ? "<h3>The edge, all traces together</h3>" : "<h3>Its edges, all traces together</h3>";
            table(m_found.fused, edge_words, edges_words, edges_shown_max);
        }
    }

    void numbers() {
        m_out += "<section id=\"numbers\"><h2>The numbers</h2>";
        if (is_edge()) edges();
        if (m_found.community.total > 0) {
            m_out += "<h3>The community</h3>";
            table(m_found.community, community_words, community_words, members_shown_max);
        }
        if (m_found.tiers.total > 0) {
            m_out += "<h3>Tiers</h3>";
            table(m_found.tiers, tier_words, members_words, members_shown_max);
        }
        if (is_community() && !m_found.came_first.empty()) {
            m_out += "<h3>Who came first</h3>";
            std::vector<std::vector<std::string>> rows;
            for (const auto& item : m_found.came_first) {
                if (rows.size() == members_shown_max) break;
                rows.push_back({item.account, count_text(item.first), count_text(item.co_actions)});
            }
            folded({"Account", "Its post was first", "Of its co-actions"}, rows, members_shown_max);
        }
        if (!is_edge()) edges();
        m_out += "<dl class=\"words\">"
                 "<dt>p of interest</dt><dd>How often accounts that share as much as these two would share so many of the same "
                 "objects, if each chose by how popular they are.</dd>"
                 "<dt>p of synchrony</dt><dd>Given the objects they share: how often so many would fall within the window, if each "
                 "account kept to the pace at which others share them.</dd>"
                 "<dt>q</dt><dd>The share of false edges among those kept up to here, after all the pairs of accounts that were "
                 "tested.</dd>"
                 "<dt>Stability</dt><dd>How much of the community comes back when the edges are drawn anew, from 0 to 1.</dd>"
                 "<dt>Tier</dt><dd>What the account does in the evidence, by written rules; not what anybody told it to do.</dd>"
                 "</dl></section>\n";
    }

    void posts() {
        m_out += "<section id=\"posts\"><h2>The posts</h2>";
        if (m_found.timeline.rows.size() > 1) {
            m_out += "<figure>";
            append_chart(m_found.timeline, m_out);
            m_out += "<figcaption>";
            append_text(m_found.timeline.caption, m_out);
            m_out += "</figcaption></figure>";
        }
        paragraph("", "Each line is one co-action: two posts of the same object. The delay is the time of the second post minus "
                      "that of the first, in seconds. The closest in time stand first.");
        m_out += "<div class=\"scroll\"><table class=\"data\"><thead><tr><th class=\"number\">Delay</th><th>Object</th>"
                 "<th>Post of one</th><th>Post of the other</th></tr></thead><tbody>";
        const auto shown = std::min(m_found.rows.size(), posts_shown_max);
        for (std::size_t i = 0; i < shown; ++i) {
            const auto& row = m_found.rows[i];
            m_out += "<tr><td class=\"number\">";
            append_text(row.delay_seconds, m_out);
            m_out += "</td><td>";
            append_name(row.object, m_out);
            paragraph("small", row.trace);
            m_out += "</td>";
            post(row.account_a, row.post_a, row.time_a, row.evidence_a, row.row_a);
            post(row.account_b, row.post_b, row.time_b, row.evidence_b, row.row_b);
            m_out += "</tr>";
        }
        m_out += "</tbody></table></div>";
        if (shown < m_found.total)
            paragraph("note", fmt::format("{} further co-actions are left out here; the table pairs.csv of the run has all of them.",
                                          count_text(m_found.total - shown)));
        m_out += "</section>\n";
    }

    void post(const std::string& account, const std::string& id, const std::string& time, const std::string& file,
              const std::string& row) {
        m_out += "<td>";
        append_name(account, m_out);
        m_out += "<p class=\"small\">";
        append_text(time, m_out);
        m_out += ", post ";
        append_name(id, m_out);
        m_out += "</p><p class=\"small\">";
        append_name(file, m_out);
        m_out += " row ";
        append_text(row, m_out);
        m_out += "</p></td>";
    }

    void explanations() {
        m_out += "<section id=\"explanations\"><h2>What else could explain it</h2><ul>";
        for (const auto words : other_explanations) {
            m_out += "<li>";
            append_text(words, m_out);
            m_out += "</li>";
        }
        m_out += "</ul>";
        if (are_beyond_chance(m_found))
            paragraph("", "Chance is an unlikely explanation, as far as popularity, appetite, pace and hours go: that is what the "
                          "numbers above say. They say nothing about any of these: look at the posts, and at who the accounts say "
                          "they are.");
        else
            paragraph("", "And chance itself: these edges were not kept for being beyond it. Look at the posts, and at who the "
                          "accounts say they are.");
        m_out += "</section>\n";
    }

    void recheck() {
        m_out += "<section id=\"recheck\"><h2>How to check it</h2>";
        paragraph("", "Row 17 of a file is its 17th record; the header is not counted, skipped records are. The digests say which "
                      "files are meant: compute SHA-256 of yours, compare, then look the rows up.");
        std::vector<std::vector<std::string>> rows;
        for (const auto& input : m_found.inputs) rows.push_back({input.path, input.sha256, count_text(input.rows_kept)});
        append_data_table({"File", "SHA-256", "Records kept"}, rows, rows.size(), m_out);
        paragraph("", "The next command makes the run again from the same files and compares every table byte for byte.");
        m_out += "<pre><code class=\"copy\">";
        append_text("unveil verify " + m_found.run_folder, m_out);
        m_out += "</code></pre></section>\n";
    }

    const CoActions& m_found;
    std::string m_out;
};

}  // namespace

std::string render_co_actions(const CoActions& found) { return Page(found).render(); }

}  // namespace unveil
