# Warnings and sanitizers that every target of ours is built with.
add_library(kvmend_options INTERFACE)
target_compile_options(kvmend_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                                -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105329: false alarms on std::string assigned from short literals.
  target_compile_options(kvmend_options INTERFACE -Wno-restrict)
endif()
if(KVMEND_WERROR)
  target_compile_options(kvmend_options INTERFACE -Werror)
endif()
if(KVMEND_SANITIZE)
  target_compile_options(kvmend_options INTERFACE -fsanitize=${KVMEND_SANITIZE} -fno-omit-frame-pointer
                                                  -fno-sanitize-recover=all)
  target_link_options(kvmend_options INTERFACE -fsanitize=${KVMEND_SANITIZE})
endif()
# Headers are named from lib/ ("core/error.h") and from the root ("strategies/common.h").
target_include_directories(kvmend_options INTERFACE ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR})

# kvmend_layer(NAME [LINK libs…] [EXCEPT regex]): the library of one folder, every .cpp in it and in its sub-folders.
# A file that needs flags of its own sets them in its folder's CMakeLists.txt.
function(kvmend_layer name)
  cmake_parse_arguments(ARG "OBJECT" "EXCEPT" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(ARG_EXCEPT)
    list(FILTER sources EXCLUDE REGEX ${ARG_EXCEPT})
  endif()
  if(NOT sources)
    add_library(kvmend_${name} INTERFACE)
    target_link_libraries(kvmend_${name} INTERFACE kvmend_options ${ARG_LINK})
  elseif(ARG_OBJECT)  # registrations in static objects must not be dropped by the linker
    add_library(kvmend_${name} OBJECT ${sources})
    target_link_libraries(kvmend_${name} PUBLIC kvmend_options ${ARG_LINK})
  else()
    add_library(kvmend_${name} STATIC ${sources})
    target_link_libraries(kvmend_${name} PUBLIC kvmend_options ${ARG_LINK})
  endif()
endfunction()
