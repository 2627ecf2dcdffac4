// How many objects would two accounts share if nothing but their own activity and the popularity of the
// objects were at work? The bipartite configuration model: the most random bipartite graph whose expected
// degrees are those observed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "statistics/poisson_binomial.hpp"

namespace unveil {

struct DegreeCount {
    std::uint32_t degree = 0;
    std::uint64_t count = 0;
};

/// What the null model keeps of the objects' popularity.
enum class ObjectDegrees {
    /// The number of accounts of an object is right on average, as published. An object of one account then
    /// still makes half a shared object on average: all pairs together share sum k^2 / 2 objects instead of
    /// sum k (k - 1) / 2, too many where most objects have few accounts, so that p-values are too large.
    expected,
    /// It is fixed: p_dk p_d2k becomes p_dk p_d2k (1 - (1 - p_dk)(1 - p_d2k) / c_k) with c_k the sum of
    /// p (1 - p) over accounts (Hajek, Ann. Math. Stat. 35 (1964) 1491: Bernoulli draws conditioned on their
    /// number). Objects of one account make no shared object. Against the exact conditional draws it is
    /// within 10 % among 200 accounts of heavy-tailed activity; among ten accounts it can be nearly three
    /// times too large, to the side of caution, or a fifth too small. Next to graphs that also fix the
    /// accounts' degrees, tails of 60 accounts are 1 to 2.7 times as large
    /// (tests/lab/statistics/swaps_test.cpp).
    exact,
};

/// Saracco, Di Clemente, Gabrielli and Squartini, Sci. Rep. 5 (2015) 10595: each link (account, object) is
/// independent, with probability x y / (1 + x y); x and y depend on the degrees alone and make every expected
/// degree the observed one. The shared objects of two accounts of degrees d and d2 are then Poisson-binomial
/// with p_dk p_d2k (Saracco et al., New J. Phys. 19 (2017) 053022).
///
/// Where the degrees leave no choice (an account with all objects, an object that all accounts have, more
/// generally every point at which the condition of Gale and Ryser holds with equality) the links are 0 or 1
/// and the rest falls apart into independent blocks, each with a finite solution. These are solved by
/// alternating exact solutions of the two sides in log x and log y with Anderson's acceleration (J. ACM 12
/// (1965) 547). The logit of the expected degree is analytic in log x in the strip of height 2 pi, so that a
/// side with many degrees is interpolated by Chebyshev polynomials (error below 1e-11): a sweep over D and K
/// distinct degrees takes O(D + K) time, never D K.
///
/// Memory O(D + K). All const members may be called from several threads at once.
class BipartiteConfiguration {
  public:
    /// The degrees of the accounts (left) and of the objects (right) of one bipartite graph without double
    /// links, in any order; degree 0 and repeated degrees are allowed.
    BipartiteConfiguration(std::span<const DegreeCount> left, std::span<const DegreeCount> right,
                           ObjectDegrees object_degrees = ObjectDegrees::exact);

    /// Of a link between an account of degree `left_degree` and an object of degree `right_degree`; both must
    /// be among the degrees given.
    double probability(std::uint32_t left_degree, std::uint32_t right_degree) const;

    /// The expected number of shared objects of two different accounts of these degrees. O(K).
    double expected_shared(std::uint32_t degree, std::uint32_t degree2) const;

    /// P(V >= at_least), V the shared objects of two different accounts of these degrees, in [tail_floor, 1].
    /// Relative error below 2e-6 max(1, at_least / 10) while the tilted variance is below 400, 2e-4 above
    /// (see OddsTable with 6 orders). O(K) and an allocation; SharedTails is for many.
    double shared_tail(std::uint32_t degree, std::uint32_t degree2, std::uint64_t at_least) const;

    /// The largest relative deviation of an expected degree from the observed one, summed over links anew.
    /// Below 1e-8 unless the iteration limit was met. Over more than 2e7 pairs of distinct degrees a sample
    /// of degrees is taken.
    double residual() const { return m_residual; }

    /// Sweeps that the slowest block took; at most sweeps_max.
    int sweeps() const { return m_sweeps; }
    static constexpr int sweeps_max = 1000;

  private:
    friend class SharedTails;
    struct Side {
        /// Ascending.
        std::vector<std::uint32_t> degrees;
        std::vector<double> counts;
        /// x or y, in the block of the class; 0 where the class has no free link.
        std::vector<double> fitness;
        std::vector<std::uint32_t> blocks;

        std::size_t at(std::uint32_t degree) const;
    };
    /// Right classes whose y differ by less than 1.4.
    struct Run {
        std::size_t first = 0;
        std::size_t last = 0;
    };

    void split_into_blocks();
    void solve_block(std::uint32_t block);
    void measure_residual();
    void form_runs();

    Side m_left;
    Side m_right;
    /// Left classes of block b are [m_left_first[b], m_left_last[b]).
    std::vector<std::size_t> m_left_first;
    std::vector<std::size_t> m_left_last;
    /// Left classes of block b < right block: linked for certain; of a later block: never. Blocks count from
    /// the highest left degrees. Right classes of block b with y > 0 are [m_free_first[b], m_free_last[b]).
    std::vector<std::size_t> m_free_first;
    std::vector<std::size_t> m_free_last;
    /// Number of objects in the blocks after b.
    std::vector<double> m_objects_after;
    /// For each block the runs that cover its free classes, one block after the other.
    std::vector<Run> m_runs;
    std::vector<std::size_t> m_runs_first;
    /// Degrees within the blocks.
    std::vector<double> m_left_free;
    std::vector<double> m_right_free;
    ObjectDegrees m_object_degrees;
    /// 1 / c of each right class.
    std::vector<double> m_conditioning;
    double m_residual = 0;
    int m_sweeps = 0;
};

/// Tails for one thread: remembers the last pair of degrees and its buffers, so queries that come sorted by
/// (degree, degree2) pay O(K) once for each pair. Results do not depend on the order. The configuration must
/// outlive it.
class SharedTails {
  public:
    explicit SharedTails(const BipartiteConfiguration& configuration);

    double expected(std::uint32_t degree, std::uint32_t degree2);
    double tail(std::uint32_t degree, std::uint32_t degree2, std::uint64_t at_least);

  private:
    void choose(std::uint32_t degree, std::uint32_t degree2);

    const BipartiteConfiguration& m_configuration;
    bool m_chosen = false;
    std::uint32_t m_degree = 0;
    std::uint32_t m_degree2 = 0;
    std::size_t m_first = 0;
    std::size_t m_last = 0;
    double m_certain = 0;
    std::vector<double> m_odds;
    std::vector<OddsBlock> m_blocks;
    TailScratch m_scratch;
};

struct SharedQuery {
    std::uint32_t degree = 0;
    std::uint32_t degree2 = 0;
    std::uint64_t at_least = 0;
};

/// The tails of many queries, in their order; equal queries (also with the two degrees exchanged) are
/// answered once. O(n log n) and O(K) for each distinct pair of degrees; the result does not depend on
/// `threads`.
std::vector<double> shared_tails(const BipartiteConfiguration& configuration,
                                 std::span<const SharedQuery> queries, unsigned threads);

}  // namespace unveil
