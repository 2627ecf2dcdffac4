// The trace near-text: rows that point at texts come to point at the text that stands for their cluster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/output_table.hpp"
#include "core/progress.hpp"
#include "instruments/coordination/dictionary.hpp"
#include "instruments/coordination/near_text.hpp"
#include "instruments/coordination/row_store.hpp"
#include "instruments/finding.hpp"

namespace unveil::coordination {

/// Every member of a cluster of at least two texts, with what differs from the text that stands for it. Texts are written
/// only when asked for.
OutputTable& open_near_texts(OutputTables& tables, bool show_texts);

/// `texts` holds the comparable texts by object number and `posts` how many rows point at each. Afterwards rows and `texts`
/// hold one object a cluster, named as in exact-text after the text that stands for it.
void join_near_texts(Dictionary& texts, const std::vector<std::uint32_t>& posts, RowStore& rows, const NearTextOptions& options,
                     bool show_texts, OutputTable& table, Progress& progress, Findings& findings);

}  // namespace unveil::coordination
