# find_package(Hansa) defines the target hansa::client, the federated learning client as a library.
#
#   find_package(Hansa 0.2 REQUIRED)
#   target_link_libraries(program PRIVATE hansa::client)
#
# Programs that include learning/module_trainer.h need LibTorch too: hansa::client links it.
include("${CMAKE_CURRENT_LIST_DIR}/HansaDependencies.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/HansaTargets.cmake")
