// Which words, in which combination, for whom, does a platform suppress, and how does it read text? Reads logs of messages that were
// sent to it; believes nothing in them but what was sent and what came back.
#pragma once

#include "instruments/instrument.hpp"

namespace unveil {

class Filter final : public Instrument {
  public:
    const InstrumentDescription& description() const override;
    Findings run(const InstrumentInputs& inputs, const ParameterValues& parameters, InstrumentContext& context) const override;
};

}  // namespace unveil
