// The style sheet and the optional script, put into the program when it was built.
#pragma once

#include <string_view>

namespace unveil {

std::string_view report_style();
/// Empty when the program was built without npm; the report works without.
std::string_view report_script();

}  // namespace unveil
