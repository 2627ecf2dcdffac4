#include <array>

#include "core/error.hpp"
#include "instruments/coordination/coordination.hpp"
#include "instruments/filter/filter.hpp"
#include "instruments/instrument.hpp"
#include "instruments/interference/interference.hpp"

namespace unveil {

std::span<const Instrument* const> instruments() {
    static const Coordination coordination;
    static const Filter filter;
    static const Interference interference;
    static const std::array<const Instrument*, 3> all = {&coordination, &filter, &interference};
    return all;
}

const Instrument& instrument_named(std::string_view name) {
    std::vector<std::string> names;
    for (const auto* instrument : instruments()) {
        if (instrument->description().name == name) return *instrument;
        names.push_back(instrument->description().name);
    }
    const auto near = nearest_word(name, names);
    throw Error(ErrorKind::usage, "no instrument is called '" + std::string(name) + "'",
                near.empty() ? "'unveil list' shows what there is" : "Did you mean '" + near + "'?");
}

}  // namespace unveil
