#pragma once
#include <map>

#include "experiment/store/store.h"

namespace kvmend {

/// What an open store holds; shared by store.cpp (opening), write.cpp, read.cpp and read_in_full.cpp.
struct Store::Impl {
  std::filesystem::path path;
  std::filesystem::path snapshot;  ///< a reader's private copy, removed with it
  std::optional<WriterLock> lock;  ///< released last: members are destroyed from the bottom up
  std::optional<Database> db;
  Mode mode = Mode::read;
  std::map<std::string, std::int64_t> cell_ids;  ///< by key, as needed

  ~Impl();
  std::int64_t cell_id(const std::string& key);  ///< throws Error(internal) for a cell that was not added
};

}  // namespace kvmend
