# hansa_embed_files(LIBRARY FOLDER FILES...) A library with the files, by their path below FOLDER, as a table
# (server/http/internal/embedded_file.h). The assembler reads them, which takes no time to compile.
function(hansa_embed_files library folder)
  set(table "")
  set(sections "")
  set(index 0)
  foreach(file ${ARGN})
    cmake_path(RELATIVE_PATH file BASE_DIRECTORY "${folder}" OUTPUT_VARIABLE path)
    string(APPEND sections
      "  .globl hansa_embedded_${index}\\n  .globl hansa_embedded_end_${index}\\n"
      "  hansa_embedded_${index}:\\n  .incbin \\\"${file}\\\"\\n  hansa_embedded_end_${index}:\\n  .byte 0\\n")
    string(APPEND declarations "extern \"C\" const char hansa_embedded_${index}[], hansa_embedded_end_${index}[];\n")
    string(APPEND table "    file(\"/${path}\", hansa_embedded_${index}, hansa_embedded_end_${index}),\n")
    math(EXPR index "${index} + 1")
  endforeach()
  if(index GREATER 0)
    set(assembly "asm(\"  .pushsection .rodata\\n${sections}  .popsection\\n\");\n")
    set(body "  static const std::array files{\n${table}  };\n  return files;\n")
  else()
    set(assembly "")
    set(body "  return {};\n")
  endif()
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${library}.cpp")
  # Written only if it changed.
  file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT [==[
// Written by cmake/HansaEmbed.cmake.
#include <array>

#include "server/http/internal/embedded_file.h"

@assembly@
@declarations@
namespace hansa::http::internal {

[[maybe_unused]] static EmbeddedFile file(std::string_view path, const char* begin, const char* end) {
  return {path, {begin, static_cast<std::size_t>(end - begin)}};
}

std::span<const EmbeddedFile> embedded_files() {
@body@}

}  // namespace hansa::http::internal
]==])
  add_library(${library} STATIC "${source}")
  set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${ARGN}")
  target_include_directories(${library} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${library} PRIVATE hansa_compile_options)
endfunction()
