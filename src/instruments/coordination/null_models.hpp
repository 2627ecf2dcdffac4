// Could two accounts have acted together by chance? Two null models of one trace, each a p-value for a pair of accounts.
//
// Interest: accounts and objects keep their degrees and nothing else is known of them (bipartite configuration model,
// Saracco et al. 2015). The p-value is P(V >= shared objects), V Poisson-binomial over all objects.
//
// Synchrony: the objects that two accounts share are taken as given, so neither common interest nor popularity counts.
// Under the null each object's share times fall on its accounts in random order, so a pair of accounts is within the
// window on object a with probability pi_a = pairs of rows within the window / pairs of rows, both of different accounts.
// The p-value is P(T >= meetings), T Poisson-binomial over the shared objects. Where each account has one row an object and
// every co-action is a meeting of its own, it equals the test that shuffles times within each object. Beyond that:
//  - Repeated rows: pi_a is the larger of that share of row pairs and the mean over account pairs of within / (m m'), so that
//    one account with many rows cannot slow an object down; m rows against m' have at most m m' pi_a chances (union bound).
//  - Meetings: co-actions of a pair within ten minutes, or the window if longer, of a first one are one meeting. What two
//    accounts share in one sitting is one coincidence, not many; its objects, all shared ones, are the trials. Where co-actions
//    come in clumps of weight / meetings, coincidences are that much rarer than their sum suggests: every chance is divided
//    by the mean clump (Poisson clumping, Aldous 1989, A9). The p-value is never below the one without clumps.
//  - Posting hours: accounts are put into five classes, the quarter of the day of their circular mean hour or none. Where
//    pairs of two classes coincide more often than their objects' pace explains, pi_a is raised by that ratio; never lowered.
//  - An object that hardly anybody else shares has no pace of its own but that of the accounts under test. An object
//    whose pace is above the common pace (the 0.9 quantile over objects of at least five accounts, each account having one
//    vote spread over its objects) keeps it only when at least half of its pairs of accounts share nothing else; otherwise
//    the common pace is taken. A pair that is only beyond chance at the common pace must also be together on at least half of
//    what it shares: a circle with a few live moments has those by itself. Whether such a pair of a lesser share acts together
//    cannot be told. Without enough accounts to vote, every object keeps its own pace.
//
// Pairs below the minimum weight are not looked at and count as p = 1 among all n (n - 1) / 2 pairs of accounts. Since the
// synchrony null takes who shared what as given, a pair may be given a weight by that alone (Genovese, Roeder & Wasserman,
// Biometrika 93 (2006) 509): the sum over its shared objects of 1 / (accounts of the object - 1), scaled so that all pairs
// together have a mean of 1. Summed over all pairs that is half the number of rows, so no pair need be listed. Two accounts
// that share what few others share are looked at more closely than two who met on what everybody shares.
// O(rows) time and 4 bytes a row, 12 bytes an account and object, beside O(d) for each candidate of accounts of d rows.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/progress.hpp"
#include "instruments/coordination/co_actions.hpp"
#include "instruments/coordination/dictionary.hpp"
#include "instruments/coordination/row_store.hpp"
#include "statistics/configuration_model.hpp"

namespace unveil::coordination {

struct NullRules {
    std::vector<std::int64_t> windows_us;   // ascending
    bool stratify_hours = true;
    /// Whether pairs that share no more than about what is expected need their p_interest all the same; it is 1 otherwise,
    /// where so many pairs are tested that no q-value can change by it.
    bool needs_large_p = true;
    std::uint64_t seed = 0;
    unsigned threads = 1;
};

/// A pair of accounts that shared at least the minimum of objects within one window, and its chance.
struct Candidate {
    std::uint32_t a;
    std::uint32_t b;
    std::uint32_t weight;            // objects shared within the window
    std::uint32_t meetings;          // separate occasions among these co-actions, at most weight
    std::uint32_t shared = 0;        // objects shared at whatever times
    double expected_shared = 0;      // under the interest null
    double expected_together = 0;    // objects within the window under the synchrony null
    double p_interest = 1;
    double p_sync = 1;
    double p_sync_own = 1;            // with every object's own pace; larger where the common pace was taken
    double p_sync_common = 1;         // with the common pace, also where too small a share of objects forbids to take it
    double p_sync_least = 1;          // had they been together on all they share (Tarone 1990); on the scale of p_sync
    double prior = 0;                 // weight in the family of synchrony tests; the mean over all pairs is 1
};

/// What the objects' paces looked like in one window.
struct PaceSummary {
    std::uint64_t voters = 0;         // accounts with a row on an object of at least five accounts
    bool has_common_pace = false;     // enough voters
    double common_pace = 1;
    std::uint64_t objects = 0;        // of at least two accounts
    std::uint64_t objects_fast = 0;   // above the common pace
    std::uint64_t objects_closed = 0; // of these, shared mostly by accounts that share more: the common pace is taken
};

class NullModels {
  public:
    static constexpr std::uint32_t pace_accounts_min = 5;
    static constexpr std::uint64_t pace_voters_min = 100;
    static constexpr double pace_quantile = 0.9;

    /// Rows must be ordered and filtered; accounts in them are ranks below `accounts`, objects numbers below `objects`.
    NullModels(RowStore& rows, std::uint32_t accounts, const Dictionary& objects, const NullRules& rules, Progress& progress);
    ~NullModels();

    /// All pairs of accounts that have rows: the family over which q-values are taken.
    double tests() const;
    std::uint64_t active_accounts() const { return m_active_accounts; }
    const PaceSummary& pace(std::size_t window) const { return m_paces[window]; }
    /// Fills in everything but a, b and weight. Deterministic for any number of threads.
    void judge(std::size_t window, std::span<Candidate> candidates, Progress& progress) const;

    /// Whether any pair of accounts could share the minimum of two objects, by who shared what alone.
    bool is_testable() const { return m_accounts_sharing >= 2; }
    /// The probability that two accounts' shares of `object` lie within the window, before posting hours.
    double pace_of(std::size_t window, std::uint32_t object) const { return m_pi[window][object]; }

  private:
    static constexpr std::uint32_t hour_classes = 5;  // 0: no usual hours
    struct Share {
        std::int64_t time_us;
        std::uint32_t account;
    };
    class Sweep;

    std::span<const std::uint32_t> objects_of(std::uint32_t account) const {
        return {m_account_objects.data() + m_account_begins[account], m_account_objects.data() + m_account_begins[account + 1]};
    }
    void count_degrees(RowStore& rows, std::uint32_t accounts);
    void choose_hour_classes(const std::vector<std::int64_t>& cosine, const std::vector<std::int64_t>& sine);
    void find_common_paces();
    void replace_closed_paces(RowStore& rows, const Dictionary& objects);
    void scale_priors();
    bool share_at_least_two(std::uint32_t a, std::uint32_t b) const;
    void judge_synchrony(std::size_t window, std::span<Candidate> candidates) const;
    void judge_interest(std::span<Candidate> candidates, bool leaves_out_large_p) const;

    NullRules m_rules;
    std::uint64_t m_active_accounts = 0;
    std::uint64_t m_accounts_sharing = 0;               // with at least two objects that others share
    std::vector<std::uint32_t> m_account_degree;        // distinct objects
    std::vector<std::uint8_t> m_hour_class;             // by account
    std::vector<std::uint64_t> m_account_begins;        // into m_account_objects
    std::vector<std::uint32_t> m_account_objects;       // one entry a row, ascending
    std::vector<std::uint32_t> m_object_degree;         // distinct accounts
    std::vector<std::vector<double>> m_pi;              // window, object
    std::vector<std::vector<std::pair<std::uint32_t, double>>> m_own_pi;  // window; object and own pace of closed objects
    std::vector<std::vector<double>> m_hour_factor;     // window, class * hour_classes + class
    std::vector<PaceSummary> m_paces;
    double m_prior_scale = 0;
    std::unique_ptr<BipartiteConfiguration> m_interest;
};

}  // namespace unveil::coordination
