# Puts the report's style sheet and its optional script into the program, as byte arrays. The script is bundled by esbuild
# from web/ with the packages that web/package-lock.json pins; nothing is fetched or bundled again until web/ changes.
# Without npm, or with UNVEIL_WITH_WEB=OFF, the script is empty and reports show their still pictures.
set(web_source ${CMAKE_SOURCE_DIR}/web)
set(web_build ${CMAKE_BINARY_DIR}/web)
set(report_script ${web_build}/report.js)
set(report_style ${web_source}/src/report.css)
file(GLOB web_modules CONFIGURE_DEPENDS ${web_source}/src/*.js)

find_program(NPM npm)
find_program(NODE NAMES node nodejs)
if(UNVEIL_WITH_WEB AND NOT (NPM AND NODE))
  message(STATUS "npm is missing: reports will have no script (install nodejs and npm, or set UNVEIL_WITH_WEB=OFF)")
endif()

file(MAKE_DIRECTORY ${web_build}/src)
if(UNVEIL_WITH_WEB AND NPM AND NODE)
  add_custom_command(
    OUTPUT ${web_build}/packages.stamp
    COMMAND ${CMAKE_COMMAND} -E copy ${web_source}/package.json ${web_source}/package-lock.json ${web_build}
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${web_build}/packages.stamp
    DEPENDS ${web_source}/package.json ${web_source}/package-lock.json
    WORKING_DIRECTORY ${web_build}
    COMMENT "Fetching the packages of the report's script (-DUNVEIL_WITH_WEB=OFF builds without)"
    VERBATIM)
  add_custom_command(
    OUTPUT ${report_script}
    COMMAND ${CMAKE_COMMAND} -E copy ${web_modules} ${web_build}/src
    COMMAND ${NPM} run --silent build
    DEPENDS ${web_modules} ${web_build}/packages.stamp
    WORKING_DIRECTORY ${web_build}
    COMMENT "Bundling the report's script"
    VERBATIM)
else()
  set(report_script ${web_build}/empty.js)
  file(WRITE ${report_script} "")
endif()

add_custom_command(
  OUTPUT ${web_build}/assets.cpp
  COMMAND ${CMAKE_COMMAND} -DSTYLE=${report_style} -DSCRIPT=${report_script} -DOUTPUT=${web_build}/assets.cpp
          -P ${CMAKE_SOURCE_DIR}/cmake/embed_assets.cmake
  DEPENDS ${report_style} ${report_script} ${CMAKE_SOURCE_DIR}/cmake/embed_assets.cmake
  COMMENT "Embedding the report's style sheet and script"
  VERBATIM)
target_sources(unveil_report PRIVATE ${web_build}/assets.cpp)
