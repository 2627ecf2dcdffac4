#include "lab/truth.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

Json read_json_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw Error(ErrorKind::input, std::string("cannot read: ") + std::strerror(errno),
                    "Give a file that `unveil lab make` wrote", path);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    auto json = read_json(bytes);
    if (json.is_discarded() || !json.is_object())
        throw Error(ErrorKind::input, "not a JSON object", "Give a file that `unveil lab make` wrote", path);
    if (json.value("schema_version", 0) != 1)
        throw Error(ErrorKind::input, "schema_version is not 1", "Make it again with this version of unveil",
                    path);
    return json;
}

/// Runs `read` and tells which file has the wrong shape.
template <typename Read>
auto with_shape_checked(const std::string& path, Read read) {
    try {
        return read(read_json_file(path));
    } catch (const nlohmann::json::exception& e) {
        throw Error(ErrorKind::input, "not of the expected shape: " + printable(e.what(), 200),
                    "Give a file that `unveil lab make` wrote", path);
    }
}

}  // namespace

std::string truth_to_json(const Truth& truth) {
    Json json;
    json["schema_version"] = 1;
    json["scenario"] = truth.scenario;
    json["seed"] = truth.seed;
    json["parameters"] = Json::parse(truth.parameters_json);
    json["posts"] = truth.posts;
    json["accounts"] = truth.accounts;
    json["true_pairs"] = "two accounts of the same campaign";
    json["campaigns"] = Json::array();
    for (const auto& campaign : truth.campaigns) {
        Json entry;
        entry["name"] = campaign.name;
        entry["posts"] = campaign.posts;
        entry["accounts"] = Json::array();
        for (const auto& planted : campaign.accounts)
            entry["accounts"].push_back(Json{{"account", planted.account}, {"role", planted.role}});
        json["campaigns"].push_back(std::move(entry));
    }
    json["classes"] = Json::array();
    for (const auto& account_class : truth.classes) {
        Json entry;
        entry["name"] = account_class.name;
        entry["behaviour"] = account_class.behaviour;
        if (account_class.is_rule)
            entry["rule"] = "every account that no campaign and no other class lists";
        else
            entry["accounts"] = account_class.accounts;
        json["classes"].push_back(std::move(entry));
    }
    return json.dump(1) + "\n";
}

Truth read_truth(const std::string& path) {
    return with_shape_checked(path, [](const Json& json) {
        Truth truth;
        truth.scenario = json.at("scenario").get<std::string>();
        truth.seed = json.at("seed").get<std::uint64_t>();
        truth.parameters_json = json.at("parameters").dump();
        truth.posts = json.at("posts").get<std::uint64_t>();
        truth.accounts = json.at("accounts").get<std::uint64_t>();
        for (const auto& entry : json.at("campaigns")) {
            auto& campaign = truth.campaigns.emplace_back();
            campaign.name = entry.at("name").get<std::string>();
            campaign.posts = entry.at("posts").get<std::uint64_t>();
            for (const auto& planted : entry.at("accounts"))
                campaign.accounts.push_back(
                    {planted.at("account").get<std::string>(), planted.at("role").get<std::string>()});
        }
        for (const auto& entry : json.at("classes")) {
            auto& account_class = truth.classes.emplace_back();
            account_class.name = entry.at("name").get<std::string>();
            account_class.behaviour = entry.at("behaviour").get<std::string>();
            account_class.is_rule = entry.contains("rule");
            if (!account_class.is_rule)
                account_class.accounts = entry.at("accounts").get<std::vector<std::string>>();
        }
        return truth;
    });
}

std::string expected_verdicts_to_json(const std::vector<ExpectedVerdict>& verdicts) {
    Json json;
    json["schema_version"] = 1;
    json["verdicts"] = Json::array();
    for (const auto& verdict : verdicts)
        json["verdicts"].push_back(
            Json{{"claim", verdict.claim}, {"verdict", verdict.verdict}, {"reason", verdict.reason}});
    return json.dump(1) + "\n";
}

std::vector<ExpectedVerdict> read_expected_verdicts(const std::string& path) {
    return with_shape_checked(path, [](const Json& json) {
        std::vector<ExpectedVerdict> verdicts;
        for (const auto& entry : json.at("verdicts"))
            verdicts.push_back({entry.at("claim").get<std::string>(), entry.at("verdict").get<std::string>(),
                                entry.value("reason", std::string())});
        return verdicts;
    });
}

}  // namespace unveil
