# Selectors outside the tree: `cmake --install` puts the program, what ships with it, and the headers a plugin sees where
# find_package(kvmend) finds them. Program and plugin carry a hash of those headers and must agree.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(headers core/params.h core/split_mix.h core/value.h
            recompute/plan.h recompute/probe.h recompute/request.h recompute/selector.h recompute/strategy.h)
set(KVMEND_PLUGIN_HEADERS "")
foreach(header ${headers} recompute/plugin_stamp.h.in)
  file(SHA256 ${CMAKE_SOURCE_DIR}/lib/${header} hash)
  string(APPEND KVMEND_PLUGIN_HEADERS ${hash})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/lib/${header})
endforeach()
string(SHA256 KVMEND_PLUGIN_HEADERS "${KVMEND_PLUGIN_HEADERS}")
string(SUBSTRING ${KVMEND_PLUGIN_HEADERS} 0 16 KVMEND_PLUGIN_HEADERS)
set(stamp ${CMAKE_BINARY_DIR}/generated/recompute/plugin_stamp.h)
configure_file(${CMAKE_SOURCE_DIR}/lib/recompute/plugin_stamp.h.in ${stamp} @ONLY)

# What plugins link: headers only. Their undefined symbols are kvmend's own, which it exports.
add_library(kvmend_plugin INTERFACE)
add_library(kvmend::plugin ALIAS kvmend_plugin)
set_target_properties(kvmend_plugin PROPERTIES EXPORT_NAME plugin)
target_compile_features(kvmend_plugin INTERFACE cxx_std_20)
target_compile_definitions(kvmend_plugin INTERFACE KVMEND_PLUGIN)
target_include_directories(kvmend_plugin INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/lib> $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/generated>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/kvmend>)

foreach(header ${headers})
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES lib/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/kvmend/${folder})
endforeach()
install(FILES ${stamp} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/kvmend/recompute)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/kvmend)
install(TARGETS kvmend_plugin EXPORT kvmend)
install(EXPORT kvmend NAMESPACE kvmend:: FILE kvmendConfig.cmake DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/generated/kvmendConfigVersion.cmake COMPATIBILITY ExactVersion)
install(FILES ${CMAKE_BINARY_DIR}/generated/kvmendConfigVersion.cmake DESTINATION ${package})

install(TARGETS kvmend)
install(DIRECTORY apps/report DESTINATION ${CMAKE_INSTALL_DATADIR}/kvmend/apps)
install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/kvmend)
install(DIRECTORY results/published DESTINATION ${CMAKE_INSTALL_DATADIR}/kvmend/results)
install(PROGRAMS scripts/fetch DESTINATION ${CMAKE_INSTALL_DATADIR}/kvmend/scripts)
install(DIRECTORY scripts/lib/fetching DESTINATION ${CMAKE_INSTALL_DATADIR}/kvmend/scripts/lib PATTERN __pycache__ EXCLUDE)
if(TARGET kvmend_cuda)
  install(TARGETS kvmend_cuda LIBRARY DESTINATION lib)
endif()
