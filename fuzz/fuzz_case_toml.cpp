// case.toml comes with evidence from strangers: parsing it must end in a case or in Error(input), nothing
// else.
#include <cstdlib>
#include <string>

#include "case/case_file.hpp"
#include "core/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    try {
        unveil::parse_case(std::string(reinterpret_cast<const char*>(data), size), "case.toml",
                           unveil::instrument_named);
    } catch (const unveil::Error& error) {
        if (error.kind() != unveil::ErrorKind::input) std::abort();
    }
    return 0;
}
