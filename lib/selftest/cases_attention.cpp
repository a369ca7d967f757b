// Attention in its forms, each over a context in two stores.
#include <cmath>
#include <memory>

#include "selftest/cases.h"

namespace kvmend::selftest {

namespace {

struct Problem {
  std::int64_t queries, keys;
  int heads, kv_heads, head_dim;
  std::int64_t window = 0;  ///< 0: all keys up to the query's own
  std::optional<Temper> temper;
};

Problem whole(const Workbench& w) {
  return {w.sizes.queries, w.sizes.keys, w.sizes.heads, w.sizes.kv_heads, w.sizes.head_dim, 0, {}};
}

/// Queries spread evenly over the context, as rows that a strategy recomputes are. `run(arguments)` gets everything but
/// the outputs; the tensors and the intervals live as long as the result.
struct Operands {
  Tensor q;
  KvView kv;
  Visibility visible;
};
std::shared_ptr<Operands> operands(Workbench& w, const Problem& p) {
  std::vector<Visibility::Interval> sees;
  for (std::int64_t i = 1; i <= p.queries; ++i) {
    const std::int64_t end = i * p.keys / p.queries;
    sees.push_back({static_cast<std::int32_t>(p.window > 0 ? std::max<std::int64_t>(0, end - p.window) : 0),
                    static_cast<std::int32_t>(end)});
  }
  return std::make_shared<Operands>(Operands{w.values(p.queries, static_cast<std::int64_t>(p.heads) * p.head_dim, 1),
                                             w.context(p.keys, p.kv_heads * p.head_dim, 10),
                                             w.queue->visibility(sees)});
}

Prepared attention(Workbench& w, const Problem& p, bool log_sums = false) {
  const auto o = operands(w, p);
  const AttentionArgs args{.q = o->q,
                           .kv = o->kv,
                           .visible = &o->visible,
                           .head_dim = p.head_dim,
                           .scale = 1 / std::sqrt(static_cast<float>(p.head_dim)),
                           .temper = p.temper,
                           .out = w.blank(o->q.rows(), o->q.cols()),
                           .lse = log_sums ? w.blank(o->q.rows(), p.heads) : Tensor{}};
  return {[o, args, &w] { w.queue->attention(args); }, log_sums ? args.lse : args.out};
}

Prepared mass(Workbench& w, HeadReduce over_heads, RowReduce over_rows) {
  const Problem p = whole(w);
  const auto o = operands(w, p);
  const MassArgs args{.q = o->q,
                      .kv = o->kv,
                      .visible = &o->visible,
                      .head_dim = p.head_dim,
                      .scale = 1 / std::sqrt(static_cast<float>(p.head_dim)),
                      .heads = over_heads,
                      .rows = over_rows,
                      .out = w.blank(p.keys, 1)};
  return {[o, args, &w] { w.queue->attention_mass(args); }, args.out, true};
}

Prepared decode(Workbench& w) {
  const Sizes& s = w.sizes;
  std::vector<KvView> cells;
  for (std::int64_t c = 0; c < s.cells; ++c)  // of different lengths, none in the caches because of another
    cells.push_back(w.context(s.cell_keys - 7 * c, s.kv_heads * s.head_dim, 10 + 4 * static_cast<unsigned>(c)));
  const Tensor q = w.values(s.cells, static_cast<std::int64_t>(s.heads) * s.head_dim, 1);
  const Tensor out = w.blank(q.rows(), q.cols());
  const float scale = 1 / std::sqrt(static_cast<float>(s.head_dim));
  return {[=, &w] { w.queue->decode_attention(out, q, cells, w.sizes.head_dim, scale); }, out};
}

Prepared join(Workbench& w) {
  const std::int64_t rows = w.sizes.rows, width = w.sizes.width, heads = width / w.sizes.head_dim;
  const Tensor a = w.values(rows, width, 1), b = w.values(rows, width, 2), out = w.blank(rows, width);
  const Tensor lse_a = w.values(rows, heads, 3), lse_b = w.values(rows, heads, 4);
  return {[=, &w] { w.queue->join_attention(out, a, lse_a, b, lse_b, 0.9F); }, out};
}

/// Rows near their old ones, as recomputed keys are.
Prepared blend(Workbench& w) {
  const std::int64_t rows = w.sizes.rows, width = w.sizes.width;
  const Tensor old = w.values(rows, width, 1, w.compute()), near = w.values(rows, width, 2), to = w.blank(rows, width);
  w.queue->copy(to, old);
  w.queue->add(to, near);
  const Tensor blended = w.blank(rows, width, w.compute());
  w.queue->copy(blended, to);
  return {[=, &w] { w.queue->blend_rows(blended, old); }, blended};
}

}  // namespace

std::vector<Case> attention_cases() {
  const auto variation = [](std::string name, OpKind kind, std::function<Prepared(Workbench&)> prepare) {
    return Case{.name = std::move(name), .kind = kind, .prepare = std::move(prepare), .timed = false};
  };
  const auto shaped = [](Problem p) { return [p](Workbench& w) { return attention(w, p); }; };
  return {
      {.name = "attention",
       .kind = OpKind::attention,
       .prepare = [](Workbench& w) { return attention(w, whole(w)); },
       .design = {0.2, 0.35, 0.55}},
      {.name = "attention, few rows",  // the keys are cut into parts
       .kind = OpKind::attention,
       .prepare =
           [](Workbench& w) {
             Problem p = whole(w);
             p.queries = 4;
             return attention(w, p);
           },
       .design = {0, 0}},
      variation("attention, log-sums", OpKind::sum, [](Workbench& w) { return attention(w, whole(w), true); }),
      variation("attention, window", OpKind::attention, shaped({33, 400, 4, 2, 64, 50, {}})),
      variation("attention, temper", OpKind::attention, shaped({33, 400, 4, 2, 64, 0, Temper{20, 300, 0.7F, 1.2F}})),
      variation("attention, heads of 20", OpKind::attention, shaped({9, 100, 3, 1, 20, 0, {}})),
      variation("attention, heads of 33", OpKind::attention, shaped({9, 100, 3, 1, 33, 0, {}})),
      variation("attention, heads of 128", OpKind::attention, shaped({70, 300, 4, 1, 128, 0, {}})),
      variation("attention, heads of 256", OpKind::attention, shaped({20, 150, 2, 1, 256, 0, {}})),
      {.name = "decode_attention", .kind = OpKind::attention, .prepare = decode, .design = {0.25, 0.75}},
      {.name = "attention_mass, sum",
       .kind = OpKind::sum,
       .prepare = [](Workbench& w) { return mass(w, HeadReduce::sum, RowReduce::sum); },
       .design = {0.2, 0.15}},
      variation("attention_mass, largest of mean", OpKind::sum,
                [](Workbench& w) { return mass(w, HeadReduce::mean, RowReduce::max); }),
      variation("attention_mass, norm", OpKind::sum,
                [](Workbench& w) { return mass(w, HeadReduce::sum, RowReduce::l2); }),
      {.name = "join_attention", .kind = OpKind::sum, .prepare = join},
      {.name = "blend_rows", .kind = OpKind::sum, .prepare = blend},
  };
}

}  // namespace kvmend::selftest
