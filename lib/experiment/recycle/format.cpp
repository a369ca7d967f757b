#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eval/statistics.h"
#include "experiment/recycle/recycle.h"

namespace kvmend {
namespace {

double median(std::vector<double> values) { return values.empty() ? 0 : select_quantile(values, 0.5); }

/// One lookup over all prompts.
struct Summary {
  int prompts = 0, hits = 0, equal = 0;
  std::int64_t tokens = 0, reused = 0;
  double latency = 0, baseline = 0;  ///< totals, seconds
  double logit_difference = 0;
  std::vector<double> hit_ttft, hit_baseline_ttft, lookups;
};

Summary summarise(const RecycleResult& result, Lookup lookup) {
  Summary s;
  for (const RecycleRow& row : result.rows) {
    if (row.lookup != lookup) continue;
    ++s.prompts;
    s.hits += row.prefix_match ? 1 : 0;
    s.equal += row.equal ? 1 : 0;
    s.tokens += row.tokens;
    s.reused += row.reuse_depth;
    s.latency += row.latency_s;
    s.baseline += row.baseline_s;
    s.logit_difference = std::max(s.logit_difference, row.logit_difference);
    s.lookups.push_back(row.lookup_s);
    if (row.prefix_match) {
      s.hit_ttft.push_back(row.ttft_s);
      s.hit_baseline_ttft.push_back(row.baseline_ttft_s);
    }
  }
  return s;
}

double share(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

}  // namespace

std::string recycle_text(const RecycleResult& result) {
  std::string out = fmt::format("{} prompts, {}, {}, {}{}\n", result.prompts, result.model, result.device, result.dtype,
                                result.encoder.empty() ? "" : ", embeddings by " + result.encoder);
  out += fmt::format("{:<15} {:>12} {:>10} {:>9} {:>21} {:>23} {:>9} {:>11}\n", "lookup", "hits", "depth", "reused",
                     "TTFT of hits, s", "total latency, s", "equal", "max |Δlogit|");
  for (const auto& [lookup, name] : EnumNames<Lookup>::names) {
    const Summary s = summarise(result, lookup);
    if (s.prompts == 0) continue;
    out += fmt::format(
        "{:<15} {:>12} {:>10.1f} {:>8.1f}% {:>21} {:>23} {:>9} {:>11.1e}\n", name,
        fmt::format("{} ({:.0f}%)", s.hits, share(s.hits, s.prompts)),
        s.hits > 0 ? static_cast<double>(s.reused) / s.hits : 0.0,
        share(static_cast<double>(s.reused), static_cast<double>(s.tokens)),
        s.hits > 0 ? fmt::format("{:.4f} for {:.4f}", median(s.hit_ttft), median(s.hit_baseline_ttft)) : "–",
        fmt::format("{:.3f} for {:.3f}", s.latency, s.baseline), fmt::format("{}/{}", s.equal, s.prompts),
        s.logit_difference);
  }
  const Summary nearest = summarise(result, Lookup::nearest);
  if (nearest.prompts > 0) {
    out += fmt::format("A nearest lookup takes {:.4f} s (median, its embedding included); it is in the latencies.\n",
                       median(nearest.lookups));
  }
  out += fmt::format("Storing took {:.3f} s and {:.1f} MB in all", result.store_s,
                     static_cast<double>(result.stored_bytes) / 1e6);
  if (result.cache.bytes_written > 0 || result.cache.bytes_read > 0) {
    out += fmt::format("; on disk {:.1f} MB were written, {:.1f} MB read back",
                       static_cast<double>(result.cache.bytes_written) / 1e6,
                       static_cast<double>(result.cache.bytes_read) / 1e6);
  }
  out += ".\n";
  if (result.cache.rejected_files > 0) {
    out +=
        fmt::format("{} cache files could not be used and were made again: those prompts' latencies hold a prefill.\n",
                    result.cache.rejected_files);
  }
  return out;
}

std::string recycle_json(const RecycleResult& result) {
  std::string out;
  for (const RecycleRow& row : result.rows) {
    using Json = nlohmann::ordered_json;
    const bool embedded = row.lookup == Lookup::nearest && !row.nearest.empty();
    const Json line{{"prompt_id", row.prompt_id},
                    {"lookup", enum_name(row.lookup)},
                    {"tokens", row.tokens},
                    {"nearest", row.nearest.empty() ? Json() : Json(row.nearest)},
                    {"similarity", embedded ? Json(row.similarity) : Json()},
                    {"prefix_match", row.prefix_match},
                    {"reuse_depth", row.reuse_depth},
                    {"latency_s", row.latency_s},
                    {"baseline_s", row.baseline_s},
                    {"ttft_s", row.ttft_s},
                    {"baseline_ttft_s", row.baseline_ttft_s},
                    {"lookup_s", row.lookup_s},
                    {"load_s", row.load_s},
                    {"equal", row.equal},
                    {"logit_difference", row.logit_difference}};
    out += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  return out;
}

}  // namespace kvmend
