# Puts the file of facts that instruments go by into the program.
set(facts_source ${CMAKE_SOURCE_DIR}/src/instruments/interference/facts.json)
set(facts_code ${CMAKE_BINARY_DIR}/facts/interference_facts.cpp)
add_custom_command(
  OUTPUT ${facts_code}
  COMMAND ${CMAKE_COMMAND} -DFILE=${facts_source} -DFUNCTION=built_in_facts_json -DHEADER=instruments/interference/facts.hpp -DOUTPUT=${facts_code}
          -P ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
  DEPENDS ${facts_source} ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
  COMMENT "Embedding the facts of the instrument interference"
  VERBATIM)
target_sources(unveil_instruments PRIVATE ${facts_code})
