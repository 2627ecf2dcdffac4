// How is a text that is longer than a message may be cut, and which pieces go out together, so that words of one rule are seen together wherever they stand?
#pragma once

#include <cstddef>
#include <vector>

namespace unveil {

struct PiecePlan {
    struct Piece {
        std::size_t begin = 0;    // characters of the text
        std::size_t end = 0;
    };
    std::vector<Piece> pieces;    // in their order; each overlaps the next, so that a word at a seam stands in one of them
    /// Positions of the pieces that go into one message, ascending. First runs of neighbours, each sharing a piece with the next; then what stands apart.
    std::vector<std::vector<std::size_t>> groups;
    std::size_t overlap = 0;      // characters that neighbours share
    /// Two words of up to `overlap` + 1 characters are in one message when they begin less than so many characters apart; SIZE_MAX: wherever they stand.
    std::size_t apart_max = 0;
};

/// Messages of up to `message_max` characters, which a separator of so many characters shortens where pieces do not touch. Two, three or four pieces to
/// a message, whatever needs the fewest messages for all pairs of pieces; where that takes more than `apart_groups_max` beside the runs, two, and as many pairs as may be, the
/// nearest first. A run is no longer than a message. `message_max` at least 8. O(pieces^3) where all pairs are seen, else O(pieces + groups).
PiecePlan plan_pieces(std::size_t characters, std::size_t message_max, std::size_t separator, std::size_t apart_groups_max);

}  // namespace unveil
