// Detection power: the table counts what the worlds hold, follows the effect, and leaves nothing behind.
#include "lab/power.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "instruments/instrument.hpp"
#include "world.hpp"

namespace unveil::test {
namespace {

PowerRequest small_request(const Folder& folder, const std::string& effect, std::vector<std::string> values) {
    return {.effect = effect,
            .values = std::move(values),
            .world = takedown_parameters({{"scale", "10000"}}),
            .instrument = ParameterValues(instrument_named("coordination").description().parameters),
            .worlds = 1,
            .scratch_folder = folder.path()};
}

// Goal: a plain campaign is found and one that hardly acts is not; each row counts its own worlds. Method: two values of
// participation and the null world, on one seed.
TEST(Power, FollowsTheEffect) {
    Folder folder;
    SilentProgress progress;
    auto request = small_request(folder, "participation", {"0.9", "0.02"});
    request.instrument.set("keep", "weight");
    request.instrument.set("min-weight", "3");
    const auto table = measure_power(request, progress);
    ASSERT_EQ(table.rows.size(), 3);
    EXPECT_EQ(table.rows[0].value, "0.9");
    EXPECT_EQ(table.rows[0].power.trials, 25);
    EXPECT_GE(table.rows[0].power.value().value_or(0), 0.95);
    EXPECT_LT(table.rows[1].power.value().value_or(0), 0.5);
    EXPECT_EQ(table.rows[0].power.hits, table.rows[0].core_power.hits + table.rows[0].amplifier_power.hits);
    EXPECT_TRUE(table.rows[2].value.empty());
    EXPECT_EQ(table.rows[2].power.trials, 0);
    EXPECT_EQ(table.rows[2].edges, table.rows[2].false_edges + table.rows[2].scheduled_edges);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));

    const auto json = nlohmann::json::parse(power_to_json(table));
    EXPECT_FALSE(json["world"].contains("participation"));
    EXPECT_EQ(json["world"]["campaign-objects"], 20);
    EXPECT_EQ(json["instrument"]["traces"][0], "co-retweet");
    EXPECT_TRUE(json["rows"][2]["value"].is_null());
}

// Goal: the same table for any number of threads.
TEST(Power, SameForAnyThreads) {
    Folder folder;
    SilentProgress progress;
    auto request = small_request(folder, "rotation", {"0.3"});
    const auto one = power_to_json(measure_power(request, progress));
    request.threads = 3;
    EXPECT_EQ(power_to_json(measure_power(request, progress)), one);
}

// Goal: scheduled accounts are no false edges. Method: exact-text in a null world, where only they repeat texts.
TEST(Power, ScheduledEdgesAreApart) {
    Folder folder;
    SilentProgress progress;
    auto request = small_request(folder, "paraphrase", {"1"});
    request.instrument.set("keep", "weight");
    request.instrument.set("min-weight", "3");
    const auto table = measure_power(request, progress);
    EXPECT_GT(table.rows[1].scheduled_edges, 0);
    EXPECT_LE(table.rows[1].false_edges, 2);
}

// Goal: what contradicts itself is refused, and a stop leaves nothing behind.
TEST(Power, RefusesAndStops) {
    Folder folder;
    SilentProgress progress;
    EXPECT_THROW(measure_power(small_request(folder, "participtaion", {}), progress), Error);
    EXPECT_THROW(measure_power(small_request(folder, "participation", {"7"}), progress), Error);
    auto fixed = small_request(folder, "objects", {"5"});
    fixed.world.set("campaign-objects", "9");
    EXPECT_THROW(measure_power(fixed, progress), Error);
    class Stop final : public Progress {
      public:
        void update(std::string_view, std::uint64_t, std::uint64_t) override {}
        bool is_cancelled() const override { return ++m_asked > 200; }

      private:
        mutable int m_asked = 0;
    } stop;
    try {
        measure_power(small_request(folder, "participation", {"0.9"}), stop);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    // Every effect is about a parameter that worlds have, and its values are ones that it takes.
    for (const auto& effect : power_effects())
        for (const auto& value : effect.values)
            EXPECT_NO_THROW(takedown_parameters({{effect.parameter, value}})) << effect.name << " " << value;
}

}  // namespace
}  // namespace unveil::test
