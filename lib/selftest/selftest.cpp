#include "selftest/selftest.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "selftest/cases.h"

namespace kvmend::selftest {

namespace {

std::vector<float> outcome(const Case& c, Workbench& bench, Tensor& out, bool& whole) {
  const Prepared prepared = c.prepare(bench);
  prepared.run();
  out = prepared.out;
  whole = prepared.whole;
  return bench.read(prepared.out);
}

void compare(const Case& c, Backend& reference, Backend& device, Finding& finding) {
  Workbench expected_on(reference, kCompared), got_on(device, kCompared);
  Tensor out;
  bool whole = false;
  const std::vector<float> expected = outcome(c, expected_on, out, whole), got = outcome(c, got_on, out, whole);
  const Tolerance allowed = tolerance(c.kind, device.compute_dtype(), out.dtype());
  finding.error = row_error(got, expected, whole ? out.rows() * out.cols() : out.cols());
  finding.tolerance = allowed.of_row;
  finding.reason = allowed.reason;
  finding.agrees = finding.error <= allowed.of_row;
}

/// Seconds of one call: bursts of calls that last `at_least` together, the best of three.
double seconds_of_call(Queue& queue, const std::function<void()>& run, double at_least) {
  const auto burst = [&](std::int64_t calls) {
    queue.finish();
    const auto begin = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < calls; ++i) run();
    queue.finish();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  burst(1);  // what the first call sets up
  std::int64_t calls = 1;
  double seconds = burst(calls);
  while (seconds < at_least && calls < (1 << 20)) {
    const double factor = at_least / std::max(seconds, 1e-7);
    calls = std::max(calls + 1, static_cast<std::int64_t>(1.2 * static_cast<double>(calls) * std::min(factor, 100.0)));
    seconds = burst(calls);
  }
  double best = seconds;
  for (int again = 0; again < 2; ++again) best = std::min(best, burst(calls));
  return best / static_cast<double>(calls);
}

void time(const Case& c, Backend& device, const Peak& peak, double seconds, Finding& finding) {
  Workbench bench(device, device.name() == "cuda" ? kTimedOnCard : kTimedOnHost);
  const Prepared prepared = c.prepare(bench);
  const OpCost before = bench.queue->cost();
  prepared.run();
  const OpCost cost = bench.queue->cost() - before;
  finding.seconds = seconds_of_call(*bench.queue, prepared.run, seconds);
  finding.flops = cost.flops;
  finding.bytes = cost.bytes;
  const double arithmetic = cost.flops / peak.flops, memory = cost.bytes / peak.bytes;
  finding.compute_bound = arithmetic > memory;
  finding.share = std::max(arithmetic, memory) / finding.seconds;
  if (device.name() == "cuda") finding.design_share = c.design.of(device.compute_dtype(), device.capability());
}

std::vector<Case> all_cases() {
  std::vector<Case> cases = row_cases();
  for (const auto& more : {layer_cases(), attention_cases(), weight_cases()})
    cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const Case& c : all_cases()) names.push_back(c.name);
  return names;
}

void run(Backend& device, const Peak& peak, const Options& options, const std::function<void(const Finding&)>& found) {
  const std::unique_ptr<Backend> reference = make_backend({.device = "reference", .dtype = device.compute_dtype()});
  const bool timed = options.timed && peak.flops > 0 && peak.bytes > 0;
  for (const Case& c : all_cases()) {
    if (c.name.find(options.only) == std::string::npos) continue;
    Finding finding;
    finding.name = c.name;
    finding.dtype = device.compute_dtype();
    try {
      compare(c, *reference, device, finding);
    } catch (const Error& error) {
      finding.trouble = error.what();
      found(finding);
      return;
    }
    if (timed && c.timed) {
      try {
        time(c, device, peak, options.seconds_of_case, finding);
      } catch (const Error& error) {  // a small card need not hold the large case
        finding.untimed = error.what();
      }
    }
    found(finding);
  }
}

}  // namespace kvmend::selftest
