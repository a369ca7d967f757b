#pragma once
// Several matrices over the same input prepared as one.
#include <span>

#include "backend/weight.h"
#include "core/error.h"

namespace kvmend {

/// Sets the rows and columns of the matrices stacked by rows. Throws Error(internal) where they are none or differ in width.
inline void set_stacked_shape(Weight& weight, std::span<const WeightSource> sources) {
  require(!sources.empty(), "prepare: no matrix");
  weight.rows = 0;
  weight.cols = sources.front().cols;
  for (const WeightSource& source : sources) {
    require(source.cols == weight.cols, "prepare: '{}' has {} columns, '{}' has {}", source.name, source.cols,
            sources.front().name, weight.cols);
    weight.rows += source.rows;
  }
}

}  // namespace kvmend
