# The compiler settings of every target: language version, warnings, sanitizers, ccache.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without pch_defines and time_macros, ccache does not cache files that use the precompiled header. With a base folder
  # and no hash of the working folder, another clone finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
  add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
endif()

# Every program is in build/PRESET/bin, so that programs find each other in their own folder.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

# No fused multiply-add unless the source asks for it, so that results are the same on every processor. (GCC's default
# on arm64 is to fuse.)
add_compile_options(-ffp-contract=off)

# Only line tables, which backtraces and sanitizers need: full debug information takes a quarter of the compile time.
# For a debugger use -DCMAKE_BUILD_TYPE=Debug.
add_compile_options($<$<CONFIG:RelWithDebInfo>:-g1>)

add_library(hansa_compile_options INTERFACE)
target_compile_options(hansa_compile_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${HANSA_WARNINGS_AS_ERRORS}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False positives for "text" + std::string: gcc.gnu.org/PR105651.
  target_compile_options(hansa_compile_options INTERFACE -Wno-restrict)
endif()
if(HANSA_ASSERTIONS)
  target_compile_options(hansa_compile_options INTERFACE -UNDEBUG)
endif()
if(HANSA_SANITIZE)
  add_compile_options(-fsanitize=${HANSA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HANSA_SANITIZE})
endif()
