# cmake --install installs the programs with their pages and, for find_package(Hansa), the client as the library
# hansa::client. Each part is a component: client, aggregator and tools become packages (HansaPackages.cmake), development
# does not. common/program_files.h says how programs find the files below lib/.
include(CMakePackageConfigHelpers)

set(generated "${CMAKE_BINARY_DIR}/generated")
set(pages)

# install_generated(FOLDER FILE PROGRAM PAGE) The output of PROGRAM --generate PAGE as FOLDER/FILE; FILE is compressed if
# its name ends with ".gz". The programs run during the build: for another processor, under emulation.
function(install_generated component folder file program page)
  string(REGEX REPLACE "\\.gz$" "" plain "${file}")
  set(commands COMMAND "$<TARGET_FILE:${program}>" --generate ${page} > "${generated}/${plain}")
  if(NOT plain STREQUAL file)
    list(APPEND commands COMMAND gzip -9nf "${generated}/${plain}")
  endif()
  add_custom_command(OUTPUT "${generated}/${file}" ${commands} DEPENDS ${program} COMMENT "" VERBATIM)
  install(FILES "${generated}/${file}" DESTINATION "${folder}" COMPONENT ${component})
  set(pages ${pages} "${generated}/${file}" PARENT_SCOPE)
endfunction()

# install_program(COMPONENT PROGRAM [FILES OF ITS OWN ...])
function(install_program component program)
  install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component})
  if(ARGN)
    install(TARGETS ${ARGN} RUNTIME DESTINATION lib/${program} COMPONENT ${component})
  endif()
  if(TARGET hansa_sentencepiece)
    install(TARGETS hansa_sentencepiece LIBRARY DESTINATION lib/${program} COMPONENT ${component})
  endif()
  install_generated(${component} "${CMAKE_INSTALL_MANDIR}/man1" ${program}.1.gz ${program} man)
  install_generated(${component} "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" ${program} ${program} bash)
  install_generated(${component} "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions" _${program} ${program} zsh)
  set(pages ${pages} PARENT_SCOPE)
endfunction()

install_program(client hansa-client hansa-trainer)
install_program(aggregator hansa-aggregator hansa-evaluator)
install_program(tools hansa hansa-evaluator hansa-learning)
install_generated(client "${CMAKE_INSTALL_MANDIR}/man5" hansa-client.toml.5.gz hansa-client settings-man)
install_generated(aggregator "${CMAKE_INSTALL_MANDIR}/man5" federation.toml.5.gz hansa-aggregator settings-man)
install_generated(client "share/hansa" client.example.toml hansa-client settings-example)
install_generated(aggregator "share/hansa" federation.example.toml hansa-aggregator settings-example)
add_custom_target(hansa_pages ALL DEPENDS ${pages})

install(FILES "${PROJECT_SOURCE_DIR}/packaging/systemd/hansa-client.service"
  DESTINATION lib/systemd/system COMPONENT client)
install(FILES "${PROJECT_SOURCE_DIR}/packaging/systemd/hansa-aggregator.service"
  DESTINATION lib/systemd/system COMPONENT aggregator)
# For the authors of data plugins, who need this header and `hansa data describe`.
install(FILES "${PROJECT_SOURCE_DIR}/learning/data/plugin.h"
  DESTINATION "${HANSA_INCLUDE_FOLDER}/learning/data" COMPONENT tools)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples/python" DESTINATION share/hansa COMPONENT tools
  FILES_MATCHING PATTERN "*.py")

# hansa_client and the libraries that it links.
set_target_properties(hansa_client PROPERTIES EXPORT_NAME client)
install(
  TARGETS
    hansa_agent
    hansa_client
    hansa_client_check
    hansa_client_config
    hansa_client_engine
    hansa_client_keys
    hansa_client_ledger
    hansa_client_process
    hansa_client_state
    hansa_codecs
    hansa_common
    hansa_config
    hansa_data
    hansa_data_kinds
    hansa_data_rows
    hansa_enrolment
    hansa_follow
    hansa_kernels
    hansa_learning
    hansa_learning_interface
    hansa_messages
    hansa_secure_aggregation
    hansa_round
    hansa_sqlite
    hansa_transport
  EXPORT HansaTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)

foreach(folder client common learning protocols)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}" DESTINATION "${HANSA_INCLUDE_FOLDER}" COMPONENT development
    FILES_MATCHING PATTERN "*.h" PATTERN "internal" EXCLUDE)
endforeach()

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/Hansa")
install(EXPORT HansaTargets NAMESPACE hansa:: DESTINATION "${package_folder}" COMPONENT development)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/HansaConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(
  FILES
    "${PROJECT_SOURCE_DIR}/cmake/HansaConfig.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/HansaDependencies.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/HansaConfigVersion.cmake"
  DESTINATION "${package_folder}" COMPONENT development)
