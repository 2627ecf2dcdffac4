#include "core/error.hpp"
#include "evidence/table_posts.hpp"

namespace unveil {

std::unique_ptr<PostSource> make_json_posts(InputBuffer input, const EvidenceOptions&, std::uint32_t,
                                            const EvidenceLimits&) {
    throw Error(ErrorKind::run, "JSON is not read yet", {}, input.stream().path());
}
std::unique_ptr<PostSource> make_parquet_posts(const std::string& path, const EvidenceOptions&, std::uint32_t,
                                               const EvidenceLimits&) {
    throw Error(ErrorKind::run, "Parquet is not read yet", {}, path);
}

}  // namespace unveil
