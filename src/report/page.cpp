#include "report/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "report/assets.hpp"
#include "report/markup.hpp"

namespace unveil {
namespace {

constexpr std::size_t columns_narrow_max = 8;

bool is_number(std::string_view cell) {
    if (cell.starts_with("−")) cell.remove_prefix(std::string_view("−").size());
    return !cell.empty() && cell.find_first_not_of("0123456789.,%-+e ") == std::string_view::npos &&
           cell.find_first_of("0123456789") != std::string_view::npos;
}

}  // namespace

void append_page_head(std::string_view title, std::string_view script, std::string& out) {
    const auto hash = [](std::string_view content) {
        return content.empty() ? std::string("'none'") : "'sha256-" + base64_of_hex(sha256_hex(content)) + "'";
    };
    UNVEIL_ASSERT(script.find("</script") == std::string_view::npos);
    UNVEIL_ASSERT(report_style().find("</style") == std::string_view::npos);
    out += "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">";
    fmt::format_to(std::back_inserter(out),
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {}; style-src {}; "
                   "img-src data:; base-uri 'none'; form-action 'none'\">",
                   hash(script), hash(report_style()));
    out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
           "<meta name=\"referrer\" content=\"no-referrer\"><meta name=\"color-scheme\" content=\"light dark\"><title>";
    append_text(title, out);
    fmt::format_to(std::back_inserter(out), "</title><style>{}</style></head>\n<body>", report_style());
}

void append_data_table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows,
                       std::size_t rows_max, std::string& out) {
    const std::size_t count = std::min(rows.size(), rows_max);
    std::vector<bool> is_numeric(columns.size(), count > 0);
    for (std::size_t r = 0; r < count; ++r)
        for (std::size_t c = 0; c < columns.size(); ++c)
            if (c < rows[r].size() && !rows[r][c].empty() && !is_number(rows[r][c])) is_numeric[c] = false;
    out += columns.size() > columns_narrow_max ? "<div class=\"scroll broad\">" : "<div class=\"scroll\">";
    out += "<table class=\"data\"><thead><tr>";
    for (std::size_t c = 0; c < columns.size(); ++c) {
        out += is_numeric[c] ? "<th class=\"number\">" : "<th>";
        append_text(columns[c], out);
        out += "</th>";
    }
    out += "</tr></thead><tbody>";
    for (std::size_t r = 0; r < count; ++r) {
        out += "<tr>";
        for (std::size_t c = 0; c < columns.size(); ++c) {
            out += is_numeric[c] ? "<td class=\"number\">" : "<td>";
            if (c < rows[r].size()) {
                if (is_numeric[c]) append_text(rows[r][c], out);
                else append_name(rows[r][c], out);
            }
            out += "</td>";
        }
        out += "</tr>";
    }
    out += "</tbody></table></div>";
}

}  // namespace unveil
