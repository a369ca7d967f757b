#pragma once
#include <functional>
#include <limits>
#include <string>

#include "core/value.h"
#include "datasets/task.h"

namespace kvmend {

/// What a generated task is sized by: samples grow in haystack units (lines, words) up to a length in tokens.
struct LengthSpec {
  std::string task;   ///< for messages
  int length = 4096;  ///< prompt tokens + new tokens may not exceed it
  int new_tokens = 0;
  int smallest = 1;                               ///< units below which the task cannot be built
  int largest = std::numeric_limits<int>::max();  ///< units there are: a prompt of them may be shorter than the length
  int samples = 1;
  std::function<TaskSample(int index, int units)> build;  ///< depends on index and units only
  std::function<int(const TaskSample&)> prompt_tokens;
};

/// Of a task's parameters of these names; what its units are and how it is built from them is the task's own.
template <class Params>
LengthSpec length_spec(const std::string& task, const Params& params, const TaskContext& context) {
  LengthSpec spec;
  spec.task = task;
  spec.length = params.length;
  spec.new_tokens = params.max_new_tokens;
  spec.samples = params.samples;
  spec.prompt_tokens = context.prompt_tokens;
  return spec;
}

/// The most units whose prompt fits the length with the run's own tokenizer. Sized once, on sample 0; every sample is
/// then counted exactly and shortened where its keys take more tokens than sample 0's.
class LengthFit {
 public:
  /// Throws Error(usage) naming the smallest length that fits all samples when `length` is below it.
  explicit LengthFit(LengthSpec spec);
  int units() const { return units_; }
  /// Sample i, never longer than the length.
  TaskSample sample(int index) const;

 private:
  int tokens(int index, int units) const;
  void check_smallest() const;
  int find_units() const;
  [[noreturn]] void too_short(int needed) const;

  LengthSpec spec_;
  int units_ = 0;
};

}  // namespace kvmend
