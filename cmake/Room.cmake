# unveil_room(NAME LINKS public... PRIVATE private...): one static library per folder of src/. A room sees only the
# headers it is linked to by intent: a use of another room's code fails at link time, an include is caught by tests/doors.
function(unveil_room name)
  cmake_parse_arguments(ROOM "" "" "LINKS;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/src/cli/main\\.cpp$")
  add_library(unveil_${name} STATIC ${sources})
  target_include_directories(unveil_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(unveil_${name} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE} unveil_warnings unveil_sanitizers)
endfunction()
