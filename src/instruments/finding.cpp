#include "instruments/finding.hpp"

namespace unveil {

const Finding* Findings::find(std::string_view metric) const {
    for (const auto& item : items)
        if (item.metric == metric) return &item;
    return nullptr;
}

}  // namespace unveil
