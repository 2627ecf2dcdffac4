#include "lab/takedown_text.hpp"

#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "core/random.hpp"

namespace unveil::takedown {
namespace {

/// One phrase in the three spellings, in the order of Script.
using Phrase = std::array<std::string_view, 3>;

std::string_view in(const Phrase& phrase, Script script) {
    return phrase[static_cast<std::size_t>(script)];
}

template <typename T, std::size_t n>
const T& pick(const T (&items)[n], Random& random) {
    return items[random.below(n)];
}

constexpr Phrase subjects[] = {
    {"港口旁的早市", "港口旁的早市", "The morning market by the harbour"},
    {"新開的圖書館", "新开的图书馆", "The new library"},
    {"週末的電影節", "周末的电影节", "This weekend's film festival"},
    {"公園裡的櫻花", "公园里的樱花", "The cherry trees in the park"},
    {"城市馬拉松的路線", "城市马拉松的路线", "The route of the city marathon"},
    {"地鐵新線的車站", "地铁新线的车站", "The station of the new metro line"},
    {"學校的足球隊", "学校的足球队", "The school's football team"},
    {"老街的麵店", "老街的面店", "The noodle shop in the old street"},
    {"海邊的燈塔", "海边的灯塔", "The lighthouse by the sea"},
    {"今年的燈會", "今年的灯会", "This year's lantern fair"},
    {"山上的茶園", "山上的茶园", "The tea garden on the hill"},
    {"鄰居養的貓", "邻居养的猫", "The neighbour's cat"},
    {"博物館的夜間開放", "博物馆的夜间开放", "The museum's late opening"},
    {"河岸的單車道", "河岸的单车道", "The cycle path along the river"},
    {"夏天的第一場雨", "夏天的第一场雨", "The first rain of summer"},
    {"廣場上的音樂會", "广场上的音乐会", "The concert in the square"},
    {"市場裡的荔枝", "市场里的荔枝", "The lychees at the market"},
    {"早班渡輪的時刻表", "早班渡轮的时刻表", "The timetable of the early ferry"},
    {"天文館的新展覽", "天文馆的新展览", "The planetarium's new show"},
    {"社區的舊書交換", "社区的旧书交换", "The neighbourhood book swap"},
};
constexpr Phrase predicates[] = {
    {"真是太美了", "真是太美了", "is lovely"},
    {"讓人很期待", "让人很期待", "is worth waiting for"},
    {"吸引了很多遊客", "吸引了很多游客", "has drawn a crowd"},
    {"下個月重新開放", "下个月重新开放", "opens again next month"},
    {"比去年熱鬧得多", "比去年热闹得多", "is far busier than last year"},
    {"還沒有正式的消息", "还没有正式的消息", "has no official word yet"},
    {"每天都有新鮮事", "每天都有新鲜事", "is different every day"},
    {"終於準備好了", "终于准备好了", "is ready at last"},
    {"讓我想起小時候", "让我想起小时候", "reminds me of my childhood"},
    {"需要更多志工幫忙", "需要更多志愿者帮忙", "needs more volunteers"},
    {"照片拍得真好", "照片拍得真好", "looks great in the pictures"},
    {"因為下雨改期了", "因为下雨改期了", "was moved because of the rain"},
    {"排隊的人比想像中少", "排队的人比想象中少", "has a shorter queue than I thought"},
    {"門票已經開始預訂", "门票已经开始预订", "can be booked from today"},
};
constexpr Phrase tails[] = {
    {"，你覺得呢？", "，你觉得呢？", ", what do you think?"},
    {"，大家一起去吧！", "，大家一起去吧！", ", let us all go!"},
    {"，歡迎分享給朋友。", "，欢迎分享给朋友。", ", tell your friends."},
    {"。", "。", "."},
    {"，明天見。", "，明天见。", ", see you tomorrow."},
    {"，看了\"三次\"還想再看。", "，看了\"三次\"还想再看。", ", saw it \"three times\" and still want more."},
    {"……\n晚一點再說。", "……\n晚一点再说。", "...\nmore later."},
    {"，真的嗎？", "，真的吗？", ", really?"},
};
constexpr Phrase slogans[] = {
    {"我們都支持新的港口計畫", "我们都支持新的港口计划", "We all support the new harbour plan"},
    {"河岸步道是大家的驕傲", "河岸步道是大家的骄傲", "The riverside walk is our pride"},
    {"新線開通以後生活更方便", "新线开通以后生活更方便", "Life is easier with the new line"},
    {"請大家多關心燈塔的修復", "请大家多关心灯塔的修复", "Care for the lighthouse"},
    {"茶園的未來由我們決定", "茶园的未来由我们决定", "The tea garden's future is ours"},
    {"舊市場應該好好保存", "旧市场应该好好保存", "The old market must stay"},
};
constexpr Phrase slogan_tails[] = {
    {"，事實勝於雄辯。", "，事实胜于雄辩。", ", the facts speak."},
    {"，每個人都看得到進步。", "，每个人都看得到进步。", ", everybody can see the progress."},
    {"，請轉發讓更多人知道。", "，请转发让更多人知道。", ", pass it on."},
    {"，數字不會說謊。", "，数字不会说谎。", ", numbers do not lie."},
    {"，這才是真實的聲音。", "，这才是真实的声音。", ", this is the true voice."},
    {"，謝謝所有努力的人。", "，谢谢所有努力的人。", ", thanks to all who work on it."},
};
constexpr Phrase openings[] = {
    {"請看：", "请看：", "Look: "},
    {"大家注意，", "大家注意，", "Everyone, "},
    {"剛剛讀到，", "刚刚读到，", "Just read this: "},
    {"我也覺得", "我也觉得", "I think so too: "},
    {"說得對！", "说得对！", "Well said! "},
};
constexpr Phrase remarks[] = {
    {"值得一看", "值得一看", " Worth a look"},
    {"你們說呢", "你们说呢", " What do you say"},
    {"支持", "支持", " Count me in"},
    {"說到心裡了", "说到心里了", " My words exactly"},
};
constexpr Phrase hashtags[] = {
    {"天氣", "天气", "weather"},  {"早安", "早安", "GoodMorning"},  {"美食", "美食", "food"},
    {"旅行", "旅行", "travel"},   {"攝影", "摄影", "photo"},        {"電影", "电影", "film"},
    {"足球", "足球", "football"}, {"馬拉松", "马拉松", "marathon"}, {"貓咪", "猫咪", "cats"},
    {"讀書", "读书", "books"},    {"音樂", "音乐", "music"},        {"週末", "周末", "weekend"},
    {"港口", "港口", "harbour"},  {"燈會", "灯会", "lanterns"},     {"單車", "单车", "cycling"},
};
constexpr Phrase campaign_tags[] = {
    {"支持港口計畫", "支持港口计划", "HarbourPlan"}, {"河岸之光", "河岸之光", "RiverLight"},
    {"新線新生活", "新线新生活", "NewLineNewLife"},  {"守護燈塔", "守护灯塔", "LighthouseWatch"},
    {"茶園未來", "茶园未来", "TeaFuture"},           {"保存舊市場", "保存旧市场", "OldMarket"},
};
// Markup, formulas, direction marks, zero-width and combining characters: inert here, a trap for careless
// readers.
constexpr std::string_view hostile_texts[] = {
    "<script>alert('post')</script> 早安",
    "=HYPERLINK(\"https://click.example/\",\"看這裡\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\xE2\x80\xAE文字方向倒轉\xE2\x80\xAC, \"引號\", 逗號\n第二行",
    "零\xE2\x80\x8B寬\xE2\x80\x8B空\xE2\x80\x8B格 &lt;b&gt; &amp; </td></tr>",
    "-1+2\t分欄\t符號; DROP TABLE posts; --",
    "e\xCC\x81\xCC\x81\xCC\x81\xCC\x81 組合字元 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80 {{7*7}} ${HOME} "
    "%s%n",
};
constexpr std::string_view sites[] = {
    "https://news.harbor-daily.example/", "https://www.morning-post.example/", "https://river-times.example/",
    "https://m.metro-weekly.example/", "https://video.lantern.example/watch/"};
constexpr std::string_view locations[] = {"",
                                          "",
                                          "",
                                          "台北",
                                          "香港",
                                          "上海",
                                          "Taipei, Taiwan",
                                          "北京, 中国",
                                          "Singapore",
                                          "Toronto, Ontario",
                                          "高雄",
                                          "廣州",
                                          "London, \"the big smoke\"",
                                          "新北市",
                                          "深圳",
                                          "San Francisco, CA"};
constexpr std::string_view descriptions[] = {"",
                                             "",
                                             "",
                                             "",
                                             "喜歡貓和咖啡",
                                             "爱旅行，爱摄影",
                                             "Coffee, books and long walks",
                                             "每天分享一張照片",
                                             "足球, 音樂, 電影",
                                             "生活不止眼前",
                                             "Opinions are my own",
                                             "讀書人，寫字人",
                                             "关注城市与交通",
                                             "小店老闆\n歡迎光臨",
                                             "<img src=x onerror=alert('profile')>",
                                             "=1+1",
                                             "\xE2\x80\xAE"
                                             "eliforp desrever\xE2\x80\xAC",
                                             "He said \"hello\", I said \"bye\""};
constexpr std::string_view display_names[] = {"港口日記",
                                              "晨間散步",
                                              "River Walker",
                                              "城市觀察",
                                              "一杯茶",
                                              "老街攝影",
                                              "Morning Paper",
                                              "小小圖書館",
                                              "<b>Bold & Co</b>",
                                              "<script>alert('name')</script>",
                                              "=HYPERLINK(\"https://click.example/\")",
                                              "\xE2\x80\xAE"
                                              "eman desrever",
                                              "O'Neil, \"Jo\"",
                                              "海边的猫",
                                              "电影周末"};
constexpr std::string_view clients[] = {"Twitter for iPhone",  "Twitter for iPhone", "Twitter for Android",
                                        "Twitter for Android", "Twitter Web App",    "Twitter Web Client",
                                        "Twitter for iPad",    "TweetDeck"};
constexpr std::string_view screen_words[] = {"harbor", "river", "tea",   "lantern", "walker", "momo",
                                             "sunny",  "kai",   "ling",  "metro",   "paper",  "cloud",
                                             "yu",     "echo",  "maple", "north"};

void append_number(std::uint64_t number, std::string& out) {
    std::array<char, 20> digits;
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

void append_article_url(std::string_view site, std::uint16_t day, std::uint64_t number, std::string& out) {
    out += site;
    append_number(day + 100u, out);
    out += '/';
    append_number(number, out);
}

void append_sentence(Random& random, Script script, std::string& out) {
    out += in(pick(subjects, random), script);
    if (script == Script::english) out += ' ';
    out += in(pick(predicates, random), script);
    // A number keeps two strangers from writing the same words too often.
    if (random.below(3) != 0) {
        out += script == Script::english ? " (no. " : "（第";
        append_number(1 + random.below(400), out);
        out += script == Script::english ? ")" : "次）";
    }
    out += in(pick(tails, random), script);
}

/// What a person with a template does so that no two copies are the same bytes: other openings and endings,
/// another punctuation, and in every second copy a further remark. Most of the text stays.
void reword(std::uint16_t edit, Script script, std::string& text) {
    Random random(edit, 3);
    text.insert(0, in(pick(openings, random), script));
    if (random.below(2) == 0) text += in(pick(remarks, random), script);
    for (std::uint64_t marks = 1 + random.below(3); marks > 0; --marks) text += random.below(2) == 0 ? "!" : "~";
}

}  // namespace

void Words::clear() {
    text.clear();
    hashtag_count = 0;
    url_count = 0;
}

void Words::add_hashtag(std::string_view tag) {
    UNVEIL_ASSERT(hashtag_count < items_max);
    hashtags[hashtag_count++].assign(tag);
    text += " #";
    text += tag;
}

void Words::add_url(std::string_view url) {
    UNVEIL_ASSERT(url_count < items_max);
    urls[url_count++].assign(url);
    text += ' ';
    append_short_link(url, text);
}

void append_short_link(std::string_view url, std::string& out) {
    constexpr std::string_view letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
    for (const char c : url) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    hash = mix64(hash);
    out += "https://t.co/";
    for (int i = 0; i < 10; ++i, hash /= letters.size()) out += letters[hash % letters.size()];
}

void compose(const Content& content, Words& words) {
    words.clear();
    Random random(content.seed, 1);
    const Script script = content.script;
    thread_local std::string scratch;
    scratch.clear();
    switch (content.topic) {
        case Topic::organic: {
            if (random.below(250) == 0) {
                words.text = pick(hostile_texts, random);
                return;
            }
            append_sentence(random, script, words.text);
            if (random.below(12) == 0) {
                words.text += '\n';
                append_sentence(random, script, words.text);
            }
            if (random.below(4) == 0) {
                const double u = random.uniform();
                words.add_hashtag(
                    in(hashtags[static_cast<std::size_t>(u * u * std::size(hashtags))], script));
                if (random.below(4) == 0) words.add_hashtag(in(pick(hashtags, random), script));
            }
            if (random.below(4) == 0) {
                // The day's articles, the first ones far more read than the last.
                const double u = random.uniform();
                append_article_url(pick(sites, random), content.day,
                                   static_cast<std::uint64_t>(u * u * 60) + 1, scratch);
                words.add_url(scratch);
            }
            return;
        }
        case Topic::campaign: {
            const auto theme = content.index % std::size(slogans);
            words.text = in(slogans[theme], script);
            words.text += in(pick(slogan_tails, random), script);
            append_sentence(random, script, words.text);
            if (content.edit != 0) reword(content.edit, script, words.text);
            words.add_hashtag(in(campaign_tags[theme], script));
            if (random.below(3) == 0) words.add_hashtag(in(pick(hashtags, random), script));
            scratch = "https://focus-";
            append_number(content.index + 1, scratch);
            scratch += ".example/story/";
            append_number(random.below(1'000'000), scratch);
            words.add_url(scratch);
            return;
        }
        case Topic::celebrity:
            append_sentence(random, script, words.text);
            scratch = "StageDiary";
            append_number(content.index + 1, scratch);
            words.add_hashtag(scratch);
            return;
        case Topic::headline:
            words.text = script == Script::english ? "News: " : "快訊：";
            append_sentence(random, script, words.text);
            append_article_url(sites[content.index % std::size(sites)], content.day,
                               1000 + random.below(1'000'000), scratch);
            words.add_url(scratch);
            return;
        case Topic::event:
            append_sentence(random, script, words.text);
            scratch = "週日劇場第";
            append_number(content.index + 1, scratch);
            scratch += "集";
            words.add_hashtag(scratch);
            return;
        case Topic::viral:
            append_sentence(random, script, words.text);
            words.text += "😂😂";
            return;
    }
}

std::string_view location(std::uint64_t choice) {
    return locations[choice % std::size(locations)];
}
std::string_view description(std::uint64_t choice) {
    return descriptions[choice % std::size(descriptions)];
}
std::string_view display_name(std::uint64_t choice) {
    return display_names[choice % std::size(display_names)];
}
std::string_view client(std::uint64_t choice) {
    return clients[choice % std::size(clients)];
}

void append_screen_name(std::uint64_t choice, std::uint64_t number, std::string& out) {
    out += screen_words[choice % std::size(screen_words)];
    out += '_';
    std::array<char, 20> digits;
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number, 36).ptr);
}

std::string_view language_code(Script script) {
    return script == Script::english ? "en" : "zh";
}

std::string_view account_language_code(Script script) {
    switch (script) {
        case Script::traditional:
            return "zh-tw";
        case Script::simplified:
            return "zh-cn";
        case Script::english:
            return "en";
    }
    return "";
}

}  // namespace unveil::takedown
