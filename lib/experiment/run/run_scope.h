#pragma once
#include <exception>
#include <string>

#include "experiment/store/store.h"

namespace kvmend {

/// A run's entry in a store while the run goes on. It says how the run ended, also where an exception ends it.
class RunScope {
 public:
  /// Throws what begin_run does. The store must outlive this.
  RunScope(Store& store, const RunRecord& run) : store_(store), id_(store.begin_run(run)) {}
  ~RunScope() {
    if (ended_) return;
    try {
      store_.end_run(id_, "failed");
    } catch (const std::exception&) {  // the store itself may be what failed: that is being thrown already
    }
  }
  RunScope(const RunScope&) = delete;
  RunScope& operator=(const RunScope&) = delete;

  std::int64_t id() const { return id_; }
  /// "done" or "interrupted"; throws what end_run does.
  void end(const std::string& status) {
    store_.end_run(id_, status);
    ended_ = true;
  }

 private:
  Store& store_;
  std::int64_t id_;
  bool ended_ = false;
};

}  // namespace kvmend
