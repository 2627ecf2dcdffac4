#include "evidence/json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil {

static_assert(InputBuffer::padding_bytes >= simdjson::SIMDJSON_PADDING);

JsonReader::JsonReader(InputBuffer input, const EvidenceLimits& limits)
    : m_input(std::move(input)),
      m_limits(limits),
      m_parser(std::make_unique<simdjson::dom::parser>(
          std::max(limits.document_bytes_max, limits.record_bytes_max))) {
    while (m_input.size() < 3 && m_input.fill()) {
    }
    if (std::string_view(m_input.begin(), m_input.size()).starts_with("\xEF\xBB\xBF")) m_input.consume(3);
    while (const auto line = front_line()) {
        if (line->is_too_long) {
            read_document();
            return;
        }
        const auto text = trimmed(line->text);
        if (text.empty()) {
            ++m_line;
            m_input.consume(line->size_bytes);
            continue;
        }
        if (parses(text)) return;
        // Not a value by itself: the first line of a document spread over lines, or a broken line before good
        // ones.
        const auto rest = trimmed(std::string_view(m_input.begin(), m_input.size()).substr(line->size_bytes));
        const bool is_broken_line = text.size() > 1 && text.front() == '{' && rest.starts_with('{');
        if (!is_broken_line) read_document();
        return;
    }
}

std::string JsonReader::where() const {
    if (m_is_document) return m_input.stream().path();
    return fmt::format("{}:{}", m_input.stream().path(), m_line);
}

bool JsonReader::parses(std::string_view text) {
    return m_parser->parse(text.data(), text.size(), false).get(m_value) == simdjson::SUCCESS;
}

std::optional<JsonReader::Line> JsonReader::front_line() {
    std::size_t seen = 0;
    for (;;) {
        const auto* end =
            static_cast<const char*>(std::memchr(m_input.begin() + seen, '\n', m_input.size() - seen));
        if (end) {
            const auto size = static_cast<std::size_t>(end - m_input.begin());
            return Line{{m_input.begin(), size}, size + 1, size > m_limits.record_bytes_max};
        }
        seen = m_input.size();
        if (seen > m_limits.record_bytes_max) return Line{{m_input.begin(), seen}, seen, true};
        if (m_input.fill()) continue;
        if (seen == 0) return {};
        return Line{{m_input.begin(), seen}, seen, false};
    }
}

void JsonReader::skip_rest_of_line() {
    for (;;) {
        const auto* end = static_cast<const char*>(std::memchr(m_input.begin(), '\n', m_input.size()));
        m_input.consume(end ? static_cast<std::size_t>(end + 1 - m_input.begin()) : m_input.size());
        if (end || !m_input.fill()) return;
    }
}

void JsonReader::read_document() {
    const auto& path = m_input.stream().path();
    m_is_document = true;
    do {
        if (m_document.size() + m_input.size() > m_limits.document_bytes_max)
            throw Error(ErrorKind::input,
                        fmt::format("is one JSON document of more than {} bytes, too large to hold",
                                    m_limits.document_bytes_max),
                        "Write one object a line instead: jq -c '.[]' FILE > NEW.jsonl (or '.data[]')", path);
        m_document.append(m_input.begin(), m_input.size());
        m_input.consume(m_input.size());
    } while (m_input.fill());
    const auto size = m_document.size();
    m_document.append(simdjson::SIMDJSON_PADDING, ' ');
    if (!parses(std::string_view(m_document).substr(0, size)))
        throw Error(ErrorKind::input, "is no valid JSON, neither one value a line nor as a whole",
                    "Check the file with: jq . FILE", path);
}

void JsonReader::look_ahead(std::size_t values_max, const std::function<void(simdjson::dom::element)>& look) {
    if (m_is_document) {
        look(m_value);
        return;
    }
    // The first line must be whole; the others are looked at as far as they are in the buffer.
    if (!front_line()) return;
    std::string_view rest(m_input.begin(), m_input.size());
    for (std::size_t count = 0; count < values_max && !rest.empty(); ++count) {
        const auto end = rest.find('\n');
        if (end == std::string_view::npos && count > 0 && !m_input.is_at_end()) break;
        const auto text = trimmed(rest.substr(0, end));
        if (!text.empty() && text.size() <= m_limits.record_bytes_max && parses(text)) look(m_value);
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
}

std::optional<simdjson::dom::element> JsonReader::next(Tally& tally) {
    m_broken_lines = 0;
    if (m_is_document) {
        if (m_is_document_given) return {};
        m_is_document_given = true;
        m_text = std::string_view(m_document).substr(0, Tally::example_bytes_max + 1);
        return m_value;
    }
    while (const auto line = front_line()) {
        ++m_line;
        m_text = trimmed(line->text);
        if (line->is_too_long) {
            tally.skip("too long", where(), m_text.substr(0, Tally::example_bytes_max + 1));
            ++m_broken_lines;
            skip_rest_of_line();
            continue;
        }
        // Consumed bytes stay readable until the next fill().
        m_input.consume(line->size_bytes);
        if (m_text.empty()) continue;
        if (parses(m_text)) return m_value;
        tally.skip("not valid JSON", where(), m_text.substr(0, Tally::example_bytes_max + 1));
        ++m_broken_lines;
    }
    return {};
}

}  // namespace unveil
