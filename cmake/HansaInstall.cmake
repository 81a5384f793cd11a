# cmake --install installs the programs and, for find_package(Hansa), the client as the library hansa::client.
include(CMakePackageConfigHelpers)

install(TARGETS hansa hansa-aggregator hansa-client hansa-evaluator hansa-trainer RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

if(TARGET hansa_sentencepiece)
  install(TARGETS hansa_sentencepiece LIBRARY DESTINATION lib/hansa)
endif()

# hansa_client and the libraries that it links.
set_target_properties(hansa_client PROPERTIES EXPORT_NAME client)
install(
  TARGETS
    hansa_agent
    hansa_client
    hansa_client_config
    hansa_client_engine
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
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

foreach(folder client common learning protocols)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}" DESTINATION "${HANSA_INCLUDE_FOLDER}"
    FILES_MATCHING PATTERN "*.h" PATTERN "internal" EXCLUDE)
endforeach()

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/Hansa")
install(EXPORT HansaTargets NAMESPACE hansa:: DESTINATION "${package_folder}")
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/HansaConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(
  FILES
    "${PROJECT_SOURCE_DIR}/cmake/HansaConfig.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/HansaDependencies.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/HansaConfigVersion.cmake"
  DESTINATION "${package_folder}")
