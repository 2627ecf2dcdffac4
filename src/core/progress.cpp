#include "core/progress.hpp"

#include "core/error.hpp"

namespace unveil {

void Progress::check() const {
    if (is_cancelled()) throw Error(ErrorKind::interrupted, "stopped", "Run the same command again to go on");
}

}  // namespace unveil
