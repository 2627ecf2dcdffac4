// Names of accounts replaced by keyed hashes, so that a report can be shown without naming anybody, and whoever holds
// the key can still tell which account is which.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "instruments/finding.hpp"

namespace unveil {

/// HMAC-SHA256 (RFC 2104) in lower-case hex.
std::string hmac_sha256_hex(std::string_view key, std::string_view message);

class Pseudonyms {
  public:
    static constexpr std::size_t key_bytes_min = 16;

    /// Throws Error(usage) for a key that could be guessed.
    explicit Pseudonyms(std::string key);
    /// Reads the key: the file's bytes without white space at the end. Throws Error(input).
    static Pseudonyms from_file(const std::string& path);

    /// The first 16 hex digits of the hash of the id: stable for one key.
    std::string of(std::string_view id) const;

    /// Replaces the accounts of the figures, drops their shown names, and replaces what equals one of `accounts` (or a
    /// figure's account) in tables, chart labels, and as a whole word in sentences, caveats and notes.
    void apply(Findings& findings, std::set<std::string> accounts) const;

  private:
    std::string m_key;
};

}  // namespace unveil
