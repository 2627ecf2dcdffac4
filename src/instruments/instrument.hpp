// The door of every instrument: a pure function (records, parameters, seed) -> findings.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/output_table.hpp"
#include "core/parameter.hpp"
#include "core/progress.hpp"
#include "core/scratch.hpp"
#include "instruments/finding.hpp"
#include "table/blocking_fingerprint.hpp"
#include "table/frame.hpp"
#include "table/labelled_word.hpp"
#include "table/measurement.hpp"
#include "table/post.hpp"
#include "table/trial.hpp"

namespace unveil {

/// A metric that claims can use. `name` may hold a placeholder: "<trace>.edges".
struct MetricDescription {
    std::string name;
    std::string unit;
    std::string help;
    std::vector<std::string> arguments = {};   // all that it can have; empty: any, or none
    std::string needs = {};                    // what a run must be given to list it: "with = { topics = true }"; empty: nothing
    std::string without = {};                  // what to ask where a run has none: "It is of captures; measurements have 'blocked.layer'"
};

struct InstrumentDescription {
    std::string name;        // "coordination"
    std::string question;    // "Which accounts act together?"
    std::string summary;     // two or three sentences for `unveil describe`
    std::string record;      // "post", "trial" or "network record"
    std::vector<Parameter> parameters;
    std::vector<MetricDescription> metrics;
    std::vector<std::string> limits;     // what it cannot show
    std::vector<std::string> citations;
    std::string example;     // a command line that runs on `unveil lab make` output
    bool accepts_controls = false;  // InstrumentInputs::controls may be filled
};

/// Everything a run may use. Must not read the clock, the environment or files beyond this.
struct InstrumentInputs {
    std::vector<PostSource*> posts;   // in the order of the run's inputs; consumed
    /// Posts of accounts known to belong to no campaign, to be read after `posts`; consumed. Their evidence numbers go on
    /// behind those of the posts, so locators may point at them. An account may stand in both; the instrument decides
    /// what that means and says so. Filled only when the description accepts controls.
    std::vector<PostSource*> controls;
    /// In place of posts where the description's record is "trial"; consumed.
    std::vector<TrialSource*> trials;
    /// Lists of labelled words beside the trials; consumed.
    std::vector<LabelledWordSource*> labels;
    /// Captures and measurements where the record is "network record"; consumed.
    std::vector<FrameSource*> frames;
    std::vector<MeasurementSource*> measurements;
    /// Lists of known block pages beside them; consumed.
    std::vector<BlockingFingerprintSource*> fingerprints;
};
struct InstrumentContext {
    std::uint64_t seed = 0;
    unsigned threads = 1;
    Scratch scratch;
    OutputTables& tables;
    Progress& progress;
};

class Instrument {
  public:
    virtual ~Instrument() = default;
    virtual const InstrumentDescription& description() const = 0;
    /// Throws Error(usage) for parameters that contradict each other or the evidence, Error(input) for evidence that
    /// cannot carry the question, Error(interrupted) when progress says so. The same arguments give the same bytes for
    /// any number of threads and any order of input rows.
    virtual Findings run(const InstrumentInputs& inputs, const ParameterValues& parameters,
                         InstrumentContext& context) const = 0;
};

/// All instruments, in the order in which `unveil list` shows them.
std::span<const Instrument* const> instruments();
/// Throws Error(usage) with the nearest name.
const Instrument& instrument_named(std::string_view name);

}  // namespace unveil
