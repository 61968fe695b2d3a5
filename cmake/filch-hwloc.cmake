# Find hwloc for filch: the target filch::hwloc, when it is there.
#
# Used by filch's own build, and by its installed package for programs that link the static
# library. hwloc has no CMake package of its own.
if(NOT TARGET filch::hwloc)
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(FILCH_PC_HWLOC QUIET hwloc)
    endif()
    find_path(FILCH_HWLOC_INCLUDE_DIR hwloc.h HINTS ${FILCH_PC_HWLOC_INCLUDE_DIRS})
    find_library(FILCH_HWLOC_LIBRARY hwloc HINTS ${FILCH_PC_HWLOC_LIBRARY_DIRS})
    mark_as_advanced(FILCH_HWLOC_INCLUDE_DIR FILCH_HWLOC_LIBRARY)
    if(FILCH_HWLOC_LIBRARY AND FILCH_HWLOC_INCLUDE_DIR)
        add_library(filch::hwloc UNKNOWN IMPORTED)
        set_target_properties(filch::hwloc PROPERTIES
            IMPORTED_LOCATION ${FILCH_HWLOC_LIBRARY}
            INTERFACE_INCLUDE_DIRECTORIES ${FILCH_HWLOC_INCLUDE_DIR})
        if(FILCH_HWLOC_LIBRARY MATCHES "\\.a$") # it brings none of its libraries along
            set_target_properties(filch::hwloc PROPERTIES
                INTERFACE_LINK_LIBRARIES "${FILCH_PC_HWLOC_STATIC_LDFLAGS}")
        endif()
    endif()
endif()
