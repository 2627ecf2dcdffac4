// How long work talks to whoever waits for it, and how it hears that it should stop.
#pragma once

#include <cstdint>
#include <string_view>

namespace unveil {

class Progress {
  public:
    virtual ~Progress() = default;
    /// Called now and then with monotone `done`; `total` is 0 when unknown. Must be cheap.
    virtual void update(std::string_view stage, std::uint64_t done, std::uint64_t total) = 0;
    virtual bool is_cancelled() const = 0;

    /// Throws Error(interrupted) when the user asked to stop.
    void check() const;
};

/// Says nothing and never stops.
class SilentProgress final : public Progress {
  public:
    void update(std::string_view, std::uint64_t, std::uint64_t) override {}
    bool is_cancelled() const override { return false; }
};

}  // namespace unveil
