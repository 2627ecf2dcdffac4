# unveil_embed(ROOM FILE FUNCTION HEADER): puts a file of src/ into the program; unveil::FUNCTION(), declared in HEADER, answers its bytes.
function(unveil_embed room file function header)
  set(source ${CMAKE_SOURCE_DIR}/src/${file})
  set(code ${CMAKE_BINARY_DIR}/embedded/${function}.cpp)
  add_custom_command(
    OUTPUT ${code}
    COMMAND ${CMAKE_COMMAND} -DFILE=${source} -DFUNCTION=${function} -DHEADER=${header} -DOUTPUT=${code} -P ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
    DEPENDS ${source} ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
    COMMENT "Embedding ${file}"
    VERBATIM)
  target_sources(unveil_${room} PRIVATE ${code})
endfunction()

unveil_embed(instruments instruments/interference/facts.json built_in_facts_json instruments/interference/facts.hpp)
unveil_embed(report report/world_map.txt world_map_text report/world_map.hpp)
