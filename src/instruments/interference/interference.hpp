// What does the network block, how, where and since when, beyond what is merely broken?
#pragma once

#include "instruments/instrument.hpp"

namespace unveil {

class Interference final : public Instrument {
  public:
    const InstrumentDescription& description() const override;
    Findings run(const InstrumentInputs& inputs, const ParameterValues& parameters, InstrumentContext& context) const override;
};

}  // namespace unveil
