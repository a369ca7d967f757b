#pragma once
// The same transformer written down a second time: doubles, loops, one row after the other, whole probability matrices.
// What selectors' formulas are checked against. Llama layout without biases.
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/random_model.h"

namespace kvmend::test {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

/// Tokens with keys before RoPE and values per layer: [layers][tokens][kv width].
struct PlainKv {
  std::vector<int> positions;
  std::vector<Rows> k, v;
  std::size_t size() const { return positions.size(); }
};

struct PlainRun {
  PlainKv kv;                        ///< of the rows that ran
  std::vector<Rows> q, hidden;       ///< [layers] queries before RoPE, inputs (and hidden[layers]: what the last gives)
  std::vector<std::vector<Rows>> p;  ///< [layers][heads][rows][context + rows]
  Row logits;                        ///< of the last row
};

class PlainModel {
 public:
  explicit PlainModel(const ModelFiles& files) : files_(files), c_(files.config()) {}

  /// What may be different from a plain causal pass; entries of a key list are context first, then own rows.
  struct Change {
    std::function<bool(std::size_t row, std::size_t key)> sees;                   ///< default: causal by list order
    std::function<double(std::size_t row, std::size_t key, double logit)> logit;  ///< default: as it is
    /// Full control of one row's probabilities from its logits; −inf where it does not see.
    std::function<Row(std::size_t row, const Row& logits)> weights;
    /// After projection: may change this layer's keys (before RoPE) and values of own rows and of context.
    std::function<void(int layer, PlainKv& context, PlainKv& own)> write_back;
  };

  PlainRun run(const std::vector<std::int32_t>& ids, const std::vector<int>& positions, PlainKv context = {},
               const Change& change = {}) const {
    const auto layers = static_cast<std::size_t>(c_.n_layers), heads = static_cast<std::size_t>(c_.n_heads);
    const auto d = static_cast<std::size_t>(c_.head_dim), group = heads / static_cast<std::size_t>(c_.n_kv_heads);
    const std::size_t n = ids.size(), m = context.size();
    PlainRun out;
    out.kv.positions = positions;
    Rows x = embed(ids);
    for (std::size_t l = 0; l < layers; ++l) {
      const std::string blk = "blk." + std::to_string(l) + ".";
      out.hidden.push_back(x);
      const Rows normed = norm(x, blk + "attn_norm.weight");
      out.q.push_back(times(normed, blk + "attn_q.weight", c_.n_heads * c_.head_dim));
      out.kv.k.push_back(times(normed, blk + "attn_k.weight", c_.n_kv_heads * c_.head_dim));
      out.kv.v.push_back(times(normed, blk + "attn_v.weight", c_.n_kv_heads * c_.head_dim));
      if (change.write_back) change.write_back(static_cast<int>(l), context, out.kv);
      Rows keys, values;
      for (std::size_t j = 0; j < m + n; ++j) {
        const PlainKv& from = j < m ? context : out.kv;
        const std::size_t at = j < m ? j : j - m;
        keys.push_back(rotate(from.k[l][at], from.positions[at]));
        values.push_back(from.v[l][at]);
      }
      Rows attention(n, Row(heads * d));
      std::vector<Rows> p(heads);
      for (std::size_t h = 0; h < heads; ++h) {
        for (std::size_t r = 0; r < n; ++r) {
          const Row q = rotate(out.q[l][r], positions[r]);
          Row logits(m + n, -INFINITY);
          for (std::size_t j = 0; j < m + n; ++j) {
            if (change.sees ? !change.sees(r, j) : j > m + r) continue;
            double dot = 0;
            for (std::size_t i = 0; i < d; ++i) dot += q[h * d + i] * keys[j][h / group * d + i];
            logits[j] = dot / std::sqrt(static_cast<double>(d));
            if (change.logit) logits[j] = change.logit(r, j, logits[j]);
          }
          const Row w = change.weights ? change.weights(r, logits) : softmax(logits);
          for (std::size_t j = 0; j < m + n; ++j) {
            for (std::size_t i = 0; i < d; ++i) attention[r][h * d + i] += w[j] * values[j][h / group * d + i];
          }
          p[h].push_back(w);
        }
      }
      out.p.push_back(std::move(p));
      add(x, times(attention, blk + "attn_output.weight", c_.d_model));
      const Rows second = norm(x, blk + "ffn_norm.weight");
      Rows gate = times(second, blk + "ffn_gate.weight", c_.d_ff);
      const Rows up = times(second, blk + "ffn_up.weight", c_.d_ff);
      for (std::size_t r = 0; r < n; ++r) {
        for (std::size_t i = 0; i < gate[r].size(); ++i)
          gate[r][i] = gate[r][i] / (1 + std::exp(-gate[r][i])) * up[r][i];
      }
      add(x, times(gate, blk + "ffn_down.weight", c_.d_model));
    }
    out.hidden.push_back(x);
    const char* head = files_.has("output.weight") ? "output.weight" : "token_embd.weight";
    out.logits = times({norm(x, "output_norm.weight").back()}, head, c_.vocab).front();
    return out;
  }

  /// A unit prefilled alone behind a sink whose rows are dropped; its positions are those of that prefill.
  PlainKv prefill_unit(const std::vector<std::int32_t>& sink, const std::vector<std::int32_t>& unit) const {
    std::vector<std::int32_t> ids = sink;
    ids.insert(ids.end(), unit.begin(), unit.end());
    return part(run(ids, counted(0, ids.size())).kv, sink.size(), ids.size());
  }

  /// Every unit of a request prefilled alone (behind the prefix if asked), one after the other, at global positions.
  PlainKv reused(const Request& request, bool shared_prefix, bool global = true) const {
    PlainKv all;
    for (std::size_t u = 0; u < request.units.size(); ++u) {
      const Unit& unit = request.units[u];
      const std::vector<std::int32_t> ids(request.context_ids.begin() + unit.begin,
                                          request.context_ids.begin() + unit.end);
      std::vector<std::int32_t> sink;
      if (u > 0 && shared_prefix && request.has_prefix()) {
        sink.assign(request.context_ids.begin(), request.context_ids.begin() + request.units[0].end);
      }
      append(all, prefill_unit(sink, ids));
    }
    if (global) all.positions = counted(0, all.size());
    return all;
  }

  static std::vector<int> counted(int from, std::size_t n) {
    std::vector<int> out;
    for (std::size_t i = 0; i < n; ++i) out.push_back(from + static_cast<int>(i));
    return out;
  }
  static void append(PlainKv& to, const PlainKv& from) {
    to.positions.insert(to.positions.end(), from.positions.begin(), from.positions.end());
    to.k.resize(from.k.size());
    to.v.resize(from.v.size());
    for (std::size_t l = 0; l < from.k.size(); ++l) {
      to.k[l].insert(to.k[l].end(), from.k[l].begin(), from.k[l].end());
      to.v[l].insert(to.v[l].end(), from.v[l].begin(), from.v[l].end());
    }
  }
  static PlainKv part(const PlainKv& from, std::size_t begin, std::size_t end) {
    PlainKv out;
    const auto cut = [&](const auto& list) {
      using List = std::decay_t<decltype(list)>;
      return List(list.begin() + static_cast<std::ptrdiff_t>(begin), list.begin() + static_cast<std::ptrdiff_t>(end));
    };
    out.positions = cut(from.positions);
    for (const Rows& layer : from.k) out.k.push_back(cut(layer));
    for (const Rows& layer : from.v) out.v.push_back(cut(layer));
    return out;
  }
  static Row softmax(const Row& logits) {
    double top = -INFINITY, sum = 0;
    for (const double l : logits) top = std::max(top, l);
    Row out(logits.size());
    for (std::size_t j = 0; j < out.size(); ++j) sum += out[j] = logits[j] == -INFINITY ? 0 : std::exp(logits[j] - top);
    for (double& w : out) w /= sum;
    return out;
  }
  Row rotate(const Row& x, int position) const {
    Row out = x;
    const auto d = static_cast<std::size_t>(c_.head_dim), half = d / 2;
    for (std::size_t h = 0; h < x.size(); h += d) {
      for (std::size_t i = 0; i < half; ++i) {
        const double angle = position * std::pow(c_.rope.base, -2.0 * static_cast<double>(i) / static_cast<double>(d));
        out[h + i] = x[h + i] * std::cos(angle) - x[h + i + half] * std::sin(angle);
        out[h + i + half] = x[h + i + half] * std::cos(angle) + x[h + i] * std::sin(angle);
      }
    }
    return out;
  }

 private:
  const std::vector<float>& weights(const std::string& name, std::int64_t rows, std::int64_t cols) const {
    auto& found = cache_[name];
    if (found.empty()) {
      found.resize(static_cast<std::size_t>(rows * cols));
      files_.matrix(name, rows, cols).read_rows(0, rows, found.data());
    }
    return found;
  }
  Rows embed(const std::vector<std::int32_t>& ids) const {
    const auto& table = weights("token_embd.weight", c_.vocab, c_.d_model);
    Rows out;
    for (const auto id : ids) out.emplace_back(table.begin() + id * c_.d_model, table.begin() + (id + 1) * c_.d_model);
    return out;
  }
  Rows norm(const Rows& x, const std::string& name) const {
    const std::vector<float> w = files_.vector(name, c_.d_model);
    Rows out = x;
    for (Row& row : out) {
      double square = 0;
      for (const double v : row) square += v * v;
      const double scale = 1 / std::sqrt(square / static_cast<double>(row.size()) + c_.norm_eps);
      for (std::size_t i = 0; i < row.size(); ++i) row[i] *= scale * w[i];
    }
    return out;
  }
  Rows times(const Rows& x, const std::string& name, std::int64_t rows) const {
    const auto cols = static_cast<std::int64_t>(x.front().size());
    const auto& w = weights(name, rows, cols);
    Rows out;
    for (const Row& row : x) {
      Row y(static_cast<std::size_t>(rows));
      for (std::size_t o = 0; o < y.size(); ++o) {
        for (std::size_t i = 0; i < row.size(); ++i) y[o] += row[i] * w[o * row.size() + i];
      }
      out.push_back(std::move(y));
    }
    return out;
  }
  static void add(Rows& x, const Rows& y) {
    for (std::size_t r = 0; r < x.size(); ++r) {
      for (std::size_t i = 0; i < x[r].size(); ++i) x[r][i] += y[r][i];
    }
  }

  const ModelFiles& files_;
  const ModelConfig& c_;
  mutable std::map<std::string, std::vector<float>> cache_;
};

}  // namespace kvmend::test
