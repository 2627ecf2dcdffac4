// Where in the world was something found, where was it looked for in vain, and of which countries is nothing known?
// Outlines are Natural Earth's at 1:110 million (world_map.txt); smaller countries are dots. Static SVG: it needs no script.
#pragma once

#include <string>
#include <string_view>

#include "instruments/finding.hpp"

namespace unveil {

/// The file of outlines as it stands in the program.
std::string_view world_map_text();

/// The map of a figure of kind map, with its legend. Returns what the caption must add: rows that have no place on the map, and whose outlines these are.
std::string append_world_map(const Figure& figure, std::string& out);

}  // namespace unveil
