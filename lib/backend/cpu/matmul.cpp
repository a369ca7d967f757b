// Products: our own on packed weights; where there is none for the type, few rows by our own kernel and many by oneDNN. All in
// pieces that our threads take as they come free.
#include <algorithm>

#include "backend/cpu/cpu_queue.h"
#include "backend/cpu/cpu_weight.h"
#include "backend/cpu/onednn.h"
#include "backend/host/host_buffer.h"
#include "core/error.h"

namespace kvmend {

namespace {

std::int64_t round_up(std::int64_t value, std::int64_t to) { return (value + to - 1) / to * to; }

}  // namespace

RealRows CpuQueue::operand(const Tensor& x) {
  if (!rounds()) return real_rows(x);
  const RealRows rounded{operand_.floats(x.rows() * x.cols()), x.cols(), false};
  const ConvertArgs args{rounded, real_rows(x), nullptr, x.cols(), 1, true};
  over_rows(x.rows(), x.cols(), [&](std::int64_t begin, std::int64_t end) { kernels().convert(args, begin, end); });
  return rounded;
}

void CpuQueue::do_matmul(const Tensor& out, const Tensor& x, const Weight& weight, const MatmulOptions& options) {
  const auto* ours = dynamic_cast<const CpuWeight*>(&weight);
  require(ours != nullptr, "matmul: a weight prepared by another backend");
  MatmulArgs args{.out = real_rows(out),
                  .x = nullptr,
                  .x_stride = 0,
                  .weight = ours->packed ? RealRows{} : real_rows(ours->values),
                  .bias = host_data<float>(options.bias),
                  .accumulate = options.accumulate,
                  .m = x.rows(),
                  .k = x.cols()};
  if (ours->packed) return multiply_packed(args, out.cols(), x, ours->packed);
  const RealRows from = operand(x);
  args.x = static_cast<const float*>(from.data);
  args.x_stride = from.stride;
  if (args.m <= kFewRows)
    multiply_few(args, out.cols());
  else
    multiply_many(args, out.cols());
}

void CpuQueue::multiply_packed(const MatmulArgs& args, std::int64_t n, const Tensor& x, const Tensor& weight) {
  const PackedProducts& packed = packed_products(kernels(), compute_dtype_);
  const std::int64_t block = packed.rows, panels = weight.rows(), steps = weight.cols() / packed.columns;
  const std::int64_t blocks = (args.m + block - 1) / block, block_words = packed.block_words(steps);
  float* rows = operand_.floats(blocks * block_words);
  const PackArgs pack{host_data<float>(x), x.stride(), args.m, args.k, rows};
  over_rows(blocks, block * args.k, [&](std::int64_t begin, std::int64_t end) { packed.pack_rows(pack, begin, end); });

  // Where sums lie between parts is float32. Parts depend on the weight alone: a row's bits must not on its neighbours.
  const std::int64_t parts =
      args.out.bf16 ? 1 : std::max<std::int64_t>(1, (steps + packed.most_steps - 1) / packed.most_steps);
  const std::int64_t part_steps = round_up((steps + parts - 1) / parts, packed.step_multiple);

  // A group of rows shares a core's second level cache with a panel. A piece is a group and as many panels as are worth
  // handing out: enough multiplications or, where few rows make it memory-bound, enough weights; a few of them where
  // there are many, because a panel is fetched beside the products with the one before.
  constexpr std::int64_t worth_products = 1 << 20, worth_weights = 1 << 17, worth_following = 4, pieces_a_thread = 8;
  const std::int64_t group =
      std::min(args.m, std::max<std::int64_t>(1, packed.group_words * parts / block_words) * block);
  const std::int64_t groups = (args.m + group - 1) / group, panel_weights = packed.columns * args.k;
  const std::int64_t worth = std::min(worth_products / std::max<std::int64_t>(1, panel_weights * group),
                                      worth_weights / std::max<std::int64_t>(1, panel_weights));
  const std::int64_t following = std::min(worth_following, panels * groups / (pieces_a_thread * workers().size()));
  const std::int64_t wide = round_up(std::max({std::int64_t{1}, worth, following}), group <= 2 ? 2 : 1);
  const std::int64_t across = (panels + wide - 1) / wide;
  PackedMatmulArgs product{args.out, rows, host_data<float>(weight), args.bias, args.accumulate, args.m, n, steps,
                           0,        0};
  do {
    product.step_end = std::min(steps, product.step_begin + part_steps);
    workers().parallel_for(groups * across, 1, [&](std::int64_t piece, std::int64_t, int) {
      const std::int64_t row = piece / across * group, panel = piece % across * wide;
      packed.multiply(product, row, std::min(args.m, row + group), panel, std::min(panels, panel + wide));
    });
    product.step_begin = product.step_end;
    product.bias = nullptr;
    product.accumulate = true;
  } while (product.step_begin < steps);
}

void CpuQueue::multiply_few(const MatmulArgs& args, std::int64_t n) {
  // Enough work a piece to be worth waking a thread, and a few pieces a thread to even out its neighbours' speed.
  constexpr std::int64_t worth_a_thread = 1 << 17;  // multiplications, or weights where one row makes it memory-bound
  const std::int64_t worth = worth_a_thread / std::max<std::int64_t>(1, args.k * std::max<std::int64_t>(1, args.m / 8));
  const std::int64_t columns =
      round_up(std::max({n / (4 * workers().size()), worth, std::int64_t{1}}), kernels().matmul_columns);
  workers().parallel_for(n, columns, [&](std::int64_t begin, std::int64_t end, int thread) {
    kernels().matmul(args, begin, end, of_thread(thread).floats(kernels().matmul_scratch));
  });
}

void CpuQueue::multiply_many(const MatmulArgs& args, std::int64_t n) {
  // oneDNN packs both operands of every piece: a piece is as square as the work allows, and large.
  std::int64_t rows = std::min<std::int64_t>(args.m, 512), columns = std::min<std::int64_t>(n, 768);
  const auto pieces = [&](std::int64_t r, std::int64_t c) { return ((args.m + r - 1) / r) * ((n + c - 1) / c); };
  while (pieces(rows, columns) < 3 * workers().size() && std::max(rows, columns) > 128)
    (rows >= columns ? rows : columns) = round_up(std::max(rows, columns) / 2, 16);
  const std::int64_t across = (n + columns - 1) / columns;

  const bool direct = !args.out.bf16;  // oneDNN writes float32
  const RealRows to = direct ? args.out : RealRows{product_.floats(args.m * n), n, false};
  workers().parallel_for(pieces(rows, columns), 1, [&](std::int64_t piece, std::int64_t, int thread) {
    const std::int64_t row = piece / across * rows, column = piece % across * columns;
    const std::int64_t m = std::min(rows, args.m - row), c = std::min(columns, n - column);
    const float* weight = nullptr;
    if (args.weight.bf16) {
      float* wide = of_thread(thread).floats(c * args.k);
      const RealRows narrow{static_cast<Bf16*>(args.weight.data) + column * args.weight.stride, args.weight.stride,
                            true};
      kernels().convert({{wide, args.k, false}, narrow, nullptr, args.k, 1, false}, 0, c);
      weight = wide;
    } else {
      weight = static_cast<const float*>(args.weight.data) + column * args.weight.stride;
    }
    float* target = static_cast<float*>(to.data) + row * to.stride + column;
    onednn::sgemm_nt(m, c, args.k, args.x + row * args.x_stride, args.x_stride, weight, args.k,
                     args.accumulate ? 1.0F : 0.0F, target, to.stride);
    if (args.bias != nullptr) kernels().add({target, args.bias + column, to.stride, 0, c}, 0, m);
    if (!direct)
      kernels().convert({{static_cast<Bf16*>(args.out.data) + row * args.out.stride + column, args.out.stride, true},
                         {target, to.stride, false},
                         nullptr,
                         c,
                         1,
                         false},
                        0, m);
  });
}

}  // namespace kvmend
