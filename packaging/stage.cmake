# Run by CPack between the installation of the components and their packages: adds what only Debian packages have.
#
#   etc/hansa/*.example.toml                          from usr/share/hansa
#   usr/share/doc/PACKAGE/copyright, changelog*.gz    copyright, CHANGELOG.md, and the entry of this package
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
foreach(component ${CPACK_COMPONENTS_ALL})
  set(root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component}")
  if(NOT IS_DIRECTORY "${root}/usr")
    message(FATAL_ERROR "${root}/usr is missing")
  endif()
  file(GLOB examples "${root}/usr/share/hansa/*.example.toml")
  if(examples)
    file(MAKE_DIRECTORY "${root}/etc")
    file(RENAME "${root}/usr/share/hansa" "${root}/etc/hansa")
  endif()

  set(documents "${root}/usr/share/doc/hansa-${component}")
  file(COPY "${CMAKE_CURRENT_LIST_DIR}/debian/copyright" DESTINATION "${documents}")
  file(COPY "${CMAKE_CURRENT_LIST_DIR}/../CHANGELOG.md" DESTINATION "${documents}")
  file(RENAME "${documents}/CHANGELOG.md" "${documents}/changelog")
  file(WRITE "${documents}/changelog.Debian"
    "hansa (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
    "  * Built by scripts/package. The changes of this version are in changelog.gz.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
  execute_process(COMMAND gzip -9n "${documents}/changelog" "${documents}/changelog.Debian" COMMAND_ERROR_IS_FATAL ANY)

  set(overrides "${CMAKE_CURRENT_LIST_DIR}/debian/${component}.lintian-overrides")
  if(EXISTS "${overrides}")
    file(COPY "${overrides}" DESTINATION "${root}/usr/share/lintian/overrides")
    file(RENAME "${root}/usr/share/lintian/overrides/${component}.lintian-overrides"
      "${root}/usr/share/lintian/overrides/hansa-${component}")
  endif()
  # Permissions do not depend on the umask of who builds.
  execute_process(COMMAND chmod -R u=rwX,go=rX "${root}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
