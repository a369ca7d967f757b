#pragma once
// Where the project is. Functions, defined in one file: a test's object does not change with the folder it is built in.
#include <string>

namespace kvmend {
const std::string& source_folder();
const std::string& binary_folder();
}  // namespace kvmend
