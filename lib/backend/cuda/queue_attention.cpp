// Attention in its three forms.
#include <algorithm>

#include "backend/cuda/cuda_queue.h"
#include "core/error.h"

namespace kvmend::cuda {

namespace {

launch::Keys keys_of(const KvView& kv, const std::optional<Temper>& temper) {
  launch::Keys keys;
  keys.base_k = rows_of(kv.base_k);
  keys.base_v = rows_of(kv.base_v);
  keys.overlay_k = rows_of(kv.overlay_k);
  keys.overlay_v = rows_of(kv.overlay_v);
  if (!kv.base_k) keys.base_k.dtype = keys.overlay_k.dtype;  // the launches ask the base
  keys.slots = indices_of(kv.slots);
  keys.n_keys = kv.n_keys;
  if (temper) {
    keys.temper_begin = temper->begin;
    keys.temper_end = temper->end;
    keys.temper_scale = temper->scale;
    keys.temper_shift = temper->shift;
  }
  return keys;
}

}  // namespace

launch::AttentionCall CudaQueue::attention_call(const Tensor& q, const Tensor& out, const KvView& kv, int head_dim,
                                                float scale) const {
  if (head_dim > launch::kMaxHeadDim)
    fail(ErrorKind::device, "cuda: heads of {} columns; the kernels take up to {}; use --device cpu", head_dim,
         launch::kMaxHeadDim);
  launch::AttentionCall call;
  call.q = rows_of(q);
  call.out = rows_of(out);
  call.head_dim = head_dim;
  call.heads = static_cast<int>(q.cols()) / head_dim;
  const Tensor& k = kv.base_k ? kv.base_k : kv.overlay_k;
  call.kv_heads = k ? static_cast<int>(k.cols()) / head_dim : call.heads;
  call.scale = scale;
  call.round = rounds();
  call.multiprocessors = device_->multiprocessors();
  call.shared_bytes = device_->shared_bytes();
  return call;
}

Tensor CudaQueue::partials_of(launch::AttentionCall& call) {
  if (call.parts == 1) return {};
  Tensor partials = scratch(DType::f32, 1, static_cast<std::int64_t>(launch::partial_floats(call)));
  call.partials = static_cast<float*>(device_data(partials));
  return partials;
}

void CudaQueue::do_attention(const AttentionArgs& a) {
  launch::AttentionCall call = attention_call(a.q, a.out, a.kv, a.head_dim, a.scale);
  call.intervals = indices_of(a.visible->intervals);
  call.lse = rows_of(a.lse);
  const launch::Keys keys = keys_of(a.kv, a.temper);
  call.parts = launch::attention_parts(call, keys, a.visible->max_end);
  const Tensor partials = partials_of(call);
  check(launch::attention(call, keys, stream()), "attention");
}

void CudaQueue::do_decode_attention(const Tensor& out, const Tensor& q, std::span<const KvView> cells, int head_dim,
                                    float scale, std::span<const std::optional<Temper>> tempers) {
  const auto has_keys = [](const KvView& kv) { return kv.base_k || kv.overlay_k; };
  const auto some = std::find_if(cells.begin(), cells.end(), has_keys);
  launch::AttentionCall call = attention_call(q, out, some == cells.end() ? cells.front() : *some, head_dim, scale);
  std::vector<launch::Keys> keys;
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    keys.push_back(keys_of(cells[i], tempers.empty() ? std::nullopt : tempers[i]));
    longest = std::max(longest, cells[i].n_keys);
    require(keys[i].base_k.dtype == keys[0].base_k.dtype, "decode_attention: caches of two types");
  }
  call.parts = static_cast<int>(std::max<std::int64_t>(1, (longest + launch::kDecodePart - 1) / launch::kDecodePart));
  const Tensor partials = partials_of(call);
  const std::size_t bytes = cells.size() * launch::cell_bytes();
  const DeviceBuffer lists(device_, bytes);
  check(launch::decode_attention(call, keys, device_->staging().piece(bytes), lists.data(), stream()),
        "decode_attention");
}

void CudaQueue::do_attention_mass(const MassArgs& a) {
  launch::AttentionCall call = attention_call(a.q, a.out, a.kv, a.head_dim, a.scale);
  call.intervals = indices_of(a.visible->intervals);
  const launch::Keys keys = keys_of(a.kv, {});
  call.parts = launch::attention_parts(call, keys, a.visible->max_end);
  const Tensor partials = partials_of(call);
  const Tensor stats = scratch(DType::f32, 2, std::max<std::int64_t>(1, call.q.rows * call.heads));
  const int reduction = a.rows == RowReduce::sum ? 0 : a.rows == RowReduce::max ? 1 : 2;
  const float weight = a.heads == HeadReduce::mean ? 1 / static_cast<float>(call.heads) : 1.0F;
  check(launch::attention_mass(call, keys, weight, reduction, static_cast<float*>(device_data(stats)), stream()),
        "attention_mass");
}

}  // namespace kvmend::cuda
