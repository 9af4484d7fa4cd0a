# SPDX-License-Identifier: Apache-2.0
# One interface target carries the flags of our own code, so that nothing leaks into what we find elsewhere.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_library(kubecent_flags INTERFACE)
target_compile_definitions(kubecent_flags INTERFACE _GNU_SOURCE)
target_compile_options(kubecent_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wundef
  -Wvla -Wwrite-strings
  -Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types -Werror=int-conversion
  $<$<BOOL:${KUBECENT_WERROR}>:-Werror>
  -fno-strict-aliasing -fno-strict-overflow -fno-delete-null-pointer-checks)

# The OpenSSF compiler hardening guide for C, for GCC 12, in what we ship. Not under sanitizers, which bring their own
# checks and get in each other's way with _FORTIFY_SOURCE; not in debug builds, whose compile commands clang-tidy reads.
if(KUBECENT_SANITIZE STREQUAL "")
  set(optimised "$<CONFIG:Release,RelWithDebInfo>")
  set(optimised_gcc "$<AND:${optimised},$<C_COMPILER_ID:GNU>>")
  target_compile_options(kubecent_flags INTERFACE
    "$<${optimised}:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3;-fstack-protector-strong;-fstack-clash-protection>"
    "$<${optimised_gcc}:-ftrivial-auto-var-init=zero>"
    "$<$<AND:${optimised},$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>>:-fcf-protection=full>"
    "$<$<AND:${optimised},$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},aarch64>>:-mbranch-protection=standard>")
  target_link_options(kubecent_flags INTERFACE
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen -Wl,--as-needed)
else()
  target_compile_options(kubecent_flags INTERFACE
    -fsanitize=${KUBECENT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(kubecent_flags INTERFACE -fsanitize=${KUBECENT_SANITIZE})
endif()

if(KUBECENT_COVERAGE)
  target_compile_options(kubecent_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(kubecent_flags INTERFACE --coverage)
endif()

# CMake's own flags drop assertions; ours guard invariants, not hot paths, and stay in what we ship and test.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
