// Which words in what is asked for over HTTP are those that bring a sign, where requests to one host end differently?
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "instruments/interference/alternatives.hpp"

namespace unveil {

/// Path and query as a box would search them: %XX decoded, GB18030 where it is no UTF-8, compatibility forms and case folded (append_folded), cut to
/// request_text_bytes_max. Without scheme and host of an absolute form.
std::string request_text(std::string_view target);
inline constexpr std::size_t request_text_bytes_max = 512;

/// Words of a text: runs of letters and digits of two or more; of letters beyond Latin ones, which stand without blanks, every two to six in a row.
std::vector<std::string_view> request_words(std::string_view text);

/// Requests for one text to one host.
struct RequestShare {
    std::uint32_t host = 0;
    std::string_view text;
    FlowShare share;
};

struct WordShare {
    std::vector<std::string> words;      // the one that was tested, then others that stand in the same requests
    std::vector<std::size_t> requests;   // that hold it, of those given, and no word that was found before it
    FlowShare own;
    FlowShare controls;                  // requests to the same hosts that hold no word that was found
    double p_value = 1;                  // that so many of its own show the sign by what the controls show
    double q_value = 1;                  // Benjamini & Hochberg over all words of requests to hosts with differing ends
};

/// Words that explain signs, those that part requests best first; each request counts for one. A text holds a word wherever it stands. Only hosts to which
/// some requests show the sign and some do not say anything. `chance_of` bounds the chance of a sign by what the controls show. At most 200 words are tried,
/// those in most requests with the sign. O(words tried * bytes).
std::vector<WordShare> find_words(std::span<const RequestShare> requests, const std::function<double(const FlowShare&)>& chance_of, double q_value_max);

}  // namespace unveil
