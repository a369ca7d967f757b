// The oracle of the query's attention output, a token at a time.
#include <cmath>

#include "recompute/answer.h"
#include "recompute/rows.h"

namespace kvmend {
namespace {

/// Softmax rows of one query row and one head, by the one operation that gives column statistics.
class HeadRow {
 public:
  HeadRow(const Model& model, Queue& queue, int n_context)
      : model_(model), queue_(queue), n_(n_context), d_(model.config().head_dim) {}

  /// [n_keys] probabilities of q's row over keys [first, n + row + 1).
  Tensor probabilities(const Tensor& q, std::int64_t q_row, std::int64_t head, KvView kv, std::int64_t row,
                       std::int32_t first) {
    const std::int64_t kv_head = head / (model_.config().n_heads / model_.config().n_kv_heads);
    if (kv.base_k) kv.base_k = kv.base_k.col_range(kv_head * d_, d_);
    if (kv.overlay_k) kv.overlay_k = kv.overlay_k.col_range(kv_head * d_, d_);
    const Visibility::Interval seen{first, static_cast<std::int32_t>(n_ + row + 1)};
    const Visibility visible = queue_.visibility({&seen, 1});
    MassArgs args;
    args.q = q.row_range(q_row, 1).col_range(head * d_, d_);
    args.kv = kv;
    args.visible = &visible;
    args.head_dim = static_cast<int>(d_);
    args.scale = model_.attention_scale();
    args.out = model_.backend().allocate(DType::f32, kv.n_keys, 1);
    queue_.attention_mass(args);
    return args.out;
  }

 private:
  const Model& model_;
  Queue& queue_;
  std::int64_t n_, d_;
};

/// Squared norms and the product of two value rows, per token and KV head.
struct ValuePair {
  double exact = 0, reused = 0, both = 0;
};

std::vector<ValuePair> compare_values(std::span<const float> exact, std::span<const float> reused, std::size_t d) {
  std::vector<ValuePair> out(exact.size() / d);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    ValuePair& pair = out[i / d];
    pair.exact += static_cast<double>(exact[i]) * exact[i];
    pair.reused += static_cast<double>(reused[i]) * reused[i];
    pair.both += static_cast<double>(exact[i]) * reused[i];
  }
  return out;
}

}  // namespace

/// Both prefills side by side, layer by layer: ‖a·v − a′·v′‖² = a²‖v‖² − 2·a·a′·v·v′ + a′²‖v′‖².
void RequestProbe::compute_output_change(Answer& out) {
  Queue& queue = engine_.queue();
  const ModelConfig& c = engine_.model().config();
  const int n = request().n_context(), n_query = request().n_query();
  const AttentionProbe in_place;
  Pass exact = full_pass(context_.sequence()), reused = query_pass(context_.sequence(), in_place);
  const BasePtr placed = base(Placement::global);
  HeadRow head_row(engine_.model(), queue, n);
  const int group = c.n_heads / c.n_kv_heads;
  std::vector<double> sum(static_cast<std::size_t>(n));
  for (int layer = 0; layer < c.n_layers; ++layer) {
    exact.begin_layer();
    reused.begin_layer();
    const auto pairs =
        compare_values(downloaded(queue, exact.projected().v.row_range(0, n)),
                       downloaded(queue, placed->layer(layer).v.row_range(0, n)), static_cast<std::size_t>(c.head_dim));
    for (int row = 0; row < n_query; ++row) {
      const int first = context_.sequence().first_seen(c, layer, n + row);
      for (int head = 0; head < c.n_heads; ++head) {
        const auto a = downloaded(queue, head_row.probabilities(exact.q(), n + row, head, exact.view(), row, first));
        const auto b = downloaded(queue, head_row.probabilities(reused.q(), row, head, reused.view(), row, first));
        for (int j = 0; j < n; ++j) {
          const auto at = static_cast<std::size_t>(j);
          const double p = a[at], r = b[at];
          const ValuePair& v =
              pairs[at * static_cast<std::size_t>(c.n_kv_heads) + static_cast<std::size_t>(head / group)];
          sum[at] += std::sqrt(std::max(0.0, p * p * v.exact - 2 * p * r * v.both + r * r * v.reused));
        }
      }
    }
    if (layer + 1 < c.n_layers) {
      exact.end_layer();
      reused.end_layer();
    }
  }
  out.add(std::vector<float>(sum.begin(), sum.end()));
}

std::span<const float> RequestProbe::output_change() {
  if (request().n_context() == 0) return {};
  return answer("output change", [&](Answer& out) { compute_output_change(out); }).rows().front();
}

}  // namespace kvmend
