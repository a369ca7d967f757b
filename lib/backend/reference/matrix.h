#pragma once
#include <Eigen/Core>

#include "backend/tensor.h"

namespace kvmend::reference {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using RowVector = Eigen::RowVectorXf;

/// The tensor's values in float32 [rows, cols]; an empty handle gives [0, 0].
Matrix read(const Tensor& tensor);

/// Stores values, rounded to the tensor's dtype.
void write(const Tensor& tensor, const Matrix& values);

/// Every element rounded to the nearest bf16, kept as float32.
Matrix rounded(const Matrix& values);

}  // namespace kvmend::reference
