# The CUDA toolkit: on the PATH, in /usr/local/cuda, or wheels from PyPI (scripts/setup --cuda). Sets KVMEND_CUDA_HOME
# where its headers are, for the emulation in the tests, and KVMEND_NVCC where there is a compiler.
set(KVMEND_CUDA AUTO CACHE STRING "Build the CUDA backend: ON, OFF, AUTO (where the toolkit is), EMULATED (on the host, for tests)")
set_property(CACHE KVMEND_CUDA PROPERTY STRINGS AUTO ON OFF EMULATED)

set(KVMEND_CUDA_RELEASE 13)  # the oldest that will do: older ones lack C++20, or calls and types that the backend uses

set(KVMEND_CUDA_HOME "")
set(KVMEND_NVCC "")
set(no_toolkit "there is no CUDA toolkit ${KVMEND_CUDA_RELEASE}")
if(NOT KVMEND_CUDA STREQUAL "OFF")
  find_program(KVMEND_NVCC_PROGRAM nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin ${CMAKE_SOURCE_DIR}/build/cuda-toolkit/bin)
  if(KVMEND_NVCC_PROGRAM)
    file(REAL_PATH ${KVMEND_NVCC_PROGRAM} nvcc)
    get_filename_component(home ${nvcc} DIRECTORY)
    get_filename_component(home ${home} DIRECTORY)
    execute_process(COMMAND ${KVMEND_NVCC_PROGRAM} --version OUTPUT_VARIABLE nvcc_says ERROR_QUIET)
    string(REGEX MATCH "release ([0-9]+)\\.[0-9]+" release "${nvcc_says}")
    if(NOT release OR CMAKE_MATCH_1 LESS KVMEND_CUDA_RELEASE)
      set(no_toolkit "${KVMEND_NVCC_PROGRAM} is of CUDA '${release}', and ${KVMEND_CUDA_RELEASE} is needed (scripts/setup --cuda brings it)")
      unset(KVMEND_NVCC_PROGRAM CACHE)  # the next configuration may find another
    elseif(EXISTS ${home}/include/cublas_v2.h AND EXISTS ${home}/include/cuda_bf16.h)
      set(KVMEND_CUDA_HOME ${home})
      set(KVMEND_NVCC ${KVMEND_NVCC_PROGRAM})
    endif()
  endif()
  if(NOT KVMEND_NVCC)
    if(NOT KVMEND_CUDA STREQUAL "AUTO")
      message(FATAL_ERROR "KVMEND_CUDA=${KVMEND_CUDA}, but ${no_toolkit}: put its nvcc first on the PATH, set CUDA_HOME, or leave KVMEND_CUDA at AUTO")
    endif()
    message(STATUS "Building without the CUDA backend and its tests: ${no_toolkit}")
  endif()
endif()

if(KVMEND_CUDA STREQUAL "EMULATED")
  set(KVMEND_NVCC "")  # its headers are enough
endif()

if(KVMEND_CUDA_HOME)
  add_library(kvmend_cuda_headers INTERFACE)  # as system headers: their warnings are not ours
  target_include_directories(kvmend_cuda_headers SYSTEM INTERFACE ${KVMEND_CUDA_HOME}/include)
endif()
