# Debian packages of the components client, aggregator and tools, which scripts/package builds with CPack.
set(HANSA_MAINTAINER "Hansa maintainers <maintainers@hansa.invalid>" CACHE STRING "Maintainer of the packages: NAME <ADDRESS>")
set(HANSA_PACKAGE_REVISION "1" CACHE STRING "What follows the version of a package: 1~deb12")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hansa)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "${HANSA_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_ALL client aggregator tools)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/packaging/stage.cmake")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE "${HANSA_PACKAGE_REVISION}")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# dpkg-shlibdeps finds the packages of the libraries that the programs are linked to.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
endif()

# hansa_package(COMPONENT DESCRIPTION) All packages have the project's description as their first line. The maintainer scripts are in packaging/debian/COMPONENT.
function(hansa_package component description)
  string(TOUPPER "${component}" upper)
  set(prefix CPACK_DEBIAN_${upper})
  set(scripts "${PROJECT_SOURCE_DIR}/packaging/debian/${component}")
  set(${prefix}_PACKAGE_NAME hansa-${component} PARENT_SCOPE)
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${description}" PARENT_SCOPE)
  # Without a fast BLAS, Debian installs a slow one.
  set(${prefix}_PACKAGE_RECOMMENDS "libopenblas0-pthread" PARENT_SCOPE)
  if(EXISTS "${scripts}")
    # What the maintainer scripts call.
    set(${prefix}_PACKAGE_DEPENDS adduser PARENT_SCOPE)
    set(${prefix}_PACKAGE_CONTROL_EXTRA
      "${scripts}/conffiles" "${scripts}/postinst" "${scripts}/prerm" "${scripts}/postrm" PARENT_SCOPE)
  endif()
endfunction()

hansa_package(client
"Trains on the data of a device for a federation, and sends updates of the
model, never an example. Updates can be summed by secure aggregation, so that
the aggregator sees only their sum.
This package contains the client, the process in which it trains, and a
service for systemd.")
hansa_package(aggregator
"Selects the devices of each round, adds up their updates, and keeps the models
of all rounds.
This package contains the aggregator, the process in which it evaluates
models, and a service for systemd.")
hansa_package(tools
"Creates federations, keys and models, shows runs, and simulates a federation in
one process.
This package also contains the header for plugins that read data, and Python
scripts that export models of PyTorch.")
set(CPACK_DEBIAN_AGGREGATOR_PACKAGE_SUGGESTS hansa-tools)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SUGGESTS hansa-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS "python3-torch")
include(CPack)
