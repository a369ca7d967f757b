// The checks and the cost of attention in its three forms.
#include "backend/operands.h"
#include "backend/queue.h"
#include "core/error.h"

namespace kvmend {

namespace {

/// Columns of the key store: every store of the view has this many. Keys may lack their values (attention mass).
std::int64_t check_kv(const char* op, const KvView& kv, bool values, int head_dim) {
  require(kv.n_keys >= 0, "{}: {} keys", op, kv.n_keys);
  const Tensor& some = kv.base_k ? kv.base_k : kv.overlay_k;
  if (kv.n_keys == 0) return some ? some.cols() : 0;
  expect(static_cast<bool>(some), op, "a base or an overlay", {{"base_k", kv.base_k}, {"overlay_k", kv.overlay_k}});
  for (const Tensor* keys : {&kv.base_k, &kv.overlay_k})
    expect(!*keys || (keys->cols() == some.cols() && keys->dtype() == some.dtype() && keys->dtype() != DType::i32), op,
           "base and overlay have one real dtype and width", {{"base_k", kv.base_k}, {"overlay_k", kv.overlay_k}});
  if (values) {
    const auto matches = [](const Tensor& k, const Tensor& v) {
      return !k || (v && v.rows() == k.rows() && v.cols() == k.cols() && v.dtype() == k.dtype());
    };
    expect(matches(kv.base_k, kv.base_v), op, "values match keys", {{"base_k", kv.base_k}, {"base_v", kv.base_v}});
    expect(matches(kv.overlay_k, kv.overlay_v), op, "values match keys",
           {{"overlay_k", kv.overlay_k}, {"overlay_v", kv.overlay_v}});
  }
  expect(kv.slots && kv.slots.dtype() == DType::i32 && kv.slots.cols() == 1 && kv.slots.rows() >= kv.n_keys &&
             (kv.slots.rows() <= 1 || kv.slots.stride() == 1),
         op, "slots is i32 [>= n_keys, 1], dense", {{"slots", kv.slots}});
  if (head_dim <= 0 || some.cols() == 0 || some.cols() % head_dim != 0)
    fail(ErrorKind::internal, "{}: keys {} are not a number of heads of {}", op, describe(some), head_dim);
  return some.cols();
}

/// Query heads; each KV head serves the same number of them.
std::int64_t check_heads(const char* op, const Tensor& q, std::int64_t kv_cols, int head_dim) {
  expect_dtype(op, DType::f32, {{"q", q}});
  if (head_dim <= 0 || !q || q.cols() % head_dim != 0 || (kv_cols > 0 && q.cols() % kv_cols != 0))
    fail(ErrorKind::internal, "{}: q {} with keys of {} columns and heads of {}", op, describe(q), kv_cols, head_dim);
  return q.cols() / head_dim;
}

void check_visible(const char* op, const Visibility* visible, std::int64_t rows, std::int64_t n_keys) {
  require(visible != nullptr, "{}: no visibility", op);
  require(visible->rows == rows && visible->max_end <= n_keys,
          "{}: visibility of {} rows up to key {}; got {} rows, {} keys", op, visible->rows, visible->max_end, rows,
          n_keys);
}

void check_temper(const char* op, const std::optional<Temper>& temper, std::int64_t n_keys) {
  if (temper)
    require(temper->begin >= 0 && temper->begin <= temper->end && temper->end <= n_keys,
            "{}: temper of [{}, {}) among {} keys", op, temper->begin, temper->end, n_keys);
}

double kv_bytes(const KvView& kv, std::int64_t cols, int parts) {
  const Tensor& some = kv.base_k ? kv.base_k : kv.overlay_k;
  if (!some) return 0;
  return static_cast<double>(kv.n_keys * cols * parts) * static_cast<double>(dtype_bytes(some.dtype()));
}

double pair_flops(double per_pair, int head_dim, std::int64_t heads, std::int64_t pairs) {
  return per_pair * static_cast<double>(head_dim) * static_cast<double>(heads) * static_cast<double>(pairs);
}

}  // namespace

void Queue::attention(const AttentionArgs& a) {
  const char* op = "attention";
  const std::int64_t kv_cols = check_kv(op, a.kv, true, a.head_dim);
  const std::int64_t heads = check_heads(op, a.q, kv_cols, a.head_dim);
  check_visible(op, a.visible, a.q.rows(), a.kv.n_keys);
  check_temper(op, a.temper, a.kv.n_keys);
  expect_dtype(op, DType::f32, {{"out", a.out}, {"lse", a.lse}});
  expect_same_shape(op, {{"q", a.q}, {"out", a.out}});
  expect(!a.lse || (a.lse.rows() == a.q.rows() && a.lse.cols() == heads), op, "lse is [rows, heads]",
         {{"q", a.q}, {"lse", a.lse}});
  expect_apart(op, {"out", a.out},
               {{"q", a.q},
                {"base_k", a.kv.base_k},
                {"base_v", a.kv.base_v},
                {"overlay_k", a.kv.overlay_k},
                {"overlay_v", a.kv.overlay_v},
                {"lse", a.lse}});
  cost_ += {pair_flops(4, a.head_dim, heads, a.visible->pairs),
            static_cast<double>(a.q.bytes() + a.out.bytes()) + kv_bytes(a.kv, kv_cols, 2)};
  if (a.q.rows() > 0) do_attention(a);
}

void Queue::decode_attention(const Tensor& out, const Tensor& q, std::span<const KvView> cells, int head_dim,
                             float scale, std::span<const std::optional<Temper>> tempers) {
  const char* op = "decode_attention";
  expect_dtype(op, DType::f32, {{"out", out}});
  expect_same_shape(op, {{"q", q}, {"out", out}});
  require(static_cast<std::int64_t>(cells.size()) == q.rows() && (tempers.empty() || tempers.size() == cells.size()),
          "{}: {} rows, {} cells, {} tempers", op, q.rows(), cells.size(), tempers.size());
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const std::int64_t kv_cols = check_kv(op, cells[c], true, head_dim);
    const std::int64_t heads = check_heads(op, q, kv_cols, head_dim);
    if (!tempers.empty()) check_temper(op, tempers[c], cells[c].n_keys);
    cost_ += {pair_flops(4, head_dim, heads, cells[c].n_keys), kv_bytes(cells[c], kv_cols, 2)};
  }
  expect_apart(op, {"out", out}, {{"q", q}});
  cost_.bytes += static_cast<double>(q.bytes() + out.bytes());
  if (q.rows() > 0) do_decode_attention(out, q, cells, head_dim, scale, tempers);
}

void Queue::attention_mass(const MassArgs& a) {
  const char* op = "attention_mass";
  const std::int64_t kv_cols = check_kv(op, a.kv, false, a.head_dim);
  const std::int64_t heads = check_heads(op, a.q, kv_cols, a.head_dim);
  check_visible(op, a.visible, a.q.rows(), a.kv.n_keys);
  expect_dtype(op, DType::f32, {{"out", a.out}});
  expect(a.out && a.out.rows() == a.kv.n_keys && a.out.cols() == 1, op, "out is [n_keys, 1]", {{"out", a.out}});
  expect_apart(op, {"out", a.out}, {{"q", a.q}, {"base_k", a.kv.base_k}, {"overlay_k", a.kv.overlay_k}});
  cost_ += {pair_flops(2, a.head_dim, heads, a.visible->pairs),
            static_cast<double>(a.q.bytes() + a.out.bytes()) + kv_bytes(a.kv, kv_cols, 1)};
  if (a.out.rows() > 0) do_attention_mass(a);
}

}  // namespace kvmend
