#pragma once
// What Queue checks operands with: messages that name the operation, the rule and every operand's type and shape.
#include <initializer_list>
#include <string>

#include "backend/tensor.h"

namespace kvmend {

struct Operand {
  const char* name;
  const Tensor& tensor;
};

/// "f32 [12, 576]", with the stride where rows are not back to back, or "none".
std::string describe(const Tensor& tensor);

/// Throws Error(internal): "matmul: x.cols = weight.cols; got x f32 [3, 4], …".
[[noreturn]] void reject(const char* op, const char* rule, std::initializer_list<Operand> operands);

inline void expect(bool holds, const char* op, const char* rule, std::initializer_list<Operand> operands) {
  if (!holds) reject(op, rule, operands);
}

/// Each operand has `dtype`, if it is there.
void expect_dtype(const char* op, DType dtype, std::initializer_list<Operand> operands);

/// All operands have the rows and columns of the first.
void expect_same_shape(const char* op, std::initializer_list<Operand> operands);

/// `indices` is i32 [rows, 1], dense.
void expect_indices(const char* op, Operand indices, std::int64_t rows);

/// No element of `out` is also one of `in`. Views whose rows interleave with the same stride are told apart.
bool overlap(const Tensor& a, const Tensor& b);
void expect_apart(const char* op, Operand out, std::initializer_list<Operand> ins);

/// Either apart or the very same elements: for operations that may run in place.
void expect_same_or_apart(const char* op, Operand out, std::initializer_list<Operand> ins);

}  // namespace kvmend
