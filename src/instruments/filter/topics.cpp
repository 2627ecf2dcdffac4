#include "instruments/filter/topics.hpp"

#include <fmt/format.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <tuple>

#include "core/simplified_han.hpp"
#include "core/text.hpp"
#include "instruments/filter/codebook.hpp"
#include "table/rule.hpp"

namespace unveil::filter {
namespace {

constexpr std::array<std::string_view, 13> all_topics = {"pornography",      "terrorism",  "gambling",          "state secrets", "public morality", "party and leaders", "foreign news",
                                                         "dissidents", "ethnic and religious", "events and protest", "circumvention", "health",          "illicit goods"};

struct Entry {
    std::string_view part;    // of the label, in lower case
    std::string_view topic;   // empty: about nothing in particular
};

/// The first entry whose part stands in the label counts. Labels as in the codebook of the Citizen Lab and its lists.
constexpr std::array<Entry, 74> table = {{
    {"url", ""}, {"user name", ""}, {"context unclear", ""}, {"email", ""}, {"phone number", ""},
    {"prurient", "pornography"}, {"porn", "pornography"}, {"erotic", "pornography"},
    {"gambling", "gambling"}, {"lottery", "gambling"},
    {"illicit goods", "illicit goods"}, {"drugs", "illicit goods"}, {"weapons", "illicit goods"},
    {"terrorism", "terrorism"}, {"kunming attack", "terrorism"},
    {"national security", "state secrets"}, {"military", "state secrets"}, {"state secret", "state secrets"},
    {"cultural revolution", "events and protest"}, {"falun gong", "ethnic and religious"}, {"religio", "ethnic and religious"}, {"islam", "ethnic and religious"}, {"christian", "ethnic and religious"},
    {"church", "ethnic and religious"}, {"cult", "ethnic and religious"}, {"uyghur", "ethnic and religious"}, {"tibet", "ethnic and religious"},
    {"hui", "ethnic and religious"}, {"ethnic", "ethnic and religious"}, {"kashgar", "ethnic and religious"}, {"urumqi", "ethnic and religious"},
    {"inner mongolia", "ethnic and religious"},
    {"tiananmen", "events and protest"}, {"jasmine", "events and protest"}, {"charter 08", "events and protest"}, {"democracy", "events and protest"},
    {"protest", "events and protest"}, {"occupy", "events and protest"}, {"petition", "events and protest"}, {"demolition", "events and protest"},
    {"arab spring", "events and protest"}, {"boycott", "events and protest"}, {"tuidang", "events and protest"}, {"riot", "events and protest"},
    {"dissident", "dissidents"}, {"activist", "dissidents"}, {"human rights", "dissidents"}, {"detention", "dissidents"},
    {"circumvention", "circumvention"}, {"censorship", "circumvention"}, {"surveillance", "circumvention"}, {"google leaving", "circumvention"},
    {"cpc", "party and leaders"}, {"communist party", "party and leaders"}, {"gov", "party and leaders"}, {"bo xilai", "party and leaders"},
    {"corruption", "party and leaders"}, {"xi jinping", "party and leaders"}, {"hu jintao", "party and leaders"}, {"jiang zemin", "party and leaders"},
    {"li peng", "party and leaders"}, {"wen ji", "party and leaders"}, {"zhou yongkang", "party and leaders"}, {"ferrari", "party and leaders"},
    {"criticism", "party and leaders"},
    {"health", "health"}, {"disease", "health"}, {"milk", "health"},
    {"international", "foreign news"}, {"united states", "foreign news"}, {"diaoyu", "foreign news"}, {"media", "foreign news"},
    {"victims of crime", "public morality"}, {"online novel", "public morality"},
}};

std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

/// Addresses say where something is, not what it is about.
constexpr std::string_view addresses = "urls";
bool is_url(std::string_view word) {
    if (word.find("://") != std::string_view::npos || word.starts_with("www.")) return true;
    const bool is_ascii = std::all_of(word.begin(), word.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    const auto dot = word.find('.');
    return is_ascii && dot != std::string_view::npos && dot > 0 && dot + 2 < word.size() && word.find(' ') == std::string_view::npos;
}

/// As filters and those who write around them read it: case, width and what cannot be seen do not matter, nor do blanks and traditional characters.
std::u32string plain_characters(std::string_view word) {
    const std::string text = folded(word);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto size = static_cast<std::int32_t>(text.size());
    std::u32string characters;
    for (std::int32_t i = 0; i < size;) {
        UChar32 character;
        U8_NEXT(bytes, i, size, character);
        if (character > ' ') characters += simplified_han(static_cast<char32_t>(character));
    }
    return characters;
}

/// For a word to say by itself what a text is about that it stands in: two Chinese characters, six letters.
bool is_long_enough(std::u32string_view characters) {
    const auto letters = static_cast<std::size_t>(std::count_if(characters.begin(), characters.end(), [](char32_t c) { return c < 0x800; }));
    return letters + 3 * (characters.size() - letters) >= 6;
}

/// Single characters and pairs, also with the ends of the word, which stand as blanks.
std::vector<std::uint64_t> runs_of(std::u32string_view characters) {
    std::vector<std::uint64_t> runs;
    char32_t before = ' ';
    for (const char32_t character : characters) {
        runs.push_back(character);
        runs.push_back(std::uint64_t{before} << 32 | character);
        before = character;
    }
    if (!characters.empty()) runs.push_back(std::uint64_t{before} << 32 | ' ');
    return runs;
}

}  // namespace

std::span<const std::string_view> topics() { return all_topics; }

std::string_view topic_of_label(std::string_view label) {
    const std::string lower = lower_case(label);
    for (const auto topic : all_topics)
        if (lower == topic) return topic;
    for (const Entry& entry : table)
        if (lower.find(entry.part) != std::string::npos) return entry.topic;
    return {};
}

std::vector<LabelledWord> seed_words() {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 13> words = {{
        {"pornography",
         "色情,裸体,裸聊,成人电影,成人小说,成人网站,情色,性爱,性交,做爱,口交,乳房,阴茎,阴道,黄片,黄色电影,毛片,"
         "三级片,无码,有码,淫荡,淫秽,援交,妓女,嫖娼,一夜情,强奸,乱伦,porn,nude,xxx,sex video,"
         "hardcore"},
        {"terrorism",
         "恐怖袭击,恐怖分子,恐怖主义,炸弹,爆炸物,爆炸案,自杀式袭击,人体炸弹,圣战,基地组织,本拉登,伊斯兰国,绑架人质,"
         "terrorist,bomb,jihad,al qaeda"},
        {"gambling",
         "赌博,赌场,赌球,赌马,彩票,博彩,六合彩,百家乐,老虎机,轮盘,下注,投注,押注,赔率,足彩,casino,"
         "betting,baccarat,poker,jackpot"},
        {"state secrets",
         "国家机密,国家秘密,军事机密,机密文件,绝密,解放军,军区,核武器,核潜艇,导弹,航空母舰,军事演习,国家安全部,"
         "情报机关,间谍,classified,state secret"},
        {"public morality",
         "自杀,婚外情,低俗,虐待动物,换妻,算命,suicide"},
        {"party and leaders",
         "共产党,中共,中央委员会,中央政治局,政治局常委,政治局,总书记,国家主席,主席,总理,中南海,中宣部,国务院,太子党,"
         "党代会,习近平,胡锦涛,江泽民,温家宝,李克强,李鹏,邓小平,毛泽东,薄熙来,周永康,令计划,曾庆红,贪污,腐败,贪官,"
         "受贿,独裁,一党专政"},
        {"foreign news",
         "美国,日本,联合国,外交部,白宫,奥巴马,钓鱼岛,南海争端,纽约时报,华尔街日报,美国之音,自由亚洲电台,法新社,路透社,"
         "德国之声,英国广播公司,embassy,reuters,bbc,cnn"},
        {"dissidents",
         "异议人士,异见人士,维权人士,维权律师,人权,政治犯,良心犯,诺贝尔和平奖,刘晓波,艾未未,陈光诚,胡佳,高智晟,王丹,"
         "吾尔开希,魏京生,零八宪章,软禁,劳改,黑监狱,酷刑,dissident,human rights,amnesty"},
        {"ethnic and religious",
         "西藏,藏独,藏人,达赖喇嘛,达赖,班禅,新疆,疆独,维吾尔,热比娅,东突厥斯坦,蒙独,法轮功,法轮大法,李洪志,真善忍,"
         "退党,邪教,全能神,伊斯兰,穆斯林,清真寺,基督教,家庭教会,教会,天主教,佛教,uyghur,tibet,"
         "dalai lama,falun,islam,church"},
        {"events and protest",
         "天安门,六四,八九民运,学生运动,学潮,学运,坦克人,屠杀,戒严,民主运动,民运,游行,示威,集会,静坐,绝食,罢工,"
         "罢课,罢市,抗议,抗暴,暴动,起义,茉莉花革命,占领中环,雨伞运动,上访,拆迁,强拆,文化大革命,protest,"
         "tiananmen,june 4,democracy,revolution"},
        {"circumvention",
         "翻墙,翻墙软件,代理服务器,防火墙,防火长城,自由门,无界,无界浏览,动态网,逍遥游,洋葱路由,网络审查,网络封锁,"
         "敏感词,屏蔽,vpn,proxy,freegate,ultrasurf,censorship,firewall"},
        {"health",
         "疫情,肺炎,非典,禽流感,艾滋病,病毒,疫苗,毒疫苗,传染病,确诊,隔离,毒奶粉,三聚氰胺,virus,vaccine,"
         "sars,covid"},
        {"illicit goods",
         "毒品,冰毒,海洛因,大麻,摇头丸,枪支,手枪,气枪,弹药,子弹,假发票,代开发票,发票,假币,假钞,假文凭,办证,"
         "代办证件,身份证,迷药,迷魂药,春药,窃听器,走私,代考,答案,高利贷,套现,drugs,heroin,ketamine,"
         "firearm,fake passport"},
    }};
    std::vector<LabelledWord> seeds;
    for (const auto& [topic, list] : words)
        for (std::size_t at = 0; at < list.size();) {
            const auto end = std::min(list.find(',', at), list.size());
            seeds.push_back({std::string(list.substr(at, end - at)), std::string(topic), false});
            at = end + 1;
        }
    return seeds;
}

namespace {

using Counts = std::map<std::string, std::uint64_t>;

/// The likeliest; of equals the first by bytes.
std::string most_of(const Counts& counts) {
    const auto most = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == counts.end() ? std::string() : most->first;
}

}  // namespace

std::size_t TopicModel::Classes::number_of(const std::string& name) const {
    const auto at = std::lower_bound(names.begin(), names.end(), name);
    return at == names.end() || *at != name ? none : static_cast<std::size_t>(at - names.begin());
}

void TopicModel::name_classes(const std::vector<LabelledWord>& words) {
    std::set<std::string> categories;
    std::set<std::string> themes;
    std::map<std::string, Counts> theme_of;
    for (const LabelledWord& one : words) {
        const std::string category = category_of_label(one.category, one.category_number);
        const std::string theme = theme_of_label(one.theme);
        if (category == addresses) continue;
        if (!category.empty()) categories.insert(category);
        if (!theme.empty()) themes.insert(theme);
        if (!category.empty() && !theme.empty()) ++theme_of[category][theme];
    }
    m_categories.names.assign(categories.begin(), categories.end());
    m_themes.names.assign(themes.begin(), themes.end());
    for (const auto& [category, counts] : theme_of) m_theme_of.emplace(category, most_of(counts));
}

TopicModel::TopicModel(std::vector<LabelledWord> words) {
    const auto key = [](const LabelledWord& one) { return std::tie(one.word, one.label, one.category, one.category_number, one.theme, one.is_said); };
    std::sort(words.begin(), words.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
    name_classes(words);
    for (const LabelledWord& one : words) {
        const std::string category = category_of_label(one.category, one.category_number);
        std::string theme = theme_of_label(one.theme);
        // A list without themes takes those that other lists give to its categories.
        if (const auto known = m_theme_of.find(category); theme.empty() && known != m_theme_of.end()) theme = known->second;
        // "General" says what it is about only with its number.
        const std::string_view topic = topic_of_label(one.label == one.category && !category.empty() ? category : one.label);
        Learnt learnt{one.word, one.label, plain_characters(one.word), none, m_categories.number_of(category), m_themes.number_of(theme), {}};
        if (!topic.empty()) learnt.topic = static_cast<std::size_t>(std::find(all_topics.begin(), all_topics.end(), topic) - all_topics.begin());
        if (topic.empty() && category.empty() && theme.empty()) continue;
        auto components = rule_components(one.word);
        if (one.is_said) {
            std::sort(components.begin(), components.end());
            m_said[rule_notation(components)] = {std::string(topic), category, theme};
        }
        if (category == addresses || is_url(one.word)) continue;
        for (const auto& component : components)
            for (const std::uint64_t run : runs_of(plain_characters(component))) {
                const auto [known, is_new] = m_feature_of.emplace(run, static_cast<std::uint32_t>(m_feature_of.size()));
                learnt.features.push_back(known->second);
            }
        std::sort(learnt.features.begin(), learnt.features.end());
        learnt.features.erase(std::unique(learnt.features.begin(), learnt.features.end()), learnt.features.end());
        // The same word under the same label many times is said once.
        if (!m_words.empty() && m_words.back().word == learnt.word && m_words.back().topic == learnt.topic && m_words.back().category == learnt.category) continue;
        m_topical_words += learnt.topic != none;
        m_words.push_back(std::move(learnt));
    }
    m_words_of.resize(m_feature_of.size());
    for (std::uint32_t w = 0; w < m_words.size(); ++w)
        for (const std::uint32_t feature : m_words[w].features) m_words_of[feature].push_back(w);
    m_topics.names.assign(all_topics.begin(), all_topics.end());
    learn(m_topics.model, all_topics.size(), &Learnt::topic);
    learn(m_categories.model, m_categories.names.size(), &Learnt::category);
    learn(m_themes.model, m_themes.names.size(), &Learnt::theme);
}

void TopicModel::learn(WordClassifier& model, std::size_t classes, std::size_t Learnt::* number) {
    std::vector<WordClassifier::Example> examples;
    for (const Learnt& one : m_words)
        if (one.*number != none) examples.push_back({&one.features, one.*number});
    if (!examples.empty()) model.train(examples, m_feature_of.size(), classes);
}

std::vector<std::uint32_t> TopicModel::known_features(std::span<const std::string> components) const {
    std::vector<std::uint32_t> features;
    for (const auto& component : components)
        for (const std::uint64_t run : runs_of(plain_characters(component)))
            if (const auto known = m_feature_of.find(run); known != m_feature_of.end()) features.push_back(known->second);
    std::sort(features.begin(), features.end());
    features.erase(std::unique(features.begin(), features.end()), features.end());
    return features;
}

TopicGuess TopicModel::guess(std::span<const std::string> components, double sure) const {
    TopicGuess guess;
    std::vector<std::string> sorted(components.begin(), components.end());
    std::sort(sorted.begin(), sorted.end());
    const auto features = known_features(components);
    // Neighbours share the most runs, weighed by how few words have them.
    std::map<std::uint32_t, double> shared;
    for (const std::uint32_t feature : features)
        for (const std::uint32_t word : m_words_of[feature]) shared[word] += 1 / static_cast<double>(m_words_of[feature].size());
    std::vector<std::pair<double, std::uint32_t>> nearest;
    for (const auto& [word, weight] : shared) nearest.emplace_back(-weight / std::sqrt(static_cast<double>(m_words[word].features.size())), word);
    const std::size_t shown = std::min<std::size_t>(3, nearest.size());
    std::partial_sort(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(shown), nearest.end());
    for (std::size_t i = 0; i < shown; ++i) {
        const Learnt& one = m_words[nearest[i].second];
        guess.neighbours.push_back(fmt::format("{} ({})", one.word, one.label));
    }
    std::vector<std::u32string> plain_components;
    for (const auto& component : components) plain_components.push_back(plain_characters(component));
    std::vector<const Learnt*> held;
    for (const Learnt& one : m_words)
        if (is_long_enough(one.characters) &&
            std::any_of(plain_components.begin(), plain_components.end(), [&](const std::u32string& component) { return component.find(one.characters) != std::u32string::npos; }))
            held.push_back(&one);
    std::stable_sort(held.begin(), held.end(), [](const Learnt* a, const Learnt* b) { return a->characters.size() > b->characters.size(); });

    const Learnt* of_topic = agreed(held, &Learnt::topic);
    const Learnt* of_category = agreed(held, &Learnt::category);
    guess.topic = answer(m_topics, m_topical_words > 0 ? features : std::vector<std::uint32_t>(), of_topic, &Learnt::topic, sure);
    guess.category = answer(m_categories, features, of_category, &Learnt::category, sure);
    guess.theme = answer(m_themes, features, agreed(held, &Learnt::theme), &Learnt::theme, sure);
    // Models of few words are never sure; there a labelled word that stands in the rule must do.
    constexpr std::size_t words_few = 1000;
    if (guess.topic.name.empty() && of_topic != nullptr && m_topical_words < words_few) guess.topic.name = all_topics[of_topic->topic];
    for (const auto& [answer, reason] : {std::pair(&guess.category, of_category), std::pair(&guess.topic, of_topic)}) {
        if (answer->name.empty() || answer->probability >= sure) continue;
        std::string shown_word = fmt::format("{} ({})", reason->word, reason->label);
        std::erase(guess.neighbours, shown_word);
        guess.neighbours.insert(guess.neighbours.begin(), std::move(shown_word));
    }
    guess.neighbours.resize(std::min<std::size_t>(3, guess.neighbours.size()));
    if (const auto said = m_said.find(rule_notation(sorted)); said != m_said.end()) {
        const auto overrule = [](const std::string& by, Answer& answer) {
            if (!by.empty()) answer = {by, by, 1, true};
        };
        overrule(said->second.topic, guess.topic);
        overrule(said->second.category, guess.category);
        overrule(said->second.theme, guess.theme);
    }
    // A category is told more rightly than a theme, and neither that nor the topic may contradict it.
    if (const auto topic = topic_of_label(guess.category.name); guess.topic.name.empty() && !topic.empty())
        guess.topic = {std::string(topic), std::string(topic), guess.category.probability, guess.category.is_said};
    if (const auto theme = m_theme_of.find(guess.category.name); theme != m_theme_of.end() && !guess.theme.is_said) {
        const double probability = guess.theme.likeliest == theme->second ? guess.theme.probability : 0;
        guess.theme = {theme->second, theme->second, std::max(probability, guess.category.probability), guess.category.is_said};
    }
    return guess;
}

const TopicModel::Learnt* TopicModel::agreed(const std::vector<const Learnt*>& held, std::size_t Learnt::* number) {
    const Learnt* longest = nullptr;
    for (const Learnt* one : held) {
        if (one->*number == none) continue;
        if (longest == nullptr) longest = one;
        else if (one->*number != longest->*number) return nullptr;
    }
    return longest;
}

Answer TopicModel::answer(const Classes& classes, const std::vector<std::uint32_t>& features, const Learnt* agreed, std::size_t Learnt::* number, double sure) {
    // Of what is told for this reason alone, 406 of 456 categories and 651 of 746 topics were right on the splits of bench_topics.
    constexpr double borne_out = 0.3;
    if (features.empty() || classes.names.empty()) return {};
    const auto p = classes.model.probabilities(features);
    const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    Answer answer{"", classes.names[best], p[best], false};
    const bool is_told = agreed == nullptr ? p[best] >= sure : agreed->*number == best && p[best] >= sure - borne_out;
    if (is_told) answer.name = answer.likeliest;
    return answer;
}

}  // namespace unveil::filter
