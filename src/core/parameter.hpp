// One table of declared options feeds the command line, case.toml, help texts, manifests and completion.
// A Parameter says what a value may be; ParameterValues holds checked values in canonical form.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

enum class ParameterType { flag, integer, real, text, choice, duration, bytes };

struct Parameter {
    std::string name = {};  // "window", used as --window and as the key in case.toml
    ParameterType type = ParameterType::text;
    bool is_list = false;                   // given as a,b,c or repeated
    std::string default_text = {};          // as a user would type it; empty: no value
    std::string metavar = {};               // "DURATION"; empty: by type
    std::string help = {};                  // one sentence without a full stop
    std::vector<std::string> choices = {};  // for type choice
    std::optional<double> minimum = {};     // inclusive; seconds for durations, bytes for bytes
    std::optional<double> maximum = {};
    std::string citation = {};     // where the default or the meaning comes from; may be empty
    bool affects_findings = true;  // false: kept out of the manifest's parameters (threads, limits, outputs)
    bool is_hidden = false;
};

/// Checked values for a table of parameters. Every setter throws Error(usage) that names the parameter,
/// the offending text, what is accepted, and the nearest known name when the name is unknown.
class ParameterValues {
  public:
    explicit ParameterValues(std::span<const Parameter> table);

    const std::vector<Parameter>& table() const { return m_table; }
    bool knows(std::string_view name) const;

    /// Lists may be given in one text "a,b" or in several calls to set_list. `where` is "case.toml:12" or "".
    void set(std::string_view name, std::string_view text, std::string_view where = {});
    void set_list(std::string_view name, std::span<const std::string> texts, std::string_view where = {});

    bool is_set(std::string_view name) const;  // given by the user, not defaulted
    bool has_value(std::string_view name) const;

    bool flag(std::string_view name) const;
    std::int64_t integer(std::string_view name) const;
    double real(std::string_view name) const;
    std::string text(std::string_view name) const;  // texts and choices; empty when there is no value
    std::vector<std::string> texts(std::string_view name) const;
    std::int64_t duration_us(std::string_view name) const;
    std::vector<std::int64_t> durations_us(std::string_view name) const;
    std::uint64_t bytes(std::string_view name) const;
    /// The canonical texts of a parameter of any type; none when it has no value.
    const std::vector<std::string>& canonical_texts(std::string_view name) const;

    /// {"name":value,...} in table order, canonical spelling, only parameters that affect findings.
    std::string canonical_json() const;

  private:
    const Parameter& find(std::string_view name, std::string_view where) const;
    const std::vector<std::string>& values(std::string_view name, ParameterType type) const;
    static std::string checked(const Parameter& parameter, std::string_view text, std::string_view where);

    std::vector<Parameter> m_table;
    std::map<std::string, std::vector<std::string>, std::less<>> m_values;  // canonical texts
    std::map<std::string, bool, std::less<>> m_is_set;
};

/// "60s", "10m", "1h", "2d", "500ms", "1.5s" or a bare number of seconds -> microseconds. Nothing on bad
/// text.
std::optional<std::int64_t> parse_duration_us(std::string_view text);
/// The shortest of the same spellings that gives the value back: 60000000 -> "60s".
std::string format_duration(std::int64_t duration_us);
/// "4GB", "500MB", "64KiB", "1000" -> bytes (decimal k/M/G, binary with i).
std::optional<std::uint64_t> parse_bytes(std::string_view text);

/// The known word nearest to `word` by edit distance, if near enough to be a typo; else empty.
std::string nearest_word(std::string_view word, std::span<const std::string> known);

}  // namespace unveil
