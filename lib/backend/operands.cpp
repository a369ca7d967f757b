#include "backend/operands.h"

#include "core/error.h"

namespace kvmend {

std::string describe(const Tensor& tensor) {
  if (!tensor) return "none";
  std::string text = fmt::format("{} [{}, {}]", dtype_name(tensor.dtype()), tensor.rows(), tensor.cols());
  if (tensor.stride() != tensor.cols()) text += fmt::format(" (stride {})", tensor.stride());
  return text;
}

void reject(const char* op, const char* rule, std::initializer_list<Operand> operands) {
  std::string got;
  for (const Operand& operand : operands) {
    if (!got.empty()) got += ", ";
    got += fmt::format("{} {}", operand.name, describe(operand.tensor));
  }
  fail(ErrorKind::internal, "{}: {}; got {}", op, rule, got);
}

void expect_dtype(const char* op, DType dtype, std::initializer_list<Operand> operands) {
  for (const Operand& operand : operands)
    if (operand.tensor && operand.tensor.dtype() != dtype)
      fail(ErrorKind::internal, "{}: {} must be {}; got {}", op, operand.name, dtype_name(dtype),
           describe(operand.tensor));
}

void expect_same_shape(const char* op, std::initializer_list<Operand> operands) {
  const Tensor& first = operands.begin()->tensor;
  for (const Operand& operand : operands)
    expect(operand.tensor && operand.tensor.rows() == first.rows() && operand.tensor.cols() == first.cols(), op,
           "all operands have one shape", operands);
}

void expect_indices(const char* op, Operand indices, std::int64_t rows) {
  const Tensor& t = indices.tensor;
  if (!t || t.dtype() != DType::i32 || t.rows() != rows || t.cols() != 1 || (rows > 1 && t.stride() != 1))
    fail(ErrorKind::internal, "{}: {} must be i32 [{}, 1], dense; got {}", op, indices.name, rows, describe(t));
}

bool overlap(const Tensor& a, const Tensor& b) {
  if (!a || !b || a.buffer() != b.buffer()) return false;
  if (a.rows() == 0 || a.cols() == 0 || b.rows() == 0 || b.cols() == 0) return false;
  const std::int64_t a_end = a.offset() + (a.rows() - 1) * a.stride() + a.cols();
  const std::int64_t b_end = b.offset() + (b.rows() - 1) * b.stride() + b.cols();
  if (a.offset() >= b_end || b.offset() >= a_end) return false;
  if (a.dtype() != b.dtype() || a.stride() != b.stride()) return true;
  const std::int64_t a_col = a.offset() % a.stride(), b_col = b.offset() % b.stride();
  const bool whole_rows = a_col + a.cols() <= a.stride() && b_col + b.cols() <= b.stride();
  return !whole_rows || (a_col < b_col + b.cols() && b_col < a_col + a.cols());
}

void expect_apart(const char* op, Operand out, std::initializer_list<Operand> ins) {
  for (const Operand& in : ins)
    expect(!overlap(out.tensor, in.tensor), op, "the output may not overlap an input", {out, in});
}

void expect_same_or_apart(const char* op, Operand out, std::initializer_list<Operand> ins) {
  for (const Operand& in : ins) {
    const Tensor &a = out.tensor, &b = in.tensor;
    const bool same = a.offset() == b.offset() && a.stride() == b.stride() && a.dtype() == b.dtype();
    expect(same || !overlap(a, b), op, "the output is an input or apart from it", {out, in});
  }
}

}  // namespace kvmend
