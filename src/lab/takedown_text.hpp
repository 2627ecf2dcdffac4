// What the accounts of the takedown world say: invented, harmless phrases in traditional and simplified
// Chinese and in English, and a few hostile ones, that a seed turns into posts.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace unveil::takedown {

enum class Topic : std::uint8_t { organic, campaign, celebrity, headline, event, viral };
enum class Script : std::uint8_t { traditional, simplified, english };

/// All that is needed to write a post's words again, e.g. in a retweet of it.
struct Content {
    std::uint64_t seed = 0;
    std::uint32_t index = 0;  // which campaign, celebrity, group of bots, event
    std::uint16_t day = 0;    // since the start of the world
    std::uint16_t edit = 0;   // of a campaign's text: 0 as it is, else reworded in one of many ways
    Topic topic = Topic::organic;
    Script script = Script::traditional;
};

/// Words and what they point at. Reused from post to post, so that nothing is allocated in the long run.
struct Words {
    static constexpr std::size_t items_max = 3;
    std::string text;
    std::array<std::string, items_max> hashtags;
    std::array<std::string, items_max> urls;
    std::size_t hashtag_count = 0;
    std::size_t url_count = 0;

    void clear();
    void add_hashtag(std::string_view tag);
    /// Puts the short link into the text and the long one into the list, as the archive does.
    void add_url(std::string_view url);
};

void compose(const Content& content, Words& words);

/// "https://t.co/" and ten letters that depend on the long link.
void append_short_link(std::string_view url, std::string& out);

std::string_view location(std::uint64_t choice);
std::string_view description(std::uint64_t choice);
std::string_view display_name(std::uint64_t choice);
std::string_view client(std::uint64_t choice);
/// Letters, digits and underscores; different for different `number`.
void append_screen_name(std::uint64_t choice, std::uint64_t number, std::string& out);

std::string_view language_code(Script script);          // of a post: "zh", "en"
std::string_view account_language_code(Script script);  // of an account: "zh-tw", "zh-cn", "en"

}  // namespace unveil::takedown
