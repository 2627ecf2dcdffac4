// Which accounts act together? Pairs of accounts that share the same object (a retweeted post, a link, a text ...)
// within a time window, counted over sliding inclusive windows, object by object, for several traces and windows at once.
#pragma once

#include "instruments/instrument.hpp"

namespace unveil {

class Coordination final : public Instrument {
  public:
    const InstrumentDescription& description() const override;
    Findings run(const InstrumentInputs& inputs, const ParameterValues& parameters,
                 InstrumentContext& context) const override;
};

}  // namespace unveil
