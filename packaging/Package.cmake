# `cmake --install` and `cpack` (in build/release): the binary, DuckDB's library in a folder of its own, manual pages
# and shell completions printed by the binary itself.
include(GNUInstallDirs)
install(TARGETS unveil)
if(UNVEIL_WITH_DUCKDB)
  install(FILES ${duckdb_real} DESTINATION lib/unveil RENAME libduckdb.so)
endif()
install(CODE "
  set(made \"${CMAKE_BINARY_DIR}/installed\")
  file(MAKE_DIRECTORY \"\${made}\")
  execute_process(COMMAND \"$<TARGET_FILE:unveil>\" man OUTPUT_FILE \"\${made}/unveil.1\" COMMAND_ERROR_IS_FATAL ANY)
  foreach(shell bash zsh fish)
    execute_process(COMMAND \"$<TARGET_FILE:unveil>\" completion \${shell} OUTPUT_FILE \"\${made}/\${shell}\"
                    COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
")
install(FILES ${CMAKE_BINARY_DIR}/installed/unveil.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_BINARY_DIR}/installed/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME unveil)
install(FILES ${CMAKE_BINARY_DIR}/installed/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
        RENAME _unveil)
install(FILES ${CMAKE_BINARY_DIR}/installed/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
        RENAME unveil.fish)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(FILES NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the unveil developers <unveil@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
find_program(DPKG_SHLIBDEPS dpkg-shlibdeps)
if(DPKG_SHLIBDEPS)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
else()
  set(CPACK_DEBIAN_PACKAGE_DEPENDS
      "libc6, libstdc++6, libfmt9, libssl3, libicu72, zlib1g, liblzma5, libzstd1, libsqlite3-0, libsimdjson14, libcpp-httplib0.11, libre2-9")
endif()
include(CPack)
