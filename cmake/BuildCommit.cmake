# cmake -DGIT=… -DSOURCE=… -DOUTPUT=… -P BuildCommit.cmake: writes SOURCE's commit as a C++ file, and touches nothing where
# the file says so already. "unknown" without Git or outside a checkout: a tarball may lie in somebody else's repository.
set(commit unknown)
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT} --no-optional-locks -c safe.directory=* describe --always --dirty
                  WORKING_DIRECTORY ${SOURCE} RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(code STREQUAL 0 AND said)
    set(commit ${said})
  endif()
endif()
set(text "namespace kvmend {\nextern const char* const build_commit;\nconst char* const build_commit = \"${commit}\";\n}  // namespace kvmend\n")
set(there "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} there)
endif()
if(NOT there STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
