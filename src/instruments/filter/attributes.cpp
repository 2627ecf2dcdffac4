#include "instruments/filter/attributes.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <set>

#include "core/error.hpp"

namespace unveil::filter {
namespace {

enum class Agreement { equal, different, unknown };

class Table {
  public:
    Table(std::span<const std::string> contexts, const ContextAttributes& attributes) {
        std::map<std::string, std::set<std::string>> values;
        for (const auto& context : contexts) {
            const auto found = attributes.find(context);
            m_rows.push_back(found == attributes.end() ? nullptr : &found->second);
            if (m_rows.back() == nullptr) continue;
            for (const auto& [name, value] : *m_rows.back()) values[name].insert(value);
        }
        // What has one value wherever it is known may have another where it is not.
        for (const auto& [name, found] : values) {
            const bool is_known = std::all_of(m_rows.begin(), m_rows.end(), [&, &wanted = name](const auto* row) { return row != nullptr && row->count(wanted) > 0; });
            if (found.size() > 1 || !is_known) names.push_back(name);
            has_two_values |= found.size() > 1;
        }
        UNVEIL_ASSERT(names.size() <= attributes_max);
    }

    Agreement agreement(std::size_t a, std::size_t b, std::size_t attribute) const {
        const std::string* left = value(a, attribute);
        const std::string* right = value(b, attribute);
        if (left == nullptr || right == nullptr) return Agreement::unknown;
        return *left == *right ? Agreement::equal : Agreement::different;
    }

    std::vector<std::string> names;   // in byte order, of those that have or may have two values
    bool has_two_values = false;

  private:
    const std::string* value(std::size_t context, std::size_t attribute) const {
        if (m_rows[context] == nullptr) return nullptr;
        const auto found = m_rows[context]->find(names[attribute]);
        return found == m_rows[context]->end() ? nullptr : &found->second;
    }

    std::vector<const std::map<std::string, std::string>*> m_rows;
};

}  // namespace

Separation separate_contexts(std::span<const std::string> contexts, const ContextAttributes& attributes, std::span<const ContextPair> pairs) {
    Separation separation;
    const Table table(contexts, attributes);
    const std::size_t count = table.names.size();
    separation.has_attributes = table.has_two_values;
    separation.has_differences = std::any_of(pairs.begin(), pairs.end(), [](const ContextPair& pair) { return pair.is_different; });
    if (!table.has_two_values) return separation;

    // By pair: the attributes, as bits, that are known to be equal, and known to be different.
    std::vector<std::uint32_t> equal;
    std::vector<std::uint32_t> different;
    for (const ContextPair& pair : pairs) {
        std::uint32_t same = 0;
        std::uint32_t other = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const Agreement agreement = table.agreement(pair.a, pair.b, i);
            same |= std::uint32_t{agreement == Agreement::equal} << i;
            other |= std::uint32_t{agreement == Agreement::different} << i;
        }
        equal.push_back(same);
        different.push_back(other);
    }
    const auto names_of = [&](std::uint32_t bits) {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < count; ++i)
            if ((bits >> i & 1) != 0) names.push_back(table.names[i]);
        return names;
    };
    const std::uint32_t all = (1u << count) - 1;
    std::vector<std::uint32_t> least;
    for (std::size_t size = 0; size <= count; ++size)
        for (std::uint32_t set = 0; set <= all; ++set) {
            if (static_cast<std::size_t>(std::popcount(set)) != size) continue;
            if (std::any_of(least.begin(), least.end(), [&](std::uint32_t other) { return (other & set) == other; })) continue;
            bool explains = true;
            for (std::size_t p = 0; p < pairs.size() && explains; ++p) explains = !pairs[p].is_different || (equal[p] & set) != set;
            if (explains) least.push_back(set);
        }
    std::uint32_t in_all = least.empty() ? 0 : all;
    std::uint32_t in_some = 0;
    for (const std::uint32_t set : least) {
        separation.explanations.push_back(names_of(set));
        in_all &= set;
        in_some |= set;
    }
    for (std::size_t p = 0; p < pairs.size(); ++p)
        if (pairs[p].is_different)
            separation.is_incomplete |= std::any_of(least.begin(), least.end(), [&](std::uint32_t set) { return (different[p] & set) == 0; });
    if (!separation.is_incomplete) separation.needed = names_of(in_all);

    for (std::size_t i = 0; i < count; ++i) {
        bool is_spared = false;
        bool is_contradicted = (in_some >> i & 1) != 0;
        for (std::size_t p = 0; p < pairs.size(); ++p) {
            if (different[p] != 1u << i || (different[p] | equal[p]) != all) continue;
            separation.steps.push_back({table.names[i], p});
            is_spared |= pairs[p].relation == ContextRelation::equal;
            is_contradicted |= pairs[p].relation != ContextRelation::equal;
        }
        if (is_spared && !is_contradicted) separation.spared.push_back(table.names[i]);
    }

    // Attributes go together when every pair of contexts agrees in both or in none.
    std::uint32_t seen = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if ((seen >> i & 1) != 0) continue;
        std::uint32_t group = 1u << i;
        for (std::size_t j = i + 1; j < count; ++j) {
            bool is_same = true;
            for (std::size_t p = 0; p < pairs.size() && is_same; ++p) is_same = (equal[p] >> i & 1) == (equal[p] >> j & 1) && (different[p] >> i & 1) == (different[p] >> j & 1);
            if (is_same) group |= 1u << j;
        }
        seen |= group;
        if (std::popcount(group) > 1) separation.together.push_back(names_of(group));
    }
    return separation;
}

}  // namespace unveil::filter
