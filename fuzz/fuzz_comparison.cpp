// Comparisons are read without exceptions, and their canonical spelling reads back as itself.
#include <cstdlib>
#include <string_view>

#include "case/comparison.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const auto parsed = unveil::parse_comparison({reinterpret_cast<const char*>(data), size});
    if (!parsed) {
        if (parsed.error().message.empty() || parsed.error().column == 0) std::abort();
        return 0;
    }
    const auto again = unveil::parse_comparison(parsed->text);
    if (!again || again->text != parsed->text || again->right.number != parsed->right.number) std::abort();
    return 0;
}
