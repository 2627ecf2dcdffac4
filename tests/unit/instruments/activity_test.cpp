// Goal: the log gives back every post, in order, as often as it is asked. Method: more posts than one block holds.

#include "instruments/coordination/activity.hpp"

#include <gtest/gtest.h>

#include "instruments/coordination/row_store.hpp"

namespace unveil::testing {
namespace {

using namespace coordination;

ActivityPost post_number(std::uint32_t i) {
    return {std::int64_t{i} * 7 - 1000, i * 3ull, i % 2 == 0 ? content_key_none : i, i % 11, i % 3 == 0 ? no_account : i % 5, i,
            i % 4 == 0 ? reposts_unknown : i, i % 6, i % 8};
}

TEST(Activity, GivesBackWhatWasAdded) {
    for (const std::uint32_t count : {0u, 1u, 4096u, 4097u, 20'000u}) {
        Activity activity(Scratch{::testing::TempDir(), 0});
        for (std::uint32_t i = 0; i < count; ++i) activity.add(post_number(i));
        activity.finish();
        EXPECT_EQ(activity.size(), count);
        for (int walk = 0; walk < 2; ++walk) {
            std::uint32_t next = 0;
            std::uint32_t wrong = 0;
            activity.for_each([&](const ActivityPost& post) {
                const auto expected = post_number(next++);
                wrong += post.time_us != expected.time_us || post.content != expected.content ||
                         post.repost_of != expected.repost_of || post.account != expected.account ||
                         post.repost_author != expected.repost_author || post.post != expected.post ||
                         post.reposts_received != expected.reposts_received || post.topic != expected.topic ||
                         post.flags != expected.flags;
            });
            EXPECT_EQ(next, count);
            EXPECT_EQ(wrong, 0u);
        }
    }
}

}  // namespace
}  // namespace unveil::testing
