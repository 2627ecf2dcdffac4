#include "report/pseudonym.hpp"

#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "core/digest.hpp"
#include "core/error.hpp"

namespace unveil {
namespace {

std::string bytes_of_hex(std::string_view hex) {
    const auto nibble = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(nibble(hex[i]) * 16 + nibble(hex[i + 1]));
    return bytes;
}

bool is_word_byte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '_';
}

/// Below a million a number is more likely a count than an account.
bool is_short_number(std::string_view text) {
    return text.size() <= 6 && text.find_first_not_of("0123456789.,") == std::string_view::npos;
}

bool names_accounts(std::string_view column) {
    for (const std::string_view word : {"account", "user", "name", "from", "to"})
        if (column == word || (word.size() > 3 && column.find(word) != std::string_view::npos)) return true;
    return false;
}

}  // namespace

std::string hmac_sha256_hex(std::string_view key, std::string_view message) {
    constexpr std::size_t block_bytes = 64;
    std::string block(key);
    if (block.size() > block_bytes) block = bytes_of_hex(sha256_hex(block));
    block.resize(block_bytes, '\0');
    const auto hashed = [&](char pad, std::string_view text) {
        std::string padded = block;
        for (auto& c : padded) c = static_cast<char>(c ^ pad);
        Sha256 hash;
        hash.update(padded.data(), padded.size());
        hash.update(text.data(), text.size());
        return hash.finish_hex();
    };
    return hashed(0x5c, bytes_of_hex(hashed(0x36, message)));
}

Pseudonyms::Pseudonyms(std::string key) : m_key(std::move(key)) {
    if (m_key.size() < key_bytes_min)
        throw Error(ErrorKind::usage, "the key for pseudonyms is shorter than 16 bytes and could be guessed",
                    "Make one with: head -c 32 /dev/urandom | base64 > key.txt");
}

Pseudonyms Pseudonyms::from_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw Error(ErrorKind::input, "cannot read the key file",
                    "Make one with: head -c 32 /dev/urandom | base64 > key.txt", path);
    std::string key{std::istreambuf_iterator<char>(file), {}};
    while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' ' || key.back() == '\t'))
        key.pop_back();
    return Pseudonyms(std::move(key));
}

std::string Pseudonyms::of(std::string_view id) const { return hmac_sha256_hex(m_key, id).substr(0, 16); }

void Pseudonyms::apply(Findings& findings, std::set<std::string> accounts) const {
    std::map<std::string, std::string> id_of_name;  // shown names lead back to the account, so they go too
    for (const auto& finding : findings.items)
        for (const auto& node : finding.figure.nodes) {
            accounts.insert(node.id);
            if (!node.label.empty()) id_of_name.emplace(node.label, node.id);
        }
    const auto is_known = [&](const std::string& text) { return accounts.contains(text) || id_of_name.contains(text); };
    const auto pseudonym = [&](const std::string& text) {
        const auto named = id_of_name.find(text);
        return of(accounts.contains(text) || named == id_of_name.end() ? text : named->second);
    };
    const auto replace_cell = [&](std::string& cell, bool holds_accounts) {
        if (is_known(cell) && (holds_accounts || !is_short_number(cell))) cell = pseudonym(cell);
    };
    const auto replace_words = [&](std::string& text) {
        std::string out;
        for (std::size_t i = 0; i < text.size();) {
            std::size_t end = i;
            while (end < text.size() && is_word_byte(text[end])) ++end;
            const std::string word = text.substr(i, end - i);
            // One or two characters are words of the language more often than accounts, short numbers are counts.
            const bool is_account = word.size() > 2 && !is_short_number(word) && is_known(word);
            out += is_account ? pseudonym(word) : word;
            if (end < text.size()) out += text[end++];
            i = end;
        }
        text = std::move(out);
    };
    for (auto& finding : findings.items) {
        replace_words(finding.subject);
        replace_words(finding.sentence);
        replace_words(finding.caveat);
        replace_words(finding.figure.caption);
        for (auto& node : finding.figure.nodes) {
            node.id = of(node.id);
            node.label.clear();
        }
        for (auto& row : finding.figure.rows) replace_cell(row.label, false);
        for (auto& row : finding.table.rows)
            for (std::size_t i = 0; i < row.size() && i < finding.table.columns.size(); ++i)
                replace_cell(row[i], names_accounts(finding.table.columns[i]));
    }
    for (auto& note : findings.notes) replace_words(note);
    for (auto& caveat : findings.caveats) replace_words(caveat);
}

}  // namespace unveil
