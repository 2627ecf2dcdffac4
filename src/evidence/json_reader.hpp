// Where does one JSON value end and the next begin? One value a line, or one document; every value is parsed
// whole.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/tally.hpp"
#include "evidence/input_buffer.hpp"

namespace unveil {

class JsonReader {
  public:
    /// Finds out whether there is a value a line or one document. Throws Error(input) for a document that is
    /// too large or no JSON.
    JsonReader(InputBuffer input, const EvidenceLimits& limits);

    bool is_document() const { return m_is_document; }
    /// The next value, or nothing at the end; it dies with the next call. Lines that are no JSON are counted
    /// in `tally` and as one record each.
    std::optional<simdjson::dom::element> next(Tally& tally);
    /// Values at the front of the file, to see which keys there are; next() gives them again.
    void look_ahead(std::size_t values_max, const std::function<void(simdjson::dom::element)>& look);
    /// "posts.jsonl:17" of the value at hand, or "posts.json" for a document.
    std::string where() const;
    std::string_view line_text() const { return m_text; }
    std::uint64_t broken_lines() const { return m_broken_lines; }

    ByteStream& stream() { return m_input.stream(); }
    const ByteStream& stream() const { return m_input.stream(); }

  private:
    struct Line {
        std::string_view text;       // without its end
        std::size_t size_bytes = 0;  // with it
        bool is_too_long = false;
    };
    /// The line at the front of the buffer, or nothing at the end.
    std::optional<Line> front_line();
    void skip_rest_of_line();
    bool parses(std::string_view text);
    void read_document();

    InputBuffer m_input;
    EvidenceLimits m_limits;
    std::unique_ptr<simdjson::dom::parser> m_parser;  // its address must not change: values point into it
    simdjson::dom::element m_value;
    std::string m_document;
    std::string_view m_text;
    std::uint64_t m_line = 0;
    std::uint64_t m_broken_lines = 0;
    bool m_is_document = false;
    bool m_is_document_given = false;
};

}  // namespace unveil
