// Rules of a filter as they are written down, and the messages that certify one. Who sends a certificate and who checks it must mean the
// same messages, so they are made here for both.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

/// "a + b" -> its components. Blanks around them do not count, empty ones are left out.
std::vector<std::string> rule_components(std::string_view notation);
std::string rule_notation(std::span<const std::string> components);

/// The pieces that are not empty, with the separator between them.
std::string join_pieces(std::span<const std::string> pieces, std::string_view separator);

/// Bytes of the first character of UTF-8; 1 for a byte that begins none. `text` not empty.
std::size_t first_character_bytes(std::string_view text);
/// Where the last character begins. `text` not empty.
std::size_t last_character_begin(std::string_view text);

struct CertificateTest {
    std::string left_out;     // "nothing", "first of 2", "last of 2", "all of 2" (a component of one character); counted from 1
    std::string message;
    bool is_blocked_expected = false;
    /// Where the part that is left is a rule of its own, but only as a whole word: the same with a letter in place of what was left out. That
    /// this one passes is as good as a pass of `message`. Empty where there is none.
    std::string as_longer_word = {};
    bool is_further = false;  // no part of the certificate, but where it was sent it counts too
};

/// The tests of a rule with these components: alone they are blocked, and no longer once any of them lacks its first or its last
/// character. The bare rule first; at most 2 m + 1 for m components. Characters are code points of valid UTF-8. O(m * bytes).
std::vector<CertificateTest> certificate_tests(std::span<const std::string> components, std::string_view separator);

/// What can be asked of a rule besides.
enum class FurtherKind {
    split,   // is a component two words? It is sent without its last character and, behind the separator, without its first: whatever is less stands in one of the two
    swap,    // two neighbours in the other order
    gap,     // harmless text between neighbours
    bare,    // the components one behind the other, with nothing between
};
struct FurtherTest {
    FurtherKind kind = FurtherKind::split;
    std::size_t number = 0;   // split: of the component, from 1; swap: of the first of the two, from 1; gap: characters between, at least; bare: 0
};
std::string_view further_kind_name(FurtherKind kind);
/// "split of 2", "swap of 1", "gap of 500", "bare".
std::string further_test_name(FurtherTest test);
/// Nothing for any other text, and for gaps of more than 100,000 characters.
std::optional<FurtherTest> parse_further_test(std::string_view name);
/// Empty where the rule has no such components. `harmless` not empty. O(bytes).
std::string further_message(FurtherTest test, std::span<const std::string> components, std::string_view separator, std::string_view harmless);

/// Does the inside of a component matter? One of its letters (beyond ASCII where there are some) is replaced by another, in the middle, and in a long one in both halves too: where that is blocked, two words with
/// something between them were taken for one, as happens where the filter reads no further than the separator. Of components of five characters or more. O(bytes).
std::vector<CertificateTest> inner_tests(std::span<const std::string> components, std::string_view separator);

/// The splits of all components of two characters or more.
std::vector<CertificateTest> split_tests(std::span<const std::string> components, std::string_view separator);

/// The same for an exception: beside the rule its components let the message pass, and no longer once any of them lacks an end. The last one, a further test, has as much
/// harmless text in its place: if that passes, length lets it pass. Without `harmless` it is left out.
std::vector<CertificateTest> exception_tests(std::span<const std::string> rule, std::span<const std::string> exception, std::string_view separator, std::string_view harmless);

}  // namespace unveil
