# The installed package TrilithApp: the target Trilith::app, for find_package(TrilithApp).
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
    set(TrilithApp_FOUND FALSE)
    set(TrilithApp_NOT_FOUND_MESSAGE
        "it needs clang 19 or newer with libc++: configure with -DCMAKE_CXX_COMPILER=clang++-19")
    return()
endif()

include(CMakeFindDependencyMacro)
find_dependency(OpenSSL COMPONENTS Crypto)

if(NOT TARGET Trilith::app)
    # PREFIX/LIB/cmake/TrilithApp, where LIB may have two parts (lib/x86_64-linux-gnu).
    get_filename_component(trilith_libraries "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
    find_path(TRILITH_APP_INCLUDE trilith/app.h
        PATHS "${trilith_libraries}/../include" "${trilith_libraries}/../../include"
        NO_DEFAULT_PATH REQUIRED)
    add_library(Trilith::app STATIC IMPORTED)
    set_target_properties(Trilith::app PROPERTIES
        IMPORTED_LOCATION "${trilith_libraries}/libtrilith_app.a"
        INTERFACE_INCLUDE_DIRECTORIES "${TRILITH_APP_INCLUDE}"
        INTERFACE_COMPILE_FEATURES cxx_std_23
        INTERFACE_COMPILE_OPTIONS -stdlib=libc++
        # One file to copy: of libc++ nothing is needed where the program runs.
        INTERFACE_LINK_OPTIONS "-stdlib=libc++;-static-libstdc++;-Wl,--gc-sections"
        INTERFACE_LINK_LIBRARIES "OpenSSL::Crypto;pthread")
    mark_as_advanced(TRILITH_APP_INCLUDE)
    unset(trilith_libraries)
endif()
