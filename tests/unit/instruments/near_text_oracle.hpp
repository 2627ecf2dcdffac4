// Near texts by definition: shingles as strings in sets, every pair compared.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "near_text_world.hpp"

namespace unveil::testing {

/// The scripts of the made-up posts, by block.
inline bool is_dense_by_block(char32_t c) {
    return (c >= 0x0E01 && c <= 0x0E5B && c != 0x0E3F) || (c >= 0x3041 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
           (c >= 0xAC00 && c <= 0xD7A3);
}

inline std::size_t count_dense(const std::u32string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_dense_by_block));
}

inline std::set<std::u32string> naive_shingles(const std::u32string& text, std::size_t dense_length) {
    std::set<std::u32string> shingles;
    std::size_t begin = 0;
    for (std::size_t end = 1; end <= text.size(); ++end) {
        if (end < text.size() && is_dense_by_block(text[end]) == is_dense_by_block(text[begin])) continue;
        const auto run = text.substr(begin, end - begin);
        const std::size_t length = is_dense_by_block(run[0]) ? dense_length : 5;
        if (run.size() < length) shingles.insert(run);
        for (std::size_t i = 0; i + length <= run.size(); ++i) shingles.insert(run.substr(i, length));
        begin = end;
    }
    return shingles;
}

inline double naive_jaccard(const std::u32string& a, const std::u32string& b) {
    const std::size_t fewer = std::min(count_dense(a), count_dense(b));
    const std::size_t more = std::max(count_dense(a), count_dense(b));
    if (more > 40 && fewer > 0 && fewer < 27) return 0;
    const auto left = naive_shingles(a, more > 40 ? 3 : 2);
    const auto right = naive_shingles(b, more > 40 ? 3 : 2);
    const auto both = std::count_if(left.begin(), left.end(), [&](const auto& s) { return right.count(s) > 0; });
    const auto either = static_cast<double>(left.size() + right.size()) - static_cast<double>(both);
    return either == 0 ? 0 : static_cast<double>(both) / either;
}

/// A world of `count` different posts, of which about half are edited copies of others.
inline std::vector<std::u32string> near_text_world(Writer& writer, std::size_t count, std::size_t shortest, std::size_t longest) {
    std::set<std::u32string> texts;
    std::vector<std::u32string> made;
    while (made.size() < count) {
        auto text = made.empty() || writer.random().chance(0.5)
                        ? writer.post(shortest, longest)
                        : writer.edited(made[writer.random().below(made.size())], 1 + writer.random().below(3));
        if (texts.insert(text).second) made.push_back(std::move(text));
    }
    return made;
}

}  // namespace unveil::testing
