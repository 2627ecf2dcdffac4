// What might a host mean by its answer over HTTP: that it serves nobody from there, that it wants a proof first, or nothing that can be followed?
// Block pages may look like each of them, so a look is no proof of either.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "net/http.hpp"

namespace unveil {

enum class AnswerLook : std::uint8_t { unread, other, geo_block, captcha, broken_redirect };

/// Whether headers `cf-mitigated` and `x-datadome` or the title say that a content network wants a proof first.
bool is_challenge(std::string_view cf_mitigated, std::string_view datadome, std::string_view title);
/// Whether the header `Location` leads anywhere: to a path, or to a host by HTTP.
bool can_be_followed(std::string_view location);
/// Of the front of an answer, as far as it is there; unread when its head is not whole.
/// geo_block: status 451, or 403 that is no challenge; captcha: 403, 429 or 503 that is; broken_redirect: 301, 302, 303, 307 or 308 that cannot be followed.
AnswerLook answer_look(std::span<const std::uint8_t> front, HttpHead& head);

}  // namespace unveil
