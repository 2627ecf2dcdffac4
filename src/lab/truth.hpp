// What a lab world knows and no instrument sees: which accounts were planted, in which campaign and role, and
// which crowds only look alike. Written beside the evidence as truth.json; the verdicts that a case must end
// with as expected_verdicts.json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

struct PlantedAccount {
    std::string account;
    std::string role;  // "core", "amplifier"
};

struct PlantedCampaign {
    std::string name;  // "campaign-1"
    std::uint64_t posts = 0;
    std::vector<PlantedAccount> accounts;
};

/// Accounts outside every campaign that the score tells apart. The class "organic" lists none: it is every
/// other one.
struct AccountClass {
    std::string name;       // "fan", "news-bot", "feed-bot", "event-crowd", "viral-crowd", "organic"
    std::string behaviour;  // one sentence
    bool is_rule = false;   // true: every account that no campaign and no other class lists
    std::vector<std::string> accounts;
};

/// The class whose accounts do act together, openly and by a schedule: no campaign, but no mistake of a finding either.
inline constexpr std::string_view scheduled_class = "news-bot";

/// Two accounts of the same campaign act together; no other pair does, but for the scheduled ones.
struct Truth {
    std::string scenario;
    std::uint64_t seed = 0;
    std::string parameters_json = "{}";
    std::uint64_t posts = 0;
    std::uint64_t accounts = 0;  // that posted at least once
    std::vector<PlantedCampaign> campaigns;
    std::vector<AccountClass> classes;
};

std::string truth_to_json(const Truth& truth);
/// Throws Error(input) with what is missing.
Truth read_truth(const std::string& path);

struct ExpectedVerdict {
    std::string claim;
    std::string verdict;  // "supported", "contradicted", "undetermined"
    std::string reason;
};

std::string expected_verdicts_to_json(const std::vector<ExpectedVerdict>& verdicts);
/// Reads expected_verdicts.json; also the verdicts.json that an investigation writes, where `reason` may be
/// missing.
std::vector<ExpectedVerdict> read_expected_verdicts(const std::string& path);

}  // namespace unveil
