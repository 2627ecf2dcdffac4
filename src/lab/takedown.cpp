#include "lab/takedown.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <queue>
#include <tuple>
#include <utility>

#include "core/error.hpp"
#include "core/output_table.hpp"
#include "core/random.hpp"
#include "core/time.hpp"
#include "lab/part_file.hpp"
#include "lab/takedown_text.hpp"
#include "lab/truth.hpp"

namespace unveil {
namespace {

using namespace takedown;

constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;
constexpr std::int64_t world_start_ms = 1588291200000;  // 2020-05-01, a Friday
constexpr std::uint32_t outsider_bit = 0x80000000u;     // authors of reposted posts that the evidence lacks

constexpr std::string_view tweets_header =
    "tweetid,userid,user_display_name,user_screen_name,user_reported_location,user_profile_description,"
    "user_profile_url,follower_count,following_count,account_creation_date,account_language,tweet_language,"
    "tweet_text,tweet_time,tweet_client_name,in_reply_to_userid,in_reply_to_tweetid,quoted_tweet_tweetid,is_"
    "retweet,"
    "retweet_userid,retweet_tweetid,latitude,longitude,quote_count,reply_count,like_count,retweet_count,"
    "hashtags,"
    "urls,user_mentions,poll_choices\n";
constexpr std::string_view users_header =
    "userid,user_display_name,user_screen_name,user_reported_location,user_profile_description,user_profile_"
    "url,"
    "follower_count,following_count,account_creation_date,account_language\n";

/// Posts by hour of the day in UTC; people of this world live eight hours ahead.
constexpr std::array<std::uint32_t, 24> hour_weights = {30, 36, 42, 46, 52, 50, 44, 42, 42, 44, 48, 54,
                                                        62, 70, 74, 66, 48, 26, 14, 8,  6,  8,  14, 22};

/// One independent random stream for each decision, so that any part of the world can be derived again alone.
enum class Stream : std::uint64_t {
    slot,
    account,
    cascade,
    blast,
    dilution,
    celebrity,
    headline,
    viral,
    event,
    schedule,
    order,
    duty,
    roster,
    outside,
    feed
};
Random stream_of(std::uint64_t seed, Stream stream, std::uint64_t a, std::uint64_t b = 0) {
    return Random(seed ^ mix64(static_cast<std::uint64_t>(stream) + 1), (a << 32) ^ b);
}

/// A bijection of [0, size) by a Feistel network on the next even number of bits, walked until it falls
/// inside.
class Permutation {
  public:
    Permutation(std::uint64_t size, std::uint64_t key) : m_size(size), m_key(key) {
        while ((std::uint64_t{1} << (2 * m_half_bits)) < size) ++m_half_bits;
    }
    std::uint64_t operator()(std::uint64_t position) const {
        const std::uint64_t mask = (std::uint64_t{1} << m_half_bits) - 1;
        do {
            std::uint64_t left = position >> m_half_bits;
            std::uint64_t right = position & mask;
            for (std::uint64_t round = 0; round < 4; ++round)
                left = std::exchange(right,
                                     left ^ (mix64(m_key + round * 0x9e3779b97f4a7c15ULL + right) & mask));
            position = left << m_half_bits | right;
        } while (position >= m_size);
        return position;
    }

  private:
    std::uint64_t m_size;
    std::uint64_t m_key;
    unsigned m_half_bits = 1;
};

struct PostRef {
    std::uint64_t id = 0;
    std::uint32_t author = 0;
    Content content;
};

enum class Action : std::uint8_t { original, retweet, retweet_any, retweet_popular, reply, quote };

/// A post that will be written at its time.
struct Pending {
    std::int64_t t_ms = 0;
    std::uint64_t order = 0;
    std::uint32_t author = 0;
    Action action = Action::original;
    Content content;
    PostRef target;
    bool operator>(const Pending& other) const {
        return t_ms != other.t_ms ? t_ms > other.t_ms : order > other.order;
    }
};

/// Something planned that makes posts: decided before the first post is written, spelled out when its time
/// comes.
struct Happening {
    enum class Kind : std::uint8_t { cascade, blast, dilution, celebrity, headline, viral, event, feed };
    std::int64_t t_ms = 0;
    std::uint32_t group = 0;  // which campaign, celebrity, group of bots, feed bot
    std::uint32_t round = 0;
    Kind kind = Kind::cascade;
};

struct Share {
    std::int64_t delay_ms = 0;
    std::uint32_t author = 0;
};

/// How many accounts and posts of each kind, all from the parameters.
struct Plan {
    explicit Plan(const ParameterValues& parameters);

    std::uint64_t posts = 0;
    std::int64_t days = 30;
    std::uint32_t campaigns = 0;
    std::uint32_t campaign_accounts = 0;  // of each
    std::uint32_t core_accounts = 0;      // of each
    std::uint32_t cascades = 0;           // of each campaign
    std::uint32_t blasts = 0;
    std::uint32_t dilutions = 0;
    double participation = 0;
    std::int64_t jitter_ms = 0;
    double duty_share = 1;              // of a campaign's accounts, on each day
    double paraphrase = 0;              // share of the core's copies that are reworded
    std::uint32_t shared_posts_max = 0; // of any two accounts of a campaign; 0: no limit
    bool has_outside_share = false;
    double outside_share = 0;  // of a campaign post's reposts that come from organic accounts
    bool is_plain = true;      // campaigns are as easy to see as the default ones
    std::uint32_t bot_groups = 0;
    std::uint32_t bots = 6;  // in each group
    std::uint32_t headlines = 0;
    std::uint32_t headline_hours = 1;  // from one to the next
    std::uint32_t celebrities = 0;
    std::uint32_t fans = 0;  // of each
    std::uint32_t celebrity_posts = 0;
    std::uint32_t events = 0;
    std::uint32_t crowd = 0;
    std::uint32_t virals = 0;
    std::uint32_t viral_size = 0;
    std::uint32_t others = 0;  // organic accounts without a part in any of this

    // Accounts are numbered campaign by campaign, core first; then news bots, feed bots, celebrities, fans, crowd,
    // others.
    std::uint32_t bots_begin = 0;
    std::uint32_t feeds_begin = 0;
    std::uint32_t people_begin = 0;  // celebrities; from here on accounts also do what anybody does
    std::uint32_t fans_begin = 0;
    std::uint32_t crowd_begin = 0;
    std::uint32_t others_begin = 0;
    std::uint32_t accounts = 0;
};

Plan::Plan(const ParameterValues& parameters) {
    posts = static_cast<std::uint64_t>(parameters.integer("scale"));
    const double scale = static_cast<double>(posts);
    const auto rounded = [](double value) { return static_cast<std::uint32_t>(value); };
    if (posts > 1'000'000) days = std::min<std::int64_t>(365, rounded(30 * std::sqrt(scale / 1e6)));

    campaigns = parameters.has_value("campaigns")
                    ? static_cast<std::uint32_t>(parameters.integer("campaigns"))
                : posts >= 100'000'000 ? 8
                : posts >= 10'000'000  ? 4
                                       : 2;
    campaign_accounts = parameters.has_value("campaign-accounts")
                            ? static_cast<std::uint32_t>(parameters.integer("campaign-accounts"))
                            : std::clamp(rounded(25 * std::pow(scale / 2e4, 0.3)), 25u, 150u);
    core_accounts = std::max(3u, rounded(0.5 + parameters.real("core-share") * campaign_accounts));
    participation = parameters.real("participation");
    jitter_ms = parameters.duration_us("jitter") / 1000;
    if (campaigns > 0) {
        // Every fourth cascade starts from a text that several core accounts post; each of them is then
        // amplified.
        const double cascade_posts = 1 + participation * (campaign_accounts - 1);
        const double dilution = parameters.real("dilution");
        const double unit_posts =
            (1.25 * cascade_posts + 0.25 * participation * core_accounts) * (1 + dilution);
        const double budget = parameters.real("campaign-share") * scale / campaigns;
        cascades = std::max(22u, rounded(budget / unit_posts));
        blasts = std::max(8u, cascades / 4);
        if (parameters.has_value("campaign-objects")) {
            const auto objects = static_cast<std::uint32_t>(parameters.integer("campaign-objects"));
            blasts = objects / 5;
            cascades = objects - blasts;
        }
        dilutions = rounded(dilution * cascades * cascade_posts);
    }
    if (parameters.has_value("rotation")) duty_share = parameters.real("rotation");
    if (parameters.has_value("paraphrase")) paraphrase = parameters.real("paraphrase");
    if (parameters.has_value("shared-posts-max"))
        shared_posts_max = static_cast<std::uint32_t>(parameters.integer("shared-posts-max"));
    has_outside_share = parameters.has_value("outside-share");
    if (has_outside_share) outside_share = parameters.real("outside-share");
    is_plain = jitter_ms <= 30 * second_ms && participation >= 0.6 && campaign_accounts >= 25 &&
               3 * core_accounts <= campaign_accounts && cascades >= 15 && duty_share >= 1 && paraphrase <= 0 &&
               shared_posts_max == 0 && parameters.real("dilution") <= 0.15 && !has_outside_share;

    const auto hours = static_cast<std::uint32_t>(days - 2) * 24;
    const auto headline_budget = rounded(0.01 * scale);
    bot_groups = headline_budget / (bots * hours) + 1;
    headlines = headline_budget / (bots * bot_groups);
    headline_hours = std::max(1u, hours / std::max(1u, headlines));
    headlines = std::min(headlines, hours / headline_hours);

    celebrities = 1 + std::min(19u, rounded(scale / 1e6));
    fans = std::clamp(rounded(20 * std::pow(scale / 2e4, 0.3)), 12u, 200u);
    celebrity_posts = std::max(4u, rounded(0.015 * scale / celebrities / (1 + 0.9 * fans)));

    events = static_cast<std::uint32_t>(days / 7);
    crowd = std::max(20u, rounded(0.015 * scale / events));
    virals = std::clamp(rounded(scale / 2e5), 3u, 24u);
    viral_size = std::min(5000u, rounded(0.03 * scale / virals));

    // Ten posts for each account, up to thirty in the largest worlds.
    const double posts_each = 10 + 10 * std::max(0.0, std::log10(scale / 1e6));
    const std::uint32_t special =
        campaigns * campaign_accounts + bot_groups * bots + celebrities * (1 + fans) + crowd;
    others = std::max(rounded(scale / posts_each), special + 200) - special;
    if (parameters.has_value("accounts")) {
        const auto organic = static_cast<std::uint32_t>(parameters.integer("accounts"));
        const std::uint32_t taken = celebrities * (1 + fans) + crowd;
        if (organic < taken + 200)
            throw Error(ErrorKind::usage, fmt::format("{} organic accounts are too few", organic),
                        fmt::format("Celebrities, fans and crowd take {} of them; give --accounts {} or more, or a "
                                    "smaller --scale",
                                    taken, taken + 200));
        others = organic - taken;
    }
    const auto feeds =
        parameters.has_value("feed-bots") ? static_cast<std::uint32_t>(parameters.integer("feed-bots")) : 0u;

    bots_begin = campaigns * campaign_accounts;
    feeds_begin = bots_begin + bot_groups * bots;
    people_begin = feeds_begin + feeds;
    fans_begin = people_begin + celebrities;
    crowd_begin = fans_begin + celebrities * fans;
    others_begin = crowd_begin + crowd;
    accounts = others_begin + others;
    viral_size = std::min(viral_size, others / 2);
}

/// What anybody can see of an account. Derived from its number whenever it is needed, so that nothing is
/// stored.
struct Profile {
    bool is_hashed = true;
    Script script = Script::traditional;
    std::uint64_t numeric_id = 0;
    std::uint64_t followers = 0;
    std::uint64_t following = 0;
    std::int64_t created_ms = 0;
    std::uint64_t choice = 0;
};

void append_number(std::uint64_t number, std::string& out) {
    std::array<char, 20> digits;
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

/// Quoted only when it must be, as the archive's mirror does.
void append_cell(std::string_view text, std::string& out) {
    if (text.find_first_of(",\"\n\r") == std::string_view::npos) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

/// "2020-05-19 15:13"
void append_minute(std::int64_t t_ms, std::string& out) {
    const std::string text = format_time(t_ms / minute_ms * minute_ms * 1000);
    out.append(text, 0, 10);
    out += ' ';
    out.append(text, 11, 5);
}

class World {
  public:
    World(const ParameterValues& parameters, std::uint64_t seed, std::string out_folder, Progress& progress)
        : m_plan(parameters),
          m_seed(seed),
          m_progress(progress),
          m_folder(std::move(out_folder)),
          m_people(m_plan.accounts - m_plan.people_begin, mix64(seed + 11)),
          m_pool(512 + (m_plan.accounts - m_plan.people_begin) / 64),
          m_has_posted(m_plan.accounts),
          m_is_viral(m_plan.accounts) {
        fill_rosters();
        // Ranks follow (rank + offset)^-3/4: a heavy tail whose inverse is a fourth power, and so exact
        // everywhere.
        const double people = m_plan.accounts - m_plan.people_begin;
        m_rank_offset = 20 + people / 2000;
        m_rank_low = std::sqrt(std::sqrt(m_rank_offset));
        m_rank_high = std::sqrt(std::sqrt(m_rank_offset + people));
        m_end_ms = world_start_ms + m_plan.days * day_ms;
        fill_schedule();
        fill_pool();
    }

    void write_posts();
    void write_users() const;
    Truth truth() const;
    std::uint64_t posted_accounts() const {
        return static_cast<std::uint64_t>(std::count(m_has_posted.begin(), m_has_posted.end(), true));
    }
    const Plan& plan() const { return m_plan; }

  private:
    struct PoolPost {
        PostRef post;
        std::uint8_t popularity = 0;
    };

    Profile profile(std::uint32_t account) const;
    void append_user_id(std::uint32_t account, const Profile& profile, std::string& out) const;
    void append_user_id(std::uint32_t account, std::string& out) const;
    void append_account_cells(std::uint32_t account, const Profile& profile, std::string& out) const;
    std::uint64_t numeric_id(std::uint32_t account) const;
    void append_shown_name(std::uint32_t account, std::string& out) const;
    std::string user_id(std::uint32_t account) const {
        std::string id;
        append_user_id(account, id);
        return id;
    }

    void fill_schedule();
    void fill_rosters();
    void fill_pool();
    void schedule(Happening::Kind kind, std::uint32_t group, std::uint32_t round, std::int64_t t_ms);
    /// Who joins in, and how much later; the first entry posts the original at delay 0.
    void spell_out(const Happening& happening, std::vector<Share>& shares) const;
    /// Whether the member joins in, and draws its chance; `author` itself never does.
    bool joins(const Happening& happening, std::uint32_t post, std::uint32_t account, std::uint32_t author,
               Random& random) const;
    void add_outsiders(const Happening& happening, std::vector<Share>& shares) const;
    void begin(const Happening& happening);

    std::uint64_t background_until(std::int64_t minute) const;
    void write_background(std::int64_t t_ms, Random& random);
    std::uint64_t write_post(std::int64_t t_ms, std::uint32_t author, Action action, const Content& content,
                             const PostRef& target, std::uint64_t reposts);
    void append_list(const std::string* items, std::size_t count, bool quotes_items, std::string& out);
    std::uint64_t next_id(std::int64_t t_ms, std::uint32_t author);
    const PostRef& pick_from_pool(Random& random) const;
    const PostRef& pick_popular(Random& random) const;
    void put_into_pool(const PostRef& post, std::uint8_t popularity);
    PostRef new_outside_post(std::int64_t t_ms, Random& random) const;
    Content content_of(Topic topic, std::uint32_t index, std::uint32_t author, std::int64_t t_ms,
                       std::uint64_t seed) const;
    std::uint32_t some_person(Random& random) const;

    Plan m_plan;
    std::uint64_t m_seed;
    Progress& m_progress;
    std::string m_folder;
    Permutation m_people;
    double m_rank_offset = 0;
    double m_rank_low = 0;
    double m_rank_high = 0;
    std::int64_t m_end_ms = 0;
    std::vector<Happening> m_happenings;  // by time
    std::uint64_t m_planned_posts = 0;
    std::vector<std::uint64_t> m_campaign_posts;
    // By campaign and post: who may join, sorted. Only with a limit on the posts that two accounts share.
    std::vector<std::vector<std::vector<std::uint32_t>>> m_rosters;
    std::priority_queue<Pending, std::vector<Pending>, std::greater<>> m_pending;
    std::uint64_t m_order = 0;
    std::vector<PoolPost> m_pool;  // a ring; m_pool_next is the oldest
    std::size_t m_pool_next = 0;
    std::vector<bool> m_has_posted;
    std::vector<bool> m_is_viral;
    std::int64_t m_last_ms = 0;
    std::uint64_t m_sequence = 0;
    std::string* m_out = nullptr;
    std::string m_minute_text;
    std::int64_t m_minute = -1;
    Words m_words;
    std::string m_text;
    std::string m_list;
    std::vector<Share> m_shares;
};

Profile World::profile(std::uint32_t account) const {
    Random random = stream_of(m_seed, Stream::account, account);
    Profile profile;
    profile.choice = random.next();
    const auto script = random.below(100);
    profile.script = script < 50 ? Script::traditional : script < 80 ? Script::simplified : Script::english;
    const double u = random.uniform();
    profile.followers =
        static_cast<std::uint64_t>(std::min(80 / std::sqrt(u) / std::sqrt(std::sqrt(u)) - 60, 3e6));
    profile.following = static_cast<std::uint64_t>(std::min(60 / std::sqrt(random.uniform()), 5000.0));
    const double age = random.uniform();
    profile.created_ms = world_start_ms - day_ms - static_cast<std::int64_t>(age * 10 * 365) * day_ms;
    if (account < m_plan.bots_begin) {
        const auto member = account % m_plan.campaign_accounts;
        // One core account of a campaign has a public; the amplifiers have next to none and are new.
        if (member == 0)
            profile.followers += 6000;
        else if (member < m_plan.core_accounts)
            profile.followers %= 4000;
        else {
            profile.followers = random.below(40);
            profile.created_ms = world_start_ms - (20 + static_cast<std::int64_t>(random.below(90))) * day_ms;
        }
    } else if (account < m_plan.feeds_begin) {
        if (account % 2 == 0) profile.followers += 5000;
    } else if (account < m_plan.people_begin) {
        profile.followers %= 4000;
    } else if (account < m_plan.fans_begin) {
        profile.followers += 250'000;
    }
    profile.is_hashed = profile.followers < 5000;
    profile.numeric_id = 20'000'000 + account * std::uint64_t{613} + random.below(613);
    return profile;
}

std::uint64_t World::numeric_id(std::uint32_t account) const {
    if ((account & outsider_bit) != 0)
        return 2'000'000'000 + stream_of(m_seed, Stream::account, account).below(1'000'000'000);
    return profile(account).numeric_id;
}

void World::append_user_id(std::uint32_t account, const Profile& profile, std::string& out) const {
    if (!profile.is_hashed) {
        append_number(profile.numeric_id, out);
        return;
    }
    // 32 bytes in base64: 43 digits, the last with two zero bits, and one '='.
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    Random random(m_seed ^ 0x6861736865640000ULL, account);
    std::array<std::uint64_t, 4> words;
    for (auto& word : words) word = random.next();
    std::array<char, 44> text;
    for (std::size_t i = 0; i < 43; ++i) {
        const std::size_t bit = 6 * i;
        std::uint64_t value = words[bit / 64] >> (bit % 64);
        if (bit % 64 > 58 && bit / 64 < 3) value |= words[bit / 64 + 1] << (64 - bit % 64);
        text[i] = digits[i == 42 ? (value & 15) << 2 : value & 63];
    }
    text[43] = '=';
    out.append(text.data(), text.size());
}

void World::append_user_id(std::uint32_t account, std::string& out) const {
    if ((account & outsider_bit) != 0)
        append_number(numeric_id(account), out);
    else
        append_user_id(account, profile(account), out);
}

void World::append_shown_name(std::uint32_t account, std::string& out) const {
    append_screen_name(mix64(account ^ m_seed), account & ~outsider_bit, out);
}

/// The ten columns that users.csv has and that every post repeats.
void World::append_account_cells(std::uint32_t account, const Profile& profile, std::string& out) const {
    const auto id_begin = out.size();
    append_user_id(account, profile, out);
    const auto id_size = out.size() - id_begin;
    out += ',';
    if (profile.is_hashed) {
        out.append(out, id_begin, id_size);
        out += ',';
        out.append(out, id_begin, id_size);
    } else {
        append_cell(display_name(profile.choice >> 16), out);
        out += ',';
        append_shown_name(account, out);
    }
    out += ',';
    append_cell(location(profile.choice & 0xffff), out);
    out += ',';
    append_cell(description(profile.choice >> 40), out);
    out += ',';
    if ((profile.choice >> 32) % 16 == 0) {
        out += "https://";
        append_number(account, out);
        out += ".blog.example/";
    }
    out += ',';
    append_number(profile.followers, out);
    out += ',';
    append_number(profile.following, out);
    out += ',';
    out.append(format_time(profile.created_ms * 1000), 0, 10);
    out += ',';
    out += account_language_code(profile.script);
}

Content World::content_of(Topic topic, std::uint32_t index, std::uint32_t author, std::int64_t t_ms,
                          std::uint64_t seed) const {
    Content content;
    content.seed = seed;
    content.index = index;
    content.day = static_cast<std::uint16_t>(std::max<std::int64_t>(0, t_ms - world_start_ms) / day_ms);
    content.topic = topic;
    content.script = (author & outsider_bit) != 0 ? static_cast<Script>(seed % 3) : profile(author).script;
    return content;
}

/// Active people first, by rank; who has which rank is shuffled over the classes.
std::uint32_t World::some_person(Random& random) const {
    const double root = m_rank_low + random.uniform() * (m_rank_high - m_rank_low);
    const double rank = root * root * root * root - m_rank_offset;
    const std::uint64_t people = m_plan.accounts - m_plan.people_begin;
    const auto position = std::min(static_cast<std::uint64_t>(std::max(rank, 0.0)), people - 1);
    return m_plan.people_begin + static_cast<std::uint32_t>(m_people(position));
}

void World::schedule(Happening::Kind kind, std::uint32_t group, std::uint32_t round, std::int64_t t_ms) {
    const Happening happening{t_ms, group, round, kind};
    spell_out(happening, m_shares);
    m_planned_posts += m_shares.size();
    m_progress.check();
    if (m_planned_posts > m_plan.posts / 10 * 6)
        throw Error(ErrorKind::usage,
                    fmt::format("more than {} planned posts leave too few of {} for organic accounts",
                                m_plan.posts / 10 * 6, m_plan.posts),
                    "Give a larger --scale, or fewer or smaller campaigns, or fewer feed bots");
    if (kind <= Happening::Kind::dilution)
        m_campaign_posts[group] += static_cast<std::uint64_t>(std::count_if(
            m_shares.begin(), m_shares.end(), [&](const Share& share) { return share.author < m_plan.bots_begin; }));
    m_happenings.push_back(happening);
}

void World::fill_schedule() {
    m_campaign_posts.assign(m_plan.campaigns, 0);
    // Nothing starts on the last day, so that every delay ends inside the world.
    const std::int64_t span_ms = m_end_ms - world_start_ms - day_ms;
    using Kind = Happening::Kind;
    for (std::uint32_t campaign = 0; campaign < m_plan.campaigns; ++campaign) {
        Random random = stream_of(m_seed, Stream::schedule, campaign, 1);
        // Office hours: Monday to Friday, nine to six where these people live.
        const auto in_office_hours = [&] {
            while (true) {
                const auto t_ms = world_start_ms + static_cast<std::int64_t>(random.below(span_ms));
                const auto hour = t_ms / hour_ms % 24;
                const auto weekday = (t_ms / day_ms + 3) % 7;  // 0 is Monday
                if (weekday < 5 && hour >= 1 && hour < 10) return t_ms;
            }
        };
        for (std::uint32_t i = 0; i < m_plan.cascades; ++i)
            schedule(Kind::cascade, campaign, i, in_office_hours());
        for (std::uint32_t i = 0; i < m_plan.blasts; ++i)
            schedule(Kind::blast, campaign, i, in_office_hours());
        for (std::uint32_t i = 0; i < m_plan.dilutions; ++i)
            schedule(Kind::dilution, campaign, i,
                     world_start_ms + static_cast<std::int64_t>(random.below(span_ms)));
    }
    Random random = stream_of(m_seed, Stream::schedule, 0, 2);
    for (std::uint32_t celebrity = 0; celebrity < m_plan.celebrities; ++celebrity)
        for (std::uint32_t i = 0; i < m_plan.celebrity_posts; ++i)
            schedule(Kind::celebrity, celebrity, i,
                     world_start_ms + static_cast<std::int64_t>(random.below(span_ms)));
    for (std::uint32_t group = 0; group < m_plan.bot_groups; ++group)
        for (std::uint32_t i = 0; i < m_plan.headlines; ++i)
            schedule(
                Kind::headline, group, i,
                world_start_ms + (std::int64_t{i} * m_plan.headline_hours + 1) * hour_ms + group * minute_ms);
    for (std::uint32_t i = 0; i < m_plan.events; ++i)
        // Sundays at eight in the evening, eight hours ahead of UTC.
        schedule(Kind::event, 0, i, world_start_ms + (2 + 7 * std::int64_t{i}) * day_ms + 12 * hour_ms);
    for (std::uint32_t feed = 0; feed < m_plan.people_begin - m_plan.feeds_begin; ++feed) {
        // Each at a pace and from a moment of its own, to the millisecond: one to twelve hours from post to post.
        Random own = stream_of(m_seed, Stream::feed, feed);
        const auto pace_ms = hour_ms + static_cast<std::int64_t>(own.below(11 * hour_ms));
        auto t_ms = world_start_ms + static_cast<std::int64_t>(own.below(pace_ms));
        for (std::uint32_t i = 0; t_ms < m_end_ms - day_ms; ++i, t_ms += pace_ms) schedule(Kind::feed, feed, i, t_ms);
    }
    for (std::uint32_t i = 0; i < m_plan.virals; ++i)
        schedule(Kind::viral, 0, i, world_start_ms + static_cast<std::int64_t>(random.below(span_ms)));

    std::sort(m_happenings.begin(), m_happenings.end(), [](const Happening& a, const Happening& b) {
        return std::tuple(a.t_ms, a.kind, a.group, a.round) < std::tuple(b.t_ms, b.kind, b.group, b.round);
    });
}

/// Accounts spread over the posts so that no two meet on more than the limit allows: post by post, in a random
/// order, whoever can still join does, up to the size at which all posts together use up the pairs.
void World::fill_rosters() {
    if (m_plan.shared_posts_max == 0) return;
    const std::uint32_t n = m_plan.campaign_accounts;
    const std::uint32_t posts = m_plan.cascades + m_plan.blasts;
    const double pairs_each = 0.5 * n * (n - 1) * m_plan.shared_posts_max / std::max(1u, posts);
    const auto size_max = std::clamp(static_cast<std::uint32_t>(0.5 + std::sqrt(0.25 + 2 * pairs_each)), 2u, n);
    std::vector<std::uint16_t> met(std::size_t{n} * n);
    m_rosters.resize(m_plan.campaigns);
    for (std::uint32_t campaign = 0; campaign < m_plan.campaigns; ++campaign) {
        std::fill(met.begin(), met.end(), std::uint16_t{0});
        m_rosters[campaign].resize(posts);
        for (std::uint32_t post = 0; post < posts; ++post) {
            m_progress.check();
            auto& roster = m_rosters[campaign][post];
            const Permutation order(n, stream_of(m_seed, Stream::roster, campaign, post).next());
            for (std::uint32_t i = 0; i < n && roster.size() < size_max; ++i) {
                const auto member = static_cast<std::uint32_t>(order(i));
                if (std::all_of(roster.begin(), roster.end(), [&](std::uint32_t other) {
                        return met[std::size_t{member} * n + other] < m_plan.shared_posts_max;
                    }))
                    roster.push_back(member);
            }
            for (const auto a : roster)
                for (const auto b : roster) ++met[std::size_t{a} * n + b];
            std::sort(roster.begin(), roster.end());
        }
    }
}

bool World::joins(const Happening& happening, std::uint32_t post, std::uint32_t account, std::uint32_t author,
                  Random& random) const {
    if (account == author || !random.chance(m_plan.participation)) return false;
    const std::uint32_t member = account - happening.group * m_plan.campaign_accounts;
    if (m_plan.duty_share < 1) {
        // Another shift each day, drawn anew, so that who serves together changes.
        const auto day = static_cast<std::uint64_t>((happening.t_ms - world_start_ms) / day_ms);
        const Permutation shift(m_plan.campaign_accounts,
                                stream_of(m_seed, Stream::duty, happening.group, day).next());
        if (static_cast<double>(shift(member)) >= m_plan.duty_share * m_plan.campaign_accounts) return false;
    }
    if (m_rosters.empty()) return true;
    const auto& roster = m_rosters[happening.group][post];
    return std::binary_search(roster.begin(), roster.end(), member);
}

/// As many organic reposts as make up the wanted share, a few within minutes, most of them hours later.
void World::add_outsiders(const Happening& happening, std::vector<Share>& shares) const {
    if (m_plan.outside_share <= 0) return;
    const auto post = static_cast<std::uint64_t>(happening.kind) << 31 | happening.round;
    Random random = stream_of(m_seed, Stream::outside, happening.group, post);
    const double wanted =
        static_cast<double>(shares.size() - 1) * m_plan.outside_share / (1 - m_plan.outside_share);
    const auto first = static_cast<std::ptrdiff_t>(shares.size());
    for (auto left = static_cast<std::uint64_t>(wanted + random.uniform()); left > 0; --left) {
        const double delay_ms = 2.0 * second_ms + (random.below(3) == 0 ? random.exponential(10.0 * minute_ms)
                                                                        : random.exponential(4.0 * hour_ms));
        shares.push_back({static_cast<std::int64_t>(std::min(delay_ms, 20.0 * hour_ms)), some_person(random)});
    }
    // Nobody reposts a post twice.
    std::sort(shares.begin() + first, shares.end(), [](const Share& a, const Share& b) {
        return std::tuple(a.author, a.delay_ms) < std::tuple(b.author, b.delay_ms);
    });
    shares.erase(std::unique(shares.begin() + first, shares.end(),
                             [](const Share& a, const Share& b) { return a.author == b.author; }),
                 shares.end());
}

void World::spell_out(const Happening& happening, std::vector<Share>& shares) const {
    shares.clear();
    const std::uint32_t group = happening.group;
    const std::uint32_t campaign_begin = group * m_plan.campaign_accounts;
    const std::uint32_t campaign_end = campaign_begin + m_plan.campaign_accounts;
    const auto jitter = [&](Random& random) -> std::int64_t {
        // Even campaigns answer with exponential delays, odd ones with uniform ones; never later than the
        // jitter.
        const double limit = static_cast<double>(m_plan.jitter_ms);
        double delay_ms = limit * random.uniform();
        if (group % 2 == 0) {
            const double drawn = random.exponential(limit / 4);
            if (drawn < limit) delay_ms = drawn;
        }
        return 1 + static_cast<std::int64_t>(delay_ms);
    };
    switch (happening.kind) {
        case Happening::Kind::cascade: {
            Random random = stream_of(m_seed, Stream::cascade, group, happening.round);
            const auto author =
                campaign_begin + static_cast<std::uint32_t>(random.below(m_plan.core_accounts));
            shares.push_back({0, author});
            for (std::uint32_t account = campaign_begin; account < campaign_end; ++account)
                if (joins(happening, happening.round, account, author, random))
                    shares.push_back({jitter(random), account});
            add_outsiders(happening, shares);
            return;
        }
        case Happening::Kind::blast: {
            Random random = stream_of(m_seed, Stream::blast, group, happening.round);
            const auto author =
                campaign_begin + static_cast<std::uint32_t>(random.below(m_plan.core_accounts));
            shares.push_back({0, author});
            for (std::uint32_t account = campaign_begin; account < campaign_end; ++account)
                if (joins(happening, m_plan.cascades + happening.round, account, author, random))
                    shares.push_back({jitter(random), account});
            add_outsiders(happening, shares);
            return;
        }
        case Happening::Kind::dilution: {
            Random random = stream_of(m_seed, Stream::dilution, group, happening.round);
            shares.push_back(
                {0, campaign_begin + static_cast<std::uint32_t>(random.below(m_plan.campaign_accounts))});
            return;
        }
        case Happening::Kind::celebrity: {
            Random random = stream_of(m_seed, Stream::celebrity, group, happening.round);
            shares.push_back({0, m_plan.people_begin + group});
            for (std::uint32_t fan = 0; fan < m_plan.fans; ++fan)
                if (random.chance(0.9)) {
                    const double delay_ms = 2.0 * minute_ms + random.exponential(3.0 * hour_ms);
                    shares.push_back({static_cast<std::int64_t>(std::min(delay_ms, 20.0 * hour_ms)),
                                      m_plan.fans_begin + group * m_plan.fans + fan});
                }
            return;
        }
        case Happening::Kind::headline: {
            Random random = stream_of(m_seed, Stream::headline, group, happening.round);
            for (std::uint32_t bot = 0; bot < m_plan.bots; ++bot)
                shares.push_back({static_cast<std::int64_t>(random.below(50 * second_ms)),
                                  m_plan.bots_begin + group * m_plan.bots + bot});
            return;
        }
        case Happening::Kind::event: {
            Random random = stream_of(m_seed, Stream::event, 0, happening.round);
            for (std::uint32_t viewer = 0; viewer < m_plan.crowd; ++viewer)
                for (std::uint64_t posts = random.below(3); posts > 0; --posts)
                    shares.push_back(
                        {static_cast<std::int64_t>(random.below(hour_ms)), m_plan.crowd_begin + viewer});
            return;
        }
        case Happening::Kind::viral: {
            Random random = stream_of(m_seed, Stream::viral, 0, happening.round);
            const Permutation order(m_plan.others, random.next());
            for (std::uint32_t i = 0; i <= m_plan.viral_size; ++i) {
                // Slow to start and slow to end: the sum of two exponential delays, four minutes on average.
                const double delay_ms = i == 0 ? 0
                                               : 2.0 * second_ms + random.exponential(2.0 * minute_ms) +
                                                     random.exponential(2.0 * minute_ms);
                shares.push_back({static_cast<std::int64_t>(std::min(delay_ms, 2.0 * hour_ms)),
                                  m_plan.others_begin + static_cast<std::uint32_t>(order(i))});
            }
            return;
        }
        case Happening::Kind::feed:
            shares.push_back({0, m_plan.feeds_begin + group});
            return;
    }
}

void World::begin(const Happening& happening) {
    spell_out(happening, m_shares);
    UNVEIL_ASSERT(!m_shares.empty() || happening.kind == Happening::Kind::event);
    const auto add = [&](const Share& share, Action action, const Content& content, const PostRef& target) {
        m_pending.push({happening.t_ms + share.delay_ms, m_order++, share.author, action, content, target});
    };
    const std::uint64_t seed = mix64(m_seed ^ mix64(static_cast<std::uint64_t>(happening.kind) << 56 ^
                                                    std::uint64_t{happening.group} << 32 ^ happening.round));
    const std::uint32_t core_end = happening.group * m_plan.campaign_accounts + m_plan.core_accounts;
    const std::uint32_t first = m_shares.empty() ? 0 : m_shares.front().author;
    const auto original = [&](Topic topic, std::uint8_t popularity, bool is_in_two_scripts) {
        Content content = content_of(topic, happening.group, first, happening.t_ms, seed);
        if (is_in_two_scripts)
            content.script = happening.round % 2 == 0 ? Script::traditional : Script::simplified;
        PostRef post{0, first, content};
        post.id = write_post(happening.t_ms, first, Action::original, content, {}, m_shares.size() - 1);
        // With a wanted share of outsiders these are planned, and nobody else comes across the post.
        if (topic != Topic::campaign || !m_plan.has_outside_share) put_into_pool(post, popularity);
        return post;
    };
    switch (happening.kind) {
        case Happening::Kind::cascade:
        case Happening::Kind::celebrity:
        case Happening::Kind::viral: {
            const bool is_campaign = happening.kind == Happening::Kind::cascade;
            const Topic topic = is_campaign                                    ? Topic::campaign
                                : happening.kind == Happening::Kind::celebrity ? Topic::celebrity
                                                                               : Topic::viral;
            const PostRef post = original(topic, is_campaign ? 30 : 120, is_campaign);
            for (std::size_t i = 1; i < m_shares.size(); ++i)
                add(m_shares[i], Action::retweet, post.content, post);
            if (happening.kind == Happening::Kind::viral)
                for (const auto& share : m_shares) m_is_viral[share.author] = true;
            return;
        }
        case Happening::Kind::blast: {
            const PostRef post = original(Topic::campaign, 30, true);
            Random edits(seed, 2);
            for (std::size_t i = 1; i < m_shares.size(); ++i) {
                const bool is_copy = m_shares[i].author < core_end;
                Content content = post.content;
                if (is_copy && m_plan.paraphrase > 0 && edits.chance(m_plan.paraphrase))
                    content.edit = static_cast<std::uint16_t>(1 + edits.below(65535));
                add(m_shares[i], is_copy ? Action::original : Action::retweet, content, post);
            }
            return;
        }
        case Happening::Kind::feed:
            add(m_shares.front(), Action::retweet_popular, {}, {});
            return;
        case Happening::Kind::dilution:
            add(m_shares.front(), Action::retweet_any, {}, {});
            return;
        case Happening::Kind::headline: {
            Content content = content_of(Topic::headline, happening.group, first, happening.t_ms, seed);
            content.script = Script::traditional;
            for (const auto& share : m_shares) add(share, Action::original, content, {});
            return;
        }
        case Happening::Kind::event:
            for (std::size_t i = 0; i < m_shares.size(); ++i)
                add(m_shares[i], Action::original,
                    content_of(Topic::event, happening.round, m_shares[i].author, happening.t_ms,
                               mix64(seed + i)),
                    {});
            return;
    }
}

/// Organic posts that must be written before the given minute begins.
std::uint64_t World::background_until(std::int64_t minute) const {
    static const auto sums = [] {
        std::array<std::uint64_t, 25> partial{};
        for (std::size_t hour = 0; hour < 24; ++hour)
            partial[hour + 1] = partial[hour] + 60 * hour_weights[hour];
        return partial;
    }();
    const auto of_day = static_cast<std::uint64_t>(minute % 1440);
    const std::uint64_t weight = static_cast<std::uint64_t>(minute / 1440) * sums[24] + sums[of_day / 60] +
                                 of_day % 60 * hour_weights[of_day / 60];
    const std::uint64_t total = static_cast<std::uint64_t>(m_plan.days) * sums[24];
    // At most 1e8 posts times 365 days of 59,000 units: far below 2^64.
    return (m_plan.posts - m_planned_posts) * weight / total;
}

void World::write_background(std::int64_t t_ms, Random& random) {
    const std::uint32_t author = some_person(random);
    const double u = random.uniform();
    const PostRef& target = pick_from_pool(random);
    const auto own = [&](const PostRef& about) {
        return content_of(Topic::organic, 0, author, t_ms, random.next() ^ (about.id << 1));
    };
    if (u < 0.42 && target.author != author) {
        write_post(t_ms, author, Action::retweet, target.content, target, 0);
    } else if (u < 0.48) {
        const PostRef outside = new_outside_post(t_ms, random);
        put_into_pool(outside, static_cast<std::uint8_t>(random.below(256)));
        write_post(t_ms, author, Action::retweet, outside.content, outside, 0);
    } else if (u < 0.60) {
        write_post(t_ms, author, Action::reply, own(target), target, 0);
    } else if (u < 0.64) {
        write_post(t_ms, author, Action::quote, own(target), target, 0);
    } else {
        PostRef post{0, author, own({})};
        const double fame = random.uniform();
        post.id = write_post(t_ms, author, Action::original, post.content, {},
                             static_cast<std::uint64_t>(std::min(1 / fame - 1, 2000.0)));
        if (random.below(3) == 0)
            put_into_pool(post, static_cast<std::uint8_t>(250 * fame * fame * fame) + 4);
    }
}

PostRef World::new_outside_post(std::int64_t t_ms, Random& random) const {
    PostRef post;
    post.author = outsider_bit | static_cast<std::uint32_t>(random.below(50'000));
    const auto posted_ms = t_ms - 1 - static_cast<std::int64_t>(random.exponential(6.0 * hour_ms));
    // Sequence numbers from 2048 on belong to posts from outside, so that no id is given twice.
    post.id = static_cast<std::uint64_t>(posted_ms - snowflake_epoch_ms) << 22 | random.below(1024) << 12 |
              2048 | random.below(2048);
    post.content = content_of(Topic::organic, 0, post.author, posted_ms, random.next());
    return post;
}

void World::fill_pool() {
    Random random = stream_of(m_seed, Stream::order, 0);
    for (std::size_t i = 0; i < m_pool.size(); ++i)
        put_into_pool(new_outside_post(world_start_ms, random), static_cast<std::uint8_t>(random.below(256)));
}

void World::put_into_pool(const PostRef& post, std::uint8_t popularity) {
    m_pool[m_pool_next] = {post, popularity};
    m_pool_next = (m_pool_next + 1) % m_pool.size();
}

/// Fresh posts rather than old ones, popular ones rather than others; delays get a heavy tail.
const PostRef& World::pick_from_pool(Random& random) const {
    std::size_t found = 0;
    for (int attempt = 0; attempt < 4; ++attempt) {
        const double u = random.uniform();
        const auto age = static_cast<std::size_t>(u * u * static_cast<double>(m_pool.size()));
        found = (m_pool_next + m_pool.size() - 1 - std::min(age, m_pool.size() - 1)) % m_pool.size();
        if (random.below(256) < m_pool[found].popularity) break;
    }
    return m_pool[found].post;
}

/// The most popular of eight that anybody may come across: what feeds that follow the charts repost.
const PostRef& World::pick_popular(Random& random) const {
    const PoolPost* best = nullptr;
    for (int attempt = 0; attempt < 8; ++attempt) {
        const double u = random.uniform();
        const auto age = static_cast<std::size_t>(u * u * static_cast<double>(m_pool.size()));
        const auto& found =
            m_pool[(m_pool_next + m_pool.size() - 1 - std::min(age, m_pool.size() - 1)) % m_pool.size()];
        if (best == nullptr || found.popularity > best->popularity) best = &found;
    }
    return best->post;
}

std::uint64_t World::next_id(std::int64_t t_ms, std::uint32_t author) {
    m_sequence = t_ms == m_last_ms ? m_sequence + 1 : 0;
    m_last_ms = t_ms;
    UNVEIL_ASSERT(m_sequence < 2048);
    return static_cast<std::uint64_t>(t_ms - snowflake_epoch_ms) << 22 | (mix64(author) & 1023) << 12 |
           m_sequence;
}

/// The archive spells lists in two ways, and sometimes an empty one as nothing.
void World::append_list(const std::string* items, std::size_t count, bool quotes_items, std::string& out) {
    m_list = '[';
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) m_list += ", ";
        if (quotes_items) m_list += '\'';
        m_list += items[i];
        if (quotes_items) m_list += '\'';
    }
    m_list += ']';
    append_cell(m_list, out);
}

std::uint64_t World::write_post(std::int64_t t_ms, std::uint32_t author, Action action,
                                const Content& content, const PostRef& target, std::uint64_t reposts) {
    const std::uint64_t id = next_id(t_ms, author);
    m_has_posted[author] = true;
    std::string& out = *m_out;
    const Profile writer = profile(author);
    const std::uint64_t noise = mix64(id);

    append_number(id, out);
    out += ',';
    append_account_cells(author, writer, out);
    out += ',';

    compose(content, m_words);
    std::array<std::string, 2> mentions;
    std::size_t mention_count = 0;
    const bool is_retweet = action == Action::retweet;
    if (is_retweet || action == Action::reply) {
        m_text = is_retweet ? "RT @" : "@";
        append_shown_name(target.author, m_text);
        m_text += is_retweet ? ": " : " ";
        m_text += m_words.text;
        append_number(numeric_id(target.author), mentions[mention_count++]);
    } else {
        m_text = m_words.text;
        if (action == Action::quote) {
            std::string& url = m_words.urls[m_words.url_count];
            url = "https://twitter.com/";
            append_shown_name(target.author, url);
            url += "/status/";
            append_number(target.id, url);
            ++m_words.url_count;
            m_text += ' ';
            append_short_link(url, m_text);
        } else if (content.topic == Topic::organic && noise % 8 == 0) {
            const auto friend_account =
                m_plan.people_begin +
                static_cast<std::uint32_t>((noise >> 8) % (m_plan.accounts - m_plan.people_begin));
            m_text += " @";
            append_shown_name(friend_account, m_text);
            append_number(numeric_id(friend_account), mentions[mention_count++]);
        }
    }
    out += language_code(content.script);
    out += ',';
    append_cell(m_text, out);
    out += ',';
    if (t_ms / minute_ms != m_minute) {
        m_minute = t_ms / minute_ms;
        m_minute_text.clear();
        append_minute(t_ms, m_minute_text);
    }
    out += m_minute_text;
    out += ',';
    out += author >= m_plan.bots_begin && author < m_plan.feeds_begin ? std::string_view("Harbor Feed Publisher")
           : author >= m_plan.feeds_begin && author < m_plan.people_begin ? std::string_view("Lantern Autopost")
                                                                          : client(mix64(author) >> 8);
    out += ',';
    if (action == Action::reply) {
        append_user_id(target.author, out);
        out += ',';
        append_number(target.id, out);
    } else {
        out += ',';
    }
    out += ',';
    if (action == Action::quote) append_number(target.id, out);
    out += is_retweet ? ",True," : ",False,";
    if (is_retweet) {
        append_user_id(target.author, out);
        out += ',';
        append_number(target.id, out);
    } else {
        out += ',';
    }
    out += ",absent,absent";
    const bool shows_fraction = noise >> 20 & 1;
    const std::uint64_t likes = is_retweet ? 0 : reposts * 3 + (noise >> 24) % 7;
    for (const std::uint64_t count :
         {reposts / 12, is_retweet ? std::uint64_t{0} : (noise >> 32) % 3 + reposts / 6, likes, reposts}) {
        out += ',';
        append_number(count, out);
        if (shows_fraction) out += ".0";
    }
    const bool quotes_items = noise >> 21 & 1;
    out += ',';
    append_list(m_words.hashtags.data(), m_words.hashtag_count, quotes_items, out);
    out += ',';
    append_list(m_words.urls.data(), m_words.url_count, quotes_items, out);
    out += ',';
    append_list(mentions.data(), mention_count, quotes_items, out);
    out += ",\n";
    return id;
}

void World::write_posts() {
    PartFile file(m_folder + "/tweets.csv");
    m_out = &file.buffer();
    *m_out += tweets_header;
    std::uint64_t written = 0;
    std::size_t next_happening = 0;
    std::vector<std::uint32_t> offsets_ms;  // of this minute's organic posts
    const std::int64_t minutes = m_plan.days * 1440;
    for (std::int64_t minute = 0; minute < minutes; ++minute) {
        const std::int64_t begin_ms = world_start_ms + minute * minute_ms;
        const std::int64_t end_ms = minute + 1 == minutes ? INT64_MAX : begin_ms + minute_ms;
        Random random = stream_of(m_seed, Stream::slot, 0, static_cast<std::uint64_t>(minute));
        offsets_ms.clear();
        for (auto n = background_until(minute + 1) - background_until(minute); n > 0; --n)
            offsets_ms.push_back(static_cast<std::uint32_t>(random.below(minute_ms)));
        std::sort(offsets_ms.begin(), offsets_ms.end());
        std::size_t next_offset = 0;
        while (true) {
            const std::int64_t background_ms =
                next_offset < offsets_ms.size() ? begin_ms + offsets_ms[next_offset] : INT64_MAX;
            const std::int64_t happening_ms =
                next_happening < m_happenings.size() ? m_happenings[next_happening].t_ms : INT64_MAX;
            const std::int64_t pending_ms = m_pending.empty() ? INT64_MAX : m_pending.top().t_ms;
            const std::int64_t t_ms = std::min({background_ms, happening_ms, pending_ms});
            if (t_ms >= end_ms || t_ms == INT64_MAX) break;
            if (t_ms == happening_ms) {
                const auto kind = m_happenings[next_happening].kind;
                begin(m_happenings[next_happening++]);
                // Of these all posts are pending; the others write their first one at once.
                if (kind == Happening::Kind::dilution || kind == Happening::Kind::headline ||
                    kind == Happening::Kind::event || kind == Happening::Kind::feed)
                    continue;
            } else if (t_ms == pending_ms) {
                const Pending post = m_pending.top();
                m_pending.pop();
                if (post.action == Action::retweet_any || post.action == Action::retweet_popular) {
                    const PostRef target =
                        post.action == Action::retweet_any ? pick_from_pool(random) : pick_popular(random);
                    write_post(t_ms, post.author, Action::retweet, target.content, target, 0);
                } else {
                    write_post(t_ms, post.author, post.action, post.content, post.target, 0);
                }
            } else {
                ++next_offset;
                write_background(t_ms, random);
            }
            ++written;
            file.row_done();
        }
        if (minute % 64 == 0) {
            m_progress.check();
            m_progress.update("posts", written, m_plan.posts);
        }
    }
    UNVEIL_ASSERT(written == m_plan.posts);
    m_out = nullptr;
    file.finish();
    m_progress.update("posts", written, m_plan.posts);
}

void World::write_users() const {
    PartFile file(m_folder + "/users.csv");
    file.buffer() += users_header;
    // Shuffled, so that the order does not tell who was planted.
    const Permutation order(m_plan.accounts, mix64(m_seed + 12));
    for (std::uint32_t i = 0; i < m_plan.accounts; ++i) {
        const auto account = static_cast<std::uint32_t>(order(i));
        if (!m_has_posted[account]) continue;
        append_account_cells(account, profile(account), file.buffer());
        file.buffer() += '\n';
        file.row_done();
        if (i % 65536 == 0) m_progress.check();
    }
    file.finish();
}

Truth World::truth() const {
    Truth truth;
    truth.scenario = "takedown";
    truth.seed = m_seed;
    truth.posts = m_plan.posts;
    truth.accounts = posted_accounts();
    for (std::uint32_t c = 0; c < m_plan.campaigns; ++c) {
        auto& campaign = truth.campaigns.emplace_back();
        campaign.name = fmt::format("campaign-{}", c + 1);
        campaign.posts = m_campaign_posts[c];
        for (std::uint32_t member = 0; member < m_plan.campaign_accounts; ++member) {
            const auto account = c * m_plan.campaign_accounts + member;
            if (m_has_posted[account])
                campaign.accounts.push_back(
                    {user_id(account), member < m_plan.core_accounts ? "core" : "amplifier"});
        }
    }
    const auto add_class = [&](std::string name, std::string behaviour, std::uint32_t begin,
                               std::uint32_t end) {
        AccountClass account_class{std::move(name), std::move(behaviour), false, {}};
        for (std::uint32_t account = begin; account < end; ++account)
            if (m_has_posted[account]) account_class.accounts.push_back(user_id(account));
        truth.classes.push_back(std::move(account_class));
    };
    add_class("fan", "reposts nearly everything that one celebrity posts, minutes to hours later",
              m_plan.fans_begin, m_plan.crowd_begin);
    add_class("news-bot",
              "posts the same headlines and links in the same minute on a schedule: benign coordination",
              m_plan.bots_begin, m_plan.feeds_begin);
    if (m_plan.people_begin > m_plan.feeds_begin)
        add_class("feed-bot", "reposts what is popular on a clock of its own: automated, but with nobody",
                  m_plan.feeds_begin, m_plan.people_begin);
    add_class("event-crowd", "posts own words with the same hashtag in the hour of a weekly broadcast",
              m_plan.crowd_begin, m_plan.others_begin);
    AccountClass viral{
        "viral-crowd", "reposted one viral post within minutes of thousands of others", false, {}};
    for (std::uint32_t account = 0; account < m_plan.accounts; ++account)
        if (m_is_viral[account]) viral.accounts.push_back(user_id(account));
    truth.classes.push_back(std::move(viral));
    truth.classes.push_back({"organic", "posts, reposts, replies and quotes on its own", true, {}});
    return truth;
}

/// Claims whose verdict follows from how the world was made. Campaigns made harder to see than the default
/// ones may or may not be found, so nothing is claimed of them.
std::vector<PlantedClaim> claims_of(const Truth& truth, const Plan& plan) {
    const bool is_planted = !truth.campaigns.empty();
    const bool is_plain = plan.is_plain;
    std::vector<PlantedClaim> claims = {
        {"acting-together",
         "A group of at least twenty accounts reposts the same posts within a minute, again and again.", "",
         "co-retweet.largest_group.accounts >= 20", is_planted ? "supported" : "contradicted",
         is_planted ? "each campaign has at least 25 accounts that repost the same posts within 30 seconds"
                    : "no campaign was planted, and crowds do not meet three times within a minute"},
        {"beyond-chance",
         "At least twenty pairs of accounts repost together more often than popularity, habit and pace explain.", "",
         "co-retweet.significant_edges >= 20", is_planted ? "supported" : "contradicted",
         is_planted ? "each campaign has at least 300 pairs, and they share ten or more posts within 30 seconds"
                    : "fans and crowds share posts, but each at their own time"},
        {"majority", "Most of the accounts in the evidence act together.", "",
         "co-retweet.account_share > 0.5", "contradicted",
         "the campaigns are a few per cent of all accounts"},
        {"link-free", "No two accounts post the same links within a minute, three times over.", "",
         "co-link.candidates <= 0", "contradicted", "scheduled news accounts do"},
        {"never-many", "Accounts that act together are never more than a tenth of all.", "only",
         "co-retweet.account_share <= 0.1", "undetermined",
         "what was observed agrees, but observations cannot prove a never"},
    };
    if (is_planted && !is_plain) claims.erase(claims.begin(), claims.begin() + 2);
    if (std::uint64_t{plan.people_begin} * 5 > truth.accounts)
        std::erase_if(claims, [](const PlantedClaim& claim) { return claim.id == "majority"; });
    if (is_planted && is_plain) {
        if (truth.campaigns.size() >= 2)
            claims.push_back({"several-groups", "More than one group does so.", "", "co-retweet.groups >= 2",
                              "supported", "the campaigns share no accounts and no posts"});
        // One campaign's core may be as small as three, and one of them may be taken for a bridge.
        if (truth.campaigns.size() >= 2)
            claims.push_back(
                {"core-speaks", "At least three accounts write what the others pass on.", "", "core.accounts >= 3",
                 "supported", "each campaign has a core of at least three that posts and is reposted"});
        claims.push_back(
            {"two-tiers", "Those who only pass on are more than those who write.", "",
             "amplifier.accounts > core.accounts", "supported",
             "the core is the smaller part of each campaign, the rest repost it within 30 seconds"});
        claims.push_back({"within-half-a-minute",
                          "The typical delay between two who act together is under half a minute.", "",
                          "co-retweet.median_delay_seconds < 30", "supported",
                          "every amplifier answers within 30 seconds"});
    }
    return claims;
}

void make_takedown(const ParameterValues& parameters, std::uint64_t seed, const std::string& out_folder,
                   Progress& progress) {
    Truth truth;
    const CasePart part = make_takedown_part("takedown", parameters, seed, out_folder, progress, truth);
    const std::string head = fmt::format(
        "# Made by `unveil lab make takedown --scale {} --seed {}`; nothing in it is real.\n"
        "[case]\n"
        "title = \"A platform with {} planted campaigns\"\n\n",
        truth.posts, truth.seed, truth.campaigns.size());
    write_case(out_folder, head, std::span(&part, 1));
}

Parameter parameter(std::string name, ParameterType type, std::string default_text, std::string help,
                    double minimum, double maximum) {
    Parameter made;
    made.name = std::move(name);
    made.type = type;
    made.default_text = std::move(default_text);
    made.help = std::move(help);
    made.minimum = minimum;
    made.maximum = maximum;
    return made;
}

}  // namespace

CasePart make_takedown_part(std::string_view scenario, const ParameterValues& parameters, std::uint64_t seed, const std::string& out_folder,
                            Progress& progress, Truth& truth) {
    World world(parameters, seed, out_folder, progress);
    world.write_posts();
    world.write_users();
    truth = world.truth();
    truth.scenario = scenario;
    truth.parameters_json = parameters.canonical_json();
    write_file_atomically(out_folder + "/truth.json", truth_to_json(truth));
    CasePart part;
    part.evidence_toml =
        "[[evidence]]\n"
        "id = \"archive\"\n"
        "path = \"tweets.csv\"\n"
        "format = \"twitter-io\"\n";
    part.test_toml =
        "test = \"coordination\"\n"
        "on = [\"archive\"]\n"
        "with = { window = \"60s\", traces = [\"co-retweet\", \"co-link\", \"exact-text\"], min-weight "
        "= 3 }\n";
    part.claims = claims_of(truth, world.plan());
    return part;
}

Scenario takedown_scenario() {
    Scenario scenario;
    scenario.name = "takedown";
    scenario.summary =
        "Posts in the layout of Twitter's information-operations archive: planted campaigns among organic "
        "users, with "
        "viral posts, fans, news bots and a broadcast's crowd";
    scenario.parameters = {
        parameter("scale", ParameterType::integer, "100000", "number of posts", 1e4, 1e8),
        parameter("campaigns", ParameterType::integer, "",
                  "number of planted campaigns; 0 is the null world (default: 2, and up to 8 in the largest "
                  "worlds)",
                  0, 64),
        parameter("campaign-share", ParameterType::real, "0.02",
                  "share of all posts that campaigns make; more in small worlds, so that each stays visible",
                  0, 0.5),
        parameter("campaign-accounts", ParameterType::integer, "",
                  "accounts of each campaign (default: 25 to 150, growing with the scale)", 5, 5000),
        parameter("core-share", ParameterType::real, "0.15",
                  "share of a campaign's accounts that post originals", 0, 0.9),
        parameter("participation", ParameterType::real, "0.8",
                  "chance that a campaign account joins in amplifying one post", 0.01, 1),
        parameter("jitter", ParameterType::duration, "30s", "latest reaction of a campaign account", 0.01,
                  72000),
        parameter("dilution", ParameterType::real, "0.15",
                  "organic reposts of campaign accounts, as a share of their coordinated ones", 0, 10),
        parameter("campaign-objects", ParameterType::integer, "",
                  "posts that each campaign boosts, a fifth of them texts that its core copies (default: by "
                  "campaign-share)",
                  1, 1e6),
        parameter("shared-posts-max", ParameterType::integer, "",
                  "split the boosted posts so that no two accounts of a campaign join in more than this many "
                  "together (default: everybody may join everywhere)",
                  1, 1000),
        parameter("rotation", ParameterType::real, "",
                  "share of a campaign's accounts on duty, another random shift each day (default: all)", 0.01, 1),
        parameter("paraphrase", ParameterType::real, "",
                  "share of the core's copies of a text that are reworded (default: none)", 0, 1),
        parameter("outside-share", ParameterType::real, "",
                  "share of a campaign post's reposts that organic accounts make (default: as people come across "
                  "it, about one repost for each post)",
                  0, 0.99),
        parameter("feed-bots", ParameterType::integer, "",
                  "automated accounts that repost what is popular, each on a clock of its own (default: none)", 0,
                  10000),
        parameter("accounts", ParameterType::integer, "",
                  "organic accounts, of which nearly all post (default: one for each ten to thirty posts)", 300,
                  2e7),
    };
    scenario.files = {"tweets.csv", "users.csv", "truth.json", "expected_verdicts.json", "case.toml"};
    scenario.make = make_takedown;
    return scenario;
}

}  // namespace unveil
