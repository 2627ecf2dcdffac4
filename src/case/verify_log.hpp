// Does a log of trials still stand as it was written, and do its messages prove the rules that were published from it? The chain of digests is followed, and the
// certificate of each rule is made anew and looked up; nothing of a run is needed.
#pragma once

#include <functional>
#include <string>

#include "case/verify.hpp"
#include "core/progress.hpp"

namespace unveil {

/// Calls `tell` with the check of the chain and one for each rule: those of `published`, the folder of a run of `filter` or a list 'a + b' a line; when it is
/// empty, those that the log itself certifies. Throws Error(input) for what is no log, or no list.
void verify_log(const std::string& path, const std::string& published, const std::function<void(Check)>& tell, Progress& progress);

}  // namespace unveil
