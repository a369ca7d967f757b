#pragma once
// How a task makes itself known: one declaration at the end of its own file.
//
//   struct MyTaskParams { int samples = 100; template <class V> static void fields(MyTaskParams& p, V& v) {…} };
//   class MyTask final : public Task {
//    public:
//     using Params = MyTaskParams;
//     MyTask(const std::string& name, const Params& params, const TaskContext& context);
//     …
//   };
//   KVMEND_TASK("my/task", MyTask, {.summary = "…", .source = "…", .metric = "f1"});
//
// A task that reads a data set of `kvmend fetch` has a static `missing(name, params)`: those that are not there.
// A fourth argument gives other defaults: one class serves several names.
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "datasets/task.h"

namespace kvmend {

struct TaskEntry {
  TaskInfo info;
  std::function<Value(const Value& params, ParamErrors& errors)> check;
  std::function<std::unique_ptr<Task>(const Value& params, const TaskContext& context)> make;
  std::function<std::vector<std::string>(const Value& params)> missing;  ///< missing_data_sets
};

/// Called while the program starts; a name given twice is a defect (internal).
bool register_task(TaskEntry entry);

/// Reads the parameters over `defaults` and applies the task's own `check(params, source, errors)` where it has one.
template <class T>
typename T::Params read_task_params(const typename T::Params& defaults, const Value& source, ParamErrors& errors) {
  typename T::Params params = defaults;
  const std::size_t before = errors.messages.size();
  read_params(params, source, errors);
  if constexpr (requires { T::check(params, source, errors); }) {
    if (errors.messages.size() == before) T::check(params, source, errors);
  }
  return params;
}

/// All messages in one usage error.
[[noreturn]] void fail_with(const ParamErrors& errors);

template <class T>
TaskEntry task_entry(std::string name, TaskInfo info, typename T::Params defaults = {}) {
  info.name = name;
  params_detail::Lister lister;
  T::Params::fields(defaults, lister);
  info.params = std::move(lister.out);
  TaskEntry entry;
  entry.info = std::move(info);
  entry.check = [defaults](const Value& source, ParamErrors& errors) {
    return print_params(read_task_params<T>(defaults, source, errors));
  };
  entry.make = [defaults, name](const Value& source, const TaskContext& context) -> std::unique_ptr<Task> {
    ParamErrors errors;
    const auto params = read_task_params<T>(defaults, source, errors);
    if (!errors.messages.empty()) fail_with(errors);
    return std::make_unique<T>(name, params, context);
  };
  entry.missing = [defaults, name](const Value& source) -> std::vector<std::string> {
    ParamErrors ignored;
    if constexpr (requires { T::missing(name, defaults); })
      return T::missing(name, read_task_params<T>(defaults, source, ignored));
    return {};
  };
  return entry;
}

}  // namespace kvmend

#define KVMEND_TASK_JOIN2(a, b) a##b
#define KVMEND_TASK_JOIN(a, b) KVMEND_TASK_JOIN2(a, b)
#define KVMEND_TASK(name, type, ...)                                                   \
  [[maybe_unused]] static const bool KVMEND_TASK_JOIN(task_registered_, __COUNTER__) = \
      ::kvmend::register_task(::kvmend::task_entry<type>(name, __VA_ARGS__))
