add_library(unveil_warnings INTERFACE)
target_compile_options(unveil_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
# GCC 12 takes string + string for overlapping memory at -O3 (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(unveil_warnings INTERFACE -Wno-restrict)
endif()
if(UNVEIL_WERROR)
  target_compile_options(unveil_warnings INTERFACE -Werror)
endif()
