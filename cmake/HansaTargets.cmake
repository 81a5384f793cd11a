# The folder in which headers are installed. It is their own, because they include each other by their path from the
# root.
set(HANSA_INCLUDE_FOLDER "${CMAKE_INSTALL_INCLUDEDIR}/hansa")

# hansa_library(NAME SOURCES ... [DEPS ...] [PRIVATE_DEPS ...]) The library of a folder. Every source is listed; headers
# are included by their path from the root. DEPS are the libraries whose headers a public header includes, PRIVATE_DEPS
# those that only sources and internal headers include. scripts/check-targets checks both.
function(hansa_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>" "$<INSTALL_INTERFACE:${HANSA_INCLUDE_FOLDER}>")
  target_link_libraries(${name}
    PUBLIC ${ARG_DEPS}
    PRIVATE ${ARG_PRIVATE_DEPS} $<BUILD_INTERFACE:hansa_compile_options>)
endfunction()

# hansa_program(NAME SOURCES ... DEPS ...)
function(hansa_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} hansa_compile_options)
endfunction()

# hansa_use_jemalloc(PROGRAM) For programs that allocate models and tensors: jemalloc is several times faster than glibc
# for them (docs/performance.md). Sanitizers have their own allocator.
function(hansa_use_jemalloc program)
  if(NOT HANSA_SANITIZE)
    target_sources(${program} PRIVATE "${PROJECT_SOURCE_DIR}/common/jemalloc_settings.cpp")
    target_link_libraries(${program} PRIVATE PkgConfig::JEMALLOC)
  endif()
endfunction()

# hansa_test_path(SOURCE NAME=VALUE...) Defines the paths that one source of a test uses. Its other sources are compiled
# alike in every folder, so that the compiler cache finds them.
function(hansa_test_path source)
  set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS ${ARGN})
endfunction()

# hansa_test(NAME SOURCES ... DEPS ... [TIMEOUT SECONDS])
# A GoogleTest program; each of its tests becomes a CTest test.
function(hansa_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main hansa_compile_options)
  gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()
include(GoogleTest)
