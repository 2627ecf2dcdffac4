#include "instruments/filter/topics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "core/random.hpp"
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
constexpr std::array<Entry, 73> table = {{
    {"url", ""}, {"user name", ""}, {"context unclear", ""}, {"email", ""}, {"phone number", ""},
    {"prurient", "pornography"}, {"porn", "pornography"}, {"erotic", "pornography"},
    {"gambling", "gambling"}, {"lottery", "gambling"},
    {"illicit goods", "illicit goods"}, {"drugs", "illicit goods"}, {"weapons", "illicit goods"},
    {"terrorism", "terrorism"}, {"kunming attack", "terrorism"},
    {"national security", "state secrets"}, {"military", "state secrets"}, {"state secret", "state secrets"},
    {"falun gong", "ethnic and religious"}, {"religio", "ethnic and religious"}, {"islam", "ethnic and religious"}, {"christian", "ethnic and religious"},
    {"church", "ethnic and religious"}, {"cult", "ethnic and religious"}, {"uyghur", "ethnic and religious"}, {"tibetan", "ethnic and religious"},
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
bool is_url(std::string_view word) {
    if (word.find("://") != std::string_view::npos || word.starts_with("www.")) return true;
    const bool is_ascii = std::all_of(word.begin(), word.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    const auto dot = word.find('.');
    return is_ascii && dot != std::string_view::npos && dot > 0 && dot + 2 < word.size() && word.find(' ') == std::string_view::npos;
}

/// Runs of one to three characters, marked at the ends of the word.
std::vector<std::string> runs_of(std::string_view word) {
    std::vector<std::string> characters{"^"};
    for (std::size_t at = 0; at < word.size();) {
        const std::size_t bytes = first_character_bytes(word.substr(at));
        characters.emplace_back(word.substr(at, bytes));
        at += bytes;
    }
    characters.emplace_back("$");
    std::vector<std::string> runs;
    for (std::size_t begin = 0; begin < characters.size(); ++begin) {
        std::string run;
        for (std::size_t length = 1; length <= 3 && begin + length <= characters.size(); ++length) {
            run += characters[begin + length - 1];
            if (run != "^" && run != "$") runs.push_back(run);
        }
    }
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
        {"pornography", "色情,裸体,成人电影,性爱,porn,nude"},
        {"terrorism", "恐怖袭击,炸弹,圣战,爆炸物,terrorist,bomb"},
        {"gambling", "赌博,彩票,赌场,博彩,casino,betting"},
        {"state secrets", "国家机密,军事机密,解放军,核武器,导弹,secret"},
        {"public morality", "自杀,暴力,婚外情,低俗,suicide"},
        {"party and leaders", "共产党,中央委员会,总书记,主席,总理,政治局,贪污,腐败"},
        {"foreign news", "美国,日本,联合国,外交部,纽约时报,embassy"},
        {"dissidents", "异议人士,维权律师,人权,政治犯,诺贝尔和平奖,dissident"},
        {"ethnic and religious", "西藏,新疆,维吾尔,达赖喇嘛,法轮功,伊斯兰,教会"},
        {"events and protest", "天安门,六四,游行,示威,罢工,学潮,抗议,protest"},
        {"circumvention", "翻墙,代理服务器,防火墙,无界,vpn,proxy"},
        {"health", "疫情,肺炎,病毒,疫苗,传染病,virus"},
        {"illicit goods", "毒品,枪支,假发票,代开发票,迷药,drugs"},
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

TopicModel::TopicModel(std::vector<LabelledWord> words) {
    std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return std::tie(a.word, a.label) < std::tie(b.word, b.label); });
    for (const LabelledWord& one : words) {
        const std::string_view topic = topic_of_label(one.label);
        if (topic.empty()) continue;
        auto components = rule_components(one.word);
        if (one.is_topic) {
            std::sort(components.begin(), components.end());
            m_said[rule_notation(components)] = topic;
        }
        if (is_url(one.word)) continue;
        Learnt learnt{one.word, one.label, static_cast<std::size_t>(std::find(all_topics.begin(), all_topics.end(), topic) - all_topics.begin()), {}};
        for (const auto& component : components)
            for (auto& run : runs_of(lower_case(component))) {
                const auto [known, is_new] = m_feature_of.emplace(std::move(run), static_cast<std::uint32_t>(m_feature_of.size()));
                learnt.features.push_back(known->second);
            }
        std::sort(learnt.features.begin(), learnt.features.end());
        learnt.features.erase(std::unique(learnt.features.begin(), learnt.features.end()), learnt.features.end());
        // The same word under the same label many times is said once.
        if (!m_words.empty() && m_words.back().word == learnt.word && m_words.back().topic == learnt.topic) continue;
        m_words.push_back(std::move(learnt));
    }
    m_words_of.resize(m_feature_of.size());
    for (std::uint32_t w = 0; w < m_words.size(); ++w)
        for (const std::uint32_t feature : m_words[w].features) m_words_of[feature].push_back(w);
    constexpr std::size_t k = all_topics.size();
    constexpr int epochs = 12;
    constexpr double rate_first = 0.3;
    constexpr double decay = 1e-5;
    m_weights.assign(m_feature_of.size() * k, 0);
    std::vector<std::uint32_t> order(m_words.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    Random random(1, 0x70c);
    for (int epoch = 0; epoch < epochs; ++epoch) {
        for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
        const double rate = rate_first / (1 + epoch);
        for (const std::uint32_t w : order) {
            const auto p = probabilities(m_words[w].features);
            const double scale = rate / std::sqrt(static_cast<double>(m_words[w].features.size()));
            for (const std::uint32_t feature : m_words[w].features)
                for (std::size_t t = 0; t < k; ++t) {
                    double& weight = m_weights[feature * k + t];
                    weight += scale * ((t == m_words[w].topic ? 1.0 : 0.0) - p[t]) - rate * decay * weight;
                }
        }
    }
}

std::vector<double> TopicModel::probabilities(const std::vector<std::uint32_t>& features) const {
    constexpr std::size_t k = all_topics.size();
    std::vector<double> p(k, 0);
    // Long words must not be surer than short ones only for their length.
    const double scale = 1 / std::sqrt(static_cast<double>(std::max<std::size_t>(1, features.size())));
    for (const std::uint32_t feature : features)
        for (std::size_t t = 0; t < k; ++t) p[t] += scale * m_weights[feature * k + t];
    const double most = *std::max_element(p.begin(), p.end());
    double sum = 0;
    for (double& one : p) sum += one = std::exp(one - most);
    for (double& one : p) one /= sum;
    return p;
}

std::vector<std::uint32_t> TopicModel::known_features(std::span<const std::string> components) const {
    std::vector<std::uint32_t> features;
    for (const auto& component : components)
        for (const auto& run : runs_of(lower_case(component)))
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
    std::sort(nearest.begin(), nearest.end());
    for (std::size_t i = 0; i < std::min<std::size_t>(3, nearest.size()); ++i) {
        const Learnt& one = m_words[nearest[i].second];
        guess.neighbours.push_back(fmt::format("{} ({})", one.word, one.label));
    }
    if (const auto said = m_said.find(rule_notation(sorted)); said != m_said.end()) {
        guess.topic = said->second;
        guess.probability = 1;
        guess.is_said = true;
        return guess;
    }
    if (features.empty()) return guess;
    const auto p = probabilities(features);
    const auto best = std::max_element(p.begin(), p.end());
    guess.probability = *best;
    if (*best >= sure) guess.topic = all_topics[static_cast<std::size_t>(best - p.begin())];
    if (!guess.topic.empty()) return guess;
    // Where the model is not sure, a labelled word that stands in the rule may be, if all that do are of one topic.
    constexpr std::size_t word_bytes_min = 6;
    std::size_t topic = all_topics.size();
    const Learnt* longest = nullptr;
    for (const Learnt& one : m_words) {
        const bool is_held = one.word.size() >= word_bytes_min &&
                             std::any_of(components.begin(), components.end(), [&](const std::string& component) { return component.find(one.word) != std::string::npos; });
        if (!is_held) continue;
        if (longest != nullptr && one.topic != topic) return guess;
        topic = one.topic;
        if (longest == nullptr || one.word.size() > longest->word.size()) longest = &one;
    }
    if (longest == nullptr) return guess;
    guess.topic = all_topics[topic];
    std::string held = fmt::format("{} ({})", longest->word, longest->label);
    std::erase(guess.neighbours, held);
    guess.neighbours.insert(guess.neighbours.begin(), std::move(held));
    guess.neighbours.resize(std::min<std::size_t>(3, guess.neighbours.size()));
    return guess;
}

}  // namespace unveil::filter
