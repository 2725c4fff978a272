# What each preset compiles and links with, as one interface target that all of ours links: trilith_flags.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
    message(FATAL_ERROR "Trilith needs clang 19 with libc++ (apt: clang-19 libc++-19-dev); this is "
        "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}. Use a preset: cmake --preset release")
endif()

set(TRILITH_FLAVOUR release CACHE STRING "dev, release, asan, tsan or fuzz")
set_property(CACHE TRILITH_FLAVOUR PROPERTY STRINGS dev release asan tsan fuzz)
# Bounds of a test's time are for `make test`; under ThreadSanitizer everything takes ten times as long.
set(TRILITH_PATIENCE 1)
if(TRILITH_FLAVOUR STREQUAL "tsan")
    set(TRILITH_PATIENCE 10)
elseif(NOT TRILITH_FLAVOUR STREQUAL "asan")
    set(TRILITH_PATIENCE 4)
endif()
set(TRILITH_FUZZ_SECONDS 5 CACHE STRING "How long one fuzzer runs in ctest")

find_program(TRILITH_CCACHE ccache)
mark_as_advanced(TRILITH_CCACHE)
if(TRILITH_CCACHE)
    # What ccache must overlook to cache a compilation that uses a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${TRILITH_CCACHE})
endif()

add_library(trilith_warnings INTERFACE)
target_compile_options(trilith_warnings INTERFACE
    -Werror -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wcast-qual
    -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi -Wimplicit-fallthrough -Wunused-result -Wdangling)

# -ftrivial-auto-var-init=zero is left out: it would clear every buffer and header table on the stack once a
# request, which is a measurable part of what a proxied request costs.
add_library(trilith_hardening INTERFACE)
target_compile_options(trilith_hardening INTERFACE -fstack-protector-strong)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
    target_compile_options(trilith_hardening INTERFACE -fcf-protection)
endif()
target_link_options(trilith_hardening INTERFACE -Wl,-z,relro,-z,now)

add_library(trilith_flags INTERFACE)
target_include_directories(trilith_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_features(trilith_flags INTERFACE cxx_std_23)
target_compile_options(trilith_flags INTERFACE -stdlib=libc++ -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
# One file to copy: of libc++ nothing is needed where the program runs.
target_link_options(trilith_flags INTERFACE -stdlib=libc++ -static-libstdc++ -fuse-ld=lld)
target_link_libraries(trilith_flags INTERFACE trilith_warnings trilith_hardening)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

function(trilith_sanitize)
    target_compile_options(trilith_flags INTERFACE ${ARGN} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(trilith_flags INTERFACE ${ARGN})
endfunction()

# What a debugger needs is in dev. Elsewhere line tables: what a report, a profile or a backtrace needs, and
# compiled faster. asan, which `make test` waits for, goes without (an eighth of its compile time): a report
# of it names functions, and fuzz, or TRILITH_LINES=ON, tells the lines.
option(TRILITH_LINES "Line numbers in the reports of asan" OFF)
if(TRILITH_FLAVOUR STREQUAL "dev")
    target_compile_options(trilith_flags INTERFACE -g)
elseif(TRILITH_LINES OR NOT TRILITH_FLAVOUR STREQUAL "asan")
    target_compile_options(trilith_flags INTERFACE -gline-tables-only)
endif()

# The checks of libc++ (bounds, empty optionals): FAST are the ones that cost next to nothing.
function(trilith_libcxx_checks mode)
    target_compile_definitions(trilith_flags INTERFACE _LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_${mode})
endfunction()

if(TRILITH_FLAVOUR STREQUAL "release")
    trilith_libcxx_checks(FAST)
    target_compile_options(trilith_flags INTERFACE -O2 -flto=thin -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    target_link_options(trilith_flags INTERFACE -O2 -flto=thin -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/lto
        -Wl,--gc-sections)
elseif(TRILITH_FLAVOUR STREQUAL "dev")
    trilith_libcxx_checks(DEBUG)
    target_compile_options(trilith_flags INTERFACE -O0)
    trilith_sanitize(-fsanitize=undefined)
elseif(TRILITH_FLAVOUR STREQUAL "asan")
    trilith_libcxx_checks(DEBUG)
    # What `make test` waits for, so what is dear to compile is left to `make test-long`: the checks of
    # every pointer (null, alignment, size, type), which are in dev and fuzz, and the optimiser, except for
    # the floors on which the simulation spends its time (TRILITH_OPTIMISED_FOLDERS).
    set(is_plain $<BOOL:$<TARGET_PROPERTY:TRILITH_IS_PLAIN>>)
    target_compile_options(trilith_flags INTERFACE $<IF:${is_plain},-O0,-O1>)
    trilith_sanitize(-fsanitize=address,undefined -fno-sanitize=null,alignment,object-size,vptr)
elseif(TRILITH_FLAVOUR STREQUAL "tsan")
    trilith_libcxx_checks(DEBUG)
    target_compile_options(trilith_flags INTERFACE -O1)
    trilith_sanitize(-fsanitize=thread)
elseif(TRILITH_FLAVOUR STREQUAL "fuzz")
    trilith_libcxx_checks(DEBUG)
    target_compile_options(trilith_flags INTERFACE -O2)
    trilith_sanitize(-fsanitize=address,undefined)
else()
    message(FATAL_ERROR "TRILITH_FLAVOUR is ${TRILITH_FLAVOUR}: expected dev, release, asan, tsan or fuzz")
endif()

# One precompiled header of the standard library for all folders: a clean build takes half the time in release
# and five sixths in asan. dev goes without, so that a file that leans on it for an include fails.
option(TRILITH_PCH "Use the precompiled header" ON)
if(TRILITH_PCH)
    target_compile_options(trilith_flags INTERFACE -Xclang -fno-pch-timestamp)
    foreach(name IN ITEMS trilith_pch trilith_plain_pch)   # two: flags must be those of the user
        add_library(${name} OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled.cc)
        target_link_libraries(${name} PRIVATE trilith_flags)
        target_precompile_headers(${name} PRIVATE
            <algorithm> <array> <chrono> <coroutine> <expected> <functional> <map> <memory> <optional> <span>
            <string> <string_view> <utility> <variant> <vector>)
    endforeach()
    set_target_properties(trilith_plain_pch PROPERTIES TRILITH_IS_PLAIN ON EXCLUDE_FROM_ALL ON)
endif()

# Folders that asan optimises, because the simulation or a test spends its time there; the others, and all
# tests, are plain (-O0).
set(TRILITH_OPTIMISED_FOLDERS core runtime net http upstream balancer sdk)

# Several files of a folder as one translation unit: what they share of the standard library is compiled once,
# which makes a clean build three times as fast. dev compiles each file alone, so that one that leans on its
# neighbour's includes fails there. Names in a folder's anonymous namespaces must differ.
if(TRILITH_FLAVOUR STREQUAL "dev")
    option(TRILITH_UNITY "Compile several files of a folder together" OFF)
else()
    option(TRILITH_UNITY "Compile several files of a folder together" ON)
endif()
set(CMAKE_UNITY_BUILD ${TRILITH_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE 16)

# Coverage feedback for libFuzzer, in the folders that have a fuzzer; programs without a fuzzer's main link
# and run as before. What no fuzzer looks at goes without: a twentieth of the compile time of asan. (The
# sanitizer itself stays on there, because the precompiled header has it.)
set(TRILITH_NO_COVERAGE)
if(TRILITH_FUZZERS)
    target_compile_options(trilith_flags INTERFACE -fsanitize=fuzzer-no-link)
    set(TRILITH_NO_COVERAGE -fno-sanitize-coverage=inline-8bit-counters,indirect-calls,trace-cmp,pc-table)
endif()
