#include "evidence/labelled_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evidence/csv_reader.hpp"

namespace unveil {
namespace {

constexpr std::array<std::string_view, 4> word_columns = {"word", "rule", "keyword", "keyword_combination"};
constexpr std::array<std::string_view, 3> label_columns = {"topic", "category", "theme"};
constexpr std::array<std::string_view, 1> topic_column = {"topic"};
constexpr std::array<std::string_view, 1> category_column = {"category"};
constexpr std::array<std::string_view, 1> category_number_column = {"category_id"};
constexpr std::array<std::string_view, 1> theme_column = {"theme"};

constexpr std::size_t cell_bytes_max = 1000;
constexpr std::size_t words_max = 1'000'000;

template <std::size_t N>
std::size_t column_of(const std::vector<std::string>& header, const std::array<std::string_view, N>& names) {
    for (const auto name : names)
        for (std::size_t i = 0; i < header.size(); ++i) {
            std::string cell(trimmed(header[i]));
            for (char& c : cell) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            if (cell == name) return i;
        }
    return SIZE_MAX;
}

CsvReader open_reader(const std::string& path) {
    const EvidenceLimits limits;
    return CsvReader(InputBuffer(ByteStream(open_file_input(path), path, limits), limits), limits);
}

class LabelledWords final : public LabelledWordSource {
  public:
    explicit LabelledWords(const std::string& path)
        : m_reader(open_reader(path)), m_word(column_of(m_reader.header(), word_columns)),
          m_topic(column_of(m_reader.header(), topic_column)), m_category(column_of(m_reader.header(), category_column)),
          m_category_number(column_of(m_reader.header(), category_number_column)), m_theme(column_of(m_reader.header(), theme_column)) {
        if (m_word == SIZE_MAX || std::min({m_topic, m_category, m_theme}) == SIZE_MAX)
            throw Error(ErrorKind::input, "is no list of labelled words: there is no column 'word' with one named 'topic', 'category' or 'theme'", "Name the columns so", path);
        m_report.path = path;
        m_report.format = "labelled-words";
    }

    bool next(std::vector<LabelledWord>& batch) override {
        batch.clear();
        if (m_is_done) return false;
        m_arena.clear();
        const bool is_more = m_reader.read(batch_words_max, m_arena, m_report.tally, [&](const CsvRow& row, std::uint64_t) -> const char* {
            const auto cell = [&](std::size_t column) { return column == SIZE_MAX ? std::string_view() : trimmed(row.text(column)); };
            const std::string_view word = cell(m_word);
            const std::string_view category = cell(m_category);
            const std::string_view number = cell(m_category_number);
            const std::string_view theme = cell(m_theme);
            std::string_view label = cell(m_topic);
            if (label.empty()) label = category.empty() ? theme : category;
            for (const std::string_view text : {word, label, category, number, theme}) {
                if (!is_valid_utf8(text)) return "text is not UTF-8";
                if (text.size() > cell_bytes_max) return "longer than 1,000 bytes";
            }
            if (word.empty()) return "no word";
            if (label.empty()) return "no label";
            if (++m_words > words_max) throw Error(ErrorKind::input, fmt::format("there are more than {} words", words_max), "Split the list", m_report.path);
            batch.push_back({std::string(word), std::string(label), m_topic != SIZE_MAX, std::string(category), std::string(number), std::string(theme)});
            return nullptr;
        });
        m_report.tally.keep(batch.size());
        if (!is_more) {
            m_is_done = true;
            m_reader.stream().finish(m_report);
        }
        return !batch.empty() || !m_is_done;
    }
    const SourceReport& report() const override { return m_report; }
    std::uint64_t bytes_done() const override { return m_reader.stream().disk_bytes(); }

  private:
    CsvReader m_reader;
    std::size_t m_word;
    std::size_t m_topic;
    std::size_t m_category;
    std::size_t m_category_number;
    std::size_t m_theme;
    bool m_is_done = false;
    std::size_t m_words = 0;
    TextArena m_arena;
    SourceReport m_report;
};

}  // namespace

bool is_labelled_words_file(const std::string& path) {
    try {
        const CsvReader reader = open_reader(path);
        return column_of(reader.header(), word_columns) != SIZE_MAX && column_of(reader.header(), label_columns) != SIZE_MAX;
    } catch (const Error&) {
        return false;
    }
}

std::unique_ptr<LabelledWordSource> open_labelled_words(const std::string& path) { return std::make_unique<LabelledWords>(path); }

}  // namespace unveil
