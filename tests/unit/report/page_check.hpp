// A strict reader of what unveil writes as HTML: every tag is closed in order, attributes are quoted, and what is text stays
// text. Stricter than a browser on purpose.
#pragma once

#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

struct PageCheck {
    std::string fault;                      // empty: well-formed
    std::set<std::string> tags;
    std::set<std::string> attributes;
    std::vector<std::string> scripts;       // contents of script elements that run
    std::string style;
    std::string csp;
};

inline PageCheck check_page(std::string_view page) {
    PageCheck check;
    const std::set<std::string, std::less<>> empty_tags = {"meta", "wbr"};
    std::vector<std::string> open;
    std::size_t at = 0;
    const auto fail = [&](const std::string& what) {
        check.fault = what + " at: " + std::string(page.substr(at, 80));
        return check;
    };
    if (!page.starts_with("<!DOCTYPE html>\n")) return fail("no doctype");
    at = 16;
    while (at < page.size()) {
        if (page[at] == '>') return fail("a bare >");
        if (page[at] == '&') {
            const auto end = page.find(';', at);
            const auto entity = page.substr(at, end - at + 1);
            if (entity != "&lt;" && entity != "&gt;" && entity != "&amp;" && entity != "&quot;" && entity != "&#39;")
                return fail("an unknown entity");
            at = end + 1;
            continue;
        }
        if (page[at] != '<') {
            const auto byte = static_cast<unsigned char>(page[at]);
            if (byte < 0x20 && byte != '\n' && byte != '\t') return fail("a control byte");
            ++at;
            continue;
        }
        const bool is_closing = page[at + 1] == '/';
        std::size_t end = at + (is_closing ? 2 : 1);
        std::string tag;
        while (std::isalnum(static_cast<unsigned char>(page[end]))) tag += page[end++];
        if (tag.empty()) return fail("a < that opens no tag");
        check.tags.insert(tag);
        bool closes_itself = false;
        bool is_data = false;
        bool is_csp = false;
        std::string content;
        while (page[end] != '>') {
            if (page[end] == ' ') {
                ++end;
                continue;
            }
            if (page.substr(end, 2) == "/>") {
                closes_itself = true;
                ++end;
                continue;
            }
            std::string name;
            while (std::isalnum(static_cast<unsigned char>(page[end])) || page[end] == '-') name += page[end++];
            if (name.empty()) return fail("a broken attribute");
            check.attributes.insert(name);
            if (page.substr(end, 2) != "=\"") return fail("an attribute without quotes");
            const auto quote = page.find('"', end + 2);
            const auto value = page.substr(end + 2, quote - end - 2);
            if (value.find_first_of("<>") != std::string_view::npos) return fail("markup in an attribute");
            if (name == "type" && value == "application/json") is_data = true;
            if (value == "Content-Security-Policy") is_csp = true;
            if (name == "content") content = value;
            if (name == "href" && value[0] != '#') return fail("a link out of the page");
            end = quote + 1;
        }
        ++end;
        if (is_csp) check.csp = content;
        if (is_closing) {
            if (open.empty() || open.back() != tag) return fail("a tag that closes nothing");
            open.pop_back();
        } else if (tag == "script" || tag == "style") {
            const auto close = page.find("</" + tag + ">", end);
            if (close == std::string_view::npos) return fail("an open script");
            const auto body = page.substr(end, close - end);
            if (is_data && body.find_first_of("<>&") != std::string_view::npos) return fail("data that is not escaped");
            if (tag == "style") check.style = body;
            else if (!is_data) check.scripts.emplace_back(body);
            end = close + tag.size() + 3;
        } else if (!closes_itself && !empty_tags.contains(tag)) {
            open.push_back(tag);
        }
        at = end;
    }
    if (!open.empty()) check.fault = "left open: " + open.back();
    return check;
}

}  // namespace unveil
