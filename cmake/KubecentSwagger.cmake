# SPDX-License-Identifier: Apache-2.0
# Swagger UI for /api/docs, from npm, compressed and built into the binary. Where it cannot be had, /api/docs is a plain
# page and everything else is the same.
set(KUBECENT_SWAGGER AUTO CACHE STRING "Swagger UI at /api/docs: AUTO (if Node can fetch it), ON (or fail), OFF")
set_property(CACHE KUBECENT_SWAGGER PROPERTY STRINGS AUTO ON OFF)

# Leaves in *_FOUND whether the package that web/package-lock.json names is in the build folder now.
function(kubecent_fetch_swagger build_dir)
  set(KUBECENT_SWAGGER_FOUND FALSE PARENT_SCOPE)
  if(NOT KUBECENT_SWAGGER)
    return()
  endif()
  find_program(KUBECENT_GZIP gzip)
  mark_as_advanced(KUBECENT_GZIP)
  # A source tree may come without web/, as the one in the image's build does.
  if(NOT KUBECENT_GZIP OR NOT EXISTS ${PROJECT_SOURCE_DIR}/web/package-lock.json)
    set(problem "gzip or web/ is missing")
  else()
    execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/npm-ci.sh ${PROJECT_SOURCE_DIR}/web ${build_dir}
                    RESULT_VARIABLE status OUTPUT_VARIABLE problem OUTPUT_STRIP_TRAILING_WHITESPACE TIMEOUT 180)
    if(status EQUAL 0)
      set(KUBECENT_SWAGGER_FOUND TRUE PARENT_SCOPE)
      return()
    endif()
  endif()
  if(KUBECENT_SWAGGER STREQUAL "AUTO")
    message(STATUS "No Swagger UI, /api/docs will be a plain page: ${problem}")
  else()
    message(FATAL_ERROR "Swagger UI cannot be had: ${problem}")
  endif()
endfunction()

# Compresses `file` to `packed`, touching that only when it changes, and gives 16 digits of its digest.
function(kubecent_pack file packed ret_digest)
  execute_process(COMMAND ${KUBECENT_GZIP} -9 -n -c ${file} OUTPUT_FILE ${packed}.new COMMAND_ERROR_IS_FATAL ANY)
  file(COPY_FILE ${packed}.new ${packed} ONLY_IF_DIFFERENT)
  file(REMOVE ${packed}.new)
  file(SHA256 ${file} digest)
  string(SUBSTRING ${digest} 0 16 digest)
  set(${ret_digest} ${digest} PARENT_SCOPE)
endfunction()

# kubecent_docs_files(RET_SOURCES): the source of src/api/docs_files.h to build, with what it includes made. Tests learn
# from KUBECENT_HAS_SWAGGER which one it is.
function(kubecent_docs_files ret_sources)
  set(DOCS_FILES_FOLDER ${PROJECT_BINARY_DIR}/web)
  kubecent_fetch_swagger(${DOCS_FILES_FOLDER})
  set(KUBECENT_HAS_SWAGGER ${KUBECENT_SWAGGER_FOUND} CACHE INTERNAL "Swagger UI is built in")
  if(NOT KUBECENT_SWAGGER_FOUND)
    set(${ret_sources} docs_files_none.c PARENT_SCOPE)
    return()
  endif()
  set(package ${DOCS_FILES_FOLDER}/node_modules/swagger-ui-dist)
  kubecent_pack(${package}/swagger-ui-bundle.js ${DOCS_FILES_FOLDER}/swagger-ui.js.gz SWAGGER_UI_JS_DIGEST)
  kubecent_pack(${package}/swagger-ui.css ${DOCS_FILES_FOLDER}/swagger-ui.css.gz SWAGGER_UI_CSS_DIGEST)
  kubecent_pack(${PROJECT_SOURCE_DIR}/web/start.js ${DOCS_FILES_FOLDER}/start.js.gz START_JS_DIGEST)
  configure_file(docs_digests.h.in ${CMAKE_CURRENT_BINARY_DIR}/docs_digests.h @ONLY)

  # The compiler does not tell what .incbin read.
  set(packed swagger-ui.js.gz swagger-ui.css.gz start.js.gz)
  list(TRANSFORM packed PREPEND ${DOCS_FILES_FOLDER}/)
  set_source_files_properties(docs_files.c PROPERTIES
    INCLUDE_DIRECTORIES ${CMAKE_CURRENT_BINARY_DIR} OBJECT_DEPENDS "${packed}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/web/package-lock.json ${PROJECT_SOURCE_DIR}/web/start.js)
  # Whoever passes the binary on passes these on too.
  install(FILES ${package}/LICENSE ${package}/NOTICE ${package}/swagger-ui-bundle.js.LICENSE.txt
          DESTINATION ${CMAKE_INSTALL_DOCDIR}/swagger-ui COMPONENT runtime)
  set(${ret_sources} docs_files.c PARENT_SCOPE)
endfunction()
