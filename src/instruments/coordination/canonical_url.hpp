// Two spellings of one web address made equal, without asking the network.
#pragma once

#include <string>
#include <string_view>

namespace unveil::coordination {

/// Scheme and host in lower case, http read as https, default ports, user info, fragment and tracking parameters
/// (utm_*, fbclid, gclid, ...) dropped, an empty path written "/". What is not "scheme://host..." is returned trimmed.
/// After RFC 3986 section 6.2.2-6.2.3, without percent-decoding: that may change what a server answers.
std::string canonical_url(std::string_view url);

/// The host of such an address without a leading "www.", or empty when there is none.
std::string url_host(std::string_view url);

}  // namespace unveil::coordination
