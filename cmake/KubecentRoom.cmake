# SPDX-License-Identifier: Apache-2.0
# kubecent_room(NAME SOURCES a.c b.c [ROOMS base cost] [LIBRARIES PkgConfig::JANSSON])
#
# A room is a static library of the sources in this folder, with its public headers in include/NAME. It links only the
# rooms it names, so an include that climbs the floors fails to link. Each public header is compiled alone by the target
# all_verify_interface_header_sets.
function(kubecent_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;ROOMS;LIBRARIES" ${ARGN})
  if(NOT ROOM_SOURCES)
    add_library(kubecent_${name} INTERFACE)
    return()
  endif()
  add_library(kubecent_${name} STATIC ${ROOM_SOURCES})
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/${name}/*.h)
  target_sources(kubecent_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
  set_target_properties(kubecent_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_include_directories(kubecent_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/${name})
  target_link_libraries(kubecent_${name} PUBLIC kubecent_flags PRIVATE ${ROOM_LIBRARIES})
  foreach(room IN LISTS ROOM_ROOMS)
    target_link_libraries(kubecent_${name} PUBLIC kubecent_${room})
  endforeach()
endfunction()

# kubecent_unit_test(NAME SOURCES test_x.c ROOMS cost [LIBRARIES ...] [LABELS ...])
#
# A cmocka program as one ctest test. It links the named rooms and the floors below them only. Fixture folders are given
# as macros: KUBECENT_FIXTURES (in the tree) and KUBECENT_CAPTURED (beside it, may be absent: tests then skip).
function(kubecent_unit_test name)
  cmake_parse_arguments(UNIT "" "" "SOURCES;ROOMS;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${UNIT_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE
    KUBECENT_FIXTURES="${PROJECT_SOURCE_DIR}/tests/fixtures"
    KUBECENT_CAPTURED="${PROJECT_SOURCE_DIR}/../shared/fixtures/opencost/captured")
  foreach(room IN LISTS UNIT_ROOMS)
    target_link_libraries(${name} PRIVATE kubecent_${room})
  endforeach()
  target_link_libraries(${name} PRIVATE kubecent_flags PkgConfig::CMOCKA ${UNIT_LIBRARIES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "unit;${UNIT_LABELS}" TIMEOUT 120)
endfunction()
