// How unveil spells JSON: one byte sequence for one value, safe inside a <script type="application/json">.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace unveil {

/// Compact JSON with the keys in the order in which they were put. Reals take the shortest text that reads back the
/// same; `<`, `>`, `&`, U+2028 and U+2029 become \u escapes; invalid UTF-8 becomes U+FFFD.
std::string json_text(const nlohmann::ordered_json& json);
/// The same for many: appends to `out`.
void append_json(const nlohmann::ordered_json& json, std::string& out);

/// Reads JSON that a stranger may have written. Gives a discarded value (is_discarded()) for what is no JSON or is nested
/// deeper than json_depth_max, since printing and walking it take stack by depth.
constexpr int json_depth_max = 64;
nlohmann::ordered_json read_json(std::string_view text);

}  // namespace unveil
