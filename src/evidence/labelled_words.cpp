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
// What somebody decided comes before what a codebook says, a category before its theme.
constexpr std::array<std::string_view, 3> label_columns = {"topic", "category", "theme"};

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
        : m_reader(open_reader(path)), m_word(column_of(m_reader.header(), word_columns)), m_label(column_of(m_reader.header(), label_columns)),
          m_category(column_of(m_reader.header(), std::array<std::string_view, 1>{"category"})), m_theme(column_of(m_reader.header(), std::array<std::string_view, 1>{"theme"})) {
        if (m_word == SIZE_MAX || m_label == SIZE_MAX)
            throw Error(ErrorKind::input, "is no list of labelled words: there is no column 'word' with one named 'topic', 'category' or 'theme'", "Name the columns so", path);
        const std::string& name = m_reader.header()[m_label];
        m_is_topic = name.size() == 5 && (name[0] == 't' || name[0] == 'T') && column_of({name}, std::array<std::string_view, 1>{"topic"}) == 0;
        m_report.path = path;
        m_report.format = "labelled-words";
    }

    bool next(std::vector<LabelledWord>& batch) override {
        batch.clear();
        if (m_is_done) return false;
        m_arena.clear();
        const bool is_more = m_reader.read(batch_words_max, m_arena, m_report.tally, [&](const CsvRow& row, std::uint64_t) -> const char* {
            const std::string_view word = trimmed(row.text(m_word));
            const std::string_view label = trimmed(row.text(m_label));
            const std::string_view category = m_category == SIZE_MAX ? std::string_view() : trimmed(row.text(m_category));
            const std::string_view theme = m_theme == SIZE_MAX ? std::string_view() : trimmed(row.text(m_theme));
            if (!is_valid_utf8(word) || !is_valid_utf8(label) || !is_valid_utf8(category) || !is_valid_utf8(theme)) return "text is not UTF-8";
            if (word.empty()) return "no word";
            if (label.empty()) return "no label";
            if (std::max({word.size(), label.size(), category.size(), theme.size()}) > cell_bytes_max) return "longer than 1,000 bytes";
            if (++m_words > words_max) throw Error(ErrorKind::input, fmt::format("there are more than {} words", words_max), "Split the list", m_report.path);
            batch.push_back({std::string(word), std::string(label), m_is_topic, std::string(category), std::string(theme)});
            return nullptr;
        });
        m_report.tally.keep(batch.size());
        if (!is_more) {
            m_is_done = true;
            m_report.compression = m_reader.stream().compression();
            m_report.sha256 = m_reader.stream().finish_sha256();
            m_report.bytes = m_reader.stream().disk_bytes();
        }
        return !batch.empty() || !m_is_done;
    }
    const SourceReport& report() const override { return m_report; }
    std::uint64_t bytes_done() const override { return m_reader.stream().disk_bytes(); }

  private:
    CsvReader m_reader;
    std::size_t m_word;
    std::size_t m_label;
    std::size_t m_category;
    std::size_t m_theme;
    bool m_is_topic = false;
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
