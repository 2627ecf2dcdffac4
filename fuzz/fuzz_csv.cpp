// CSV of any bytes behind a good header. First byte: limits; second: size of the pieces in which the bytes
// come. The same posts must come out however the bytes are cut into pieces.
#include <algorithm>

#include "read_whole.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size < 2) return 0;
    const auto limits = fuzz::small_limits(data[0]);
    const std::size_t piece = std::max<std::size_t>(1, data[1]);
    constexpr std::string_view headers[] = {
        "object_id,account_id,content_id,timestamp_share\n",
        "tweetid;userid;tweet_time;hashtags;urls;is_retweet;retweet_tweetid\r\n",
        "message_id\tuser_id\tusername\trepost_id\treply_id\tmessage\ttimestamp\turls\n",
        "author_id,content,publish_date,retweet\r",
    };
    std::string bytes(headers[data[0] / 2 % 4]);
    bytes.append(reinterpret_cast<const char*>(data + 2), size - 2);
    const auto in_pieces = fuzz::read_whole(bytes, {}, limits, piece);
    fuzz::require(in_pieces == fuzz::read_whole(bytes, {}, limits, SIZE_MAX));
    return 0;
}
