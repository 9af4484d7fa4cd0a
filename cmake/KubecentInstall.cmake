# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where. The component `runtime` is all that serving needs, for images; `cmake --install DIR
# --component documentation` brings the rest. The binary itself is installed in src/app.
#
# lib/systemd/system is searched by systemd under /usr and /usr/local alike; CMAKE_INSTALL_LIBDIR, which names the
# architecture under /usr, is not.
set(KUBECENT_UNITDIR lib/systemd/system CACHE STRING "Where systemd's units go, from the prefix")
set(KUBECENT_COMPLETIONDIR ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    CACHE STRING "Where bash looks for completions, from the prefix")

install(FILES config/kubecent-backend.service DESTINATION ${KUBECENT_UNITDIR} COMPONENT documentation)
install(FILES config/kubecent-backend.bash-completion DESTINATION ${KUBECENT_COMPLETIONDIR}
        RENAME kubecent-backend COMPONENT documentation)
install(FILES docs/kubecent-backend.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT documentation)
install(FILES config/.env.example DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
        RENAME kubecent.env COMPONENT documentation)

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
# As in the tree, so that the links from one to the other hold.
install(FILES README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documentation)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documentation
        FILES_MATCHING PATTERN "*.md" PATTERN "*.svg" PATTERN "*.png")
