#include "instruments/interference/address_order.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/random.hpp"

namespace unveil {
namespace {

constexpr std::size_t answers_max = 4096;
constexpr std::size_t following = 5;   // as many processes were seen at once
constexpr std::uint64_t compared_min = 20;

/// `places` is as long as there are addresses, and holds none on entry.
std::pair<std::uint64_t, std::uint64_t> compared_and_alike(const std::vector<std::uint32_t>& answers, std::vector<std::size_t>& places) {
    constexpr std::size_t none = SIZE_MAX;
    std::fill(places.begin(), places.end(), none);
    std::uint64_t compared = 0;
    std::uint64_t alike = 0;
    for (std::size_t i = 0; i + following < answers.size(); ++i) {
        const std::size_t before = std::exchange(places[answers[i]], i);
        if (before == none || i - before <= following) continue;
        ++compared;
        bool is_alike = false;
        for (std::size_t a = before + 1; a <= before + following; ++a)
            for (std::size_t b = i + 1; b <= i + following; ++b) is_alike = is_alike || (answers[a] == answers[b] && answers[a] != answers[i]);
        alike += is_alike;
    }
    return {compared, alike};
}

}  // namespace

AddressOrder address_order(std::span<const std::uint32_t> answers) {
    AddressOrder order;
    std::unordered_map<std::uint32_t, std::uint32_t> numbers;
    std::vector<std::uint32_t> numbered;
    for (const std::uint32_t answer : answers.first(std::min(answers_max, answers.size())))
        numbered.push_back(numbers.try_emplace(answer, static_cast<std::uint32_t>(numbers.size())).first->second);
    std::vector<std::size_t> places(numbers.size());
    order.addresses = numbers.size();
    std::tie(order.compared, order.alike) = compared_and_alike(numbered, places);
    if (order.compared < compared_min) return order;
    constexpr int orders = 999;
    Random random(0xadd2);
    int as_many = 0;
    for (int round = 0; round < orders; ++round) {
        for (std::size_t i = numbered.size(); i > 1; --i) std::swap(numbered[i - 1], numbered[random.below(i)]);
        const auto [compared, alike] = compared_and_alike(numbered, places);
        // Shares, since in another order another number can be compared.
        as_many += alike * order.compared >= order.alike * compared;
    }
    order.p_value = (1.0 + as_many) / (1.0 + orders);
    return order;
}

}  // namespace unveil
