#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/version.h"
#include "core/error.h"
#include "core/suggest.h"
#include "selftest/selftest.h"

namespace kvmend {
namespace {

using selftest::Finding;

std::string seconds_text(double s) {
  if (s >= 1) return fmt::format("{:.2f} s", s);
  if (s >= 1e-3) return fmt::format("{:.2f} ms", s * 1e3);
  return fmt::format("{:.1f} us", s * 1e6);
}

/// By the nearer limit: "4.21 TFLOP/s", "812 GB/s".
std::string rate_text(const Finding& f) {
  const double rate = (f.compute_bound ? f.flops : f.bytes) / f.seconds;
  const char* unit = f.compute_bound ? "FLOP/s" : "B/s";
  return rate >= 1e12 ? fmt::format("{:.3g} T{}", rate / 1e12, unit) : fmt::format("{:.3g} G{}", rate / 1e9, unit);
}

std::string verdict(const Finding& f) {
  if (!f.trouble.empty()) return "FAILED";
  if (!f.agrees) return "WRONG";
  if (f.seconds > 0 && f.share < f.design_share)
    return fmt::format("ok, slow (designed for {:.0f} %)", 100 * f.design_share);
  return "ok";
}

void print_text(const Finding& f) {
  if (!f.trouble.empty()) {
    fmt::print("{:<36} {:<4} {}: {}\n", f.name, dtype_name(f.dtype), verdict(f), f.trouble);
    return;
  }
  std::string speed;
  if (f.seconds > 0)
    speed = fmt::format("{:>10} {:>13} {:>5.0f} % ", seconds_text(f.seconds), rate_text(f), 100 * f.share);
  fmt::print("{:<36} {:<4} {:>8.1e} <= {:<7.1e} {:<33}{}\n", f.name, dtype_name(f.dtype), f.error, f.tolerance, speed,
             verdict(f));
  if (!f.agrees) fmt::print("  differs from the reference by more than allowed: {}\n", f.reason);
  if (!f.untimed.empty()) fmt::print("  not timed: {}\n", f.untimed);
}

void print_json(const Finding& f, const Backend& device) {
  const auto or_null = [](bool there, auto value) {
    return there ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
  };
  const bool timed = f.seconds > 0, ran = f.trouble.empty();
  const nlohmann::ordered_json out{
      {"case", f.name},
      {"device", device.name()},
      {"hardware", device.description()},
      {"build", version_text()},
      {"dtype", std::string(dtype_name(f.dtype))},
      {"ok", f.agrees},
      {"error", or_null(ran && std::isfinite(f.error), f.error)},
      {"tolerance", or_null(ran, f.tolerance)},
      {"seconds", or_null(timed, f.seconds)},
      {"flops", or_null(timed, f.flops)},
      {"bytes", or_null(timed, f.bytes)},
      {"bound", or_null(timed, f.compute_bound ? "compute" : "memory")},
      {"share", or_null(timed, f.share)},
      {"design_share", or_null(f.design_share > 0, f.design_share)},
      {"trouble", or_null(!ran || !f.untimed.empty(), ran ? f.untimed : f.trouble)},
  };
  fmt::print("{}\n", out.dump());
}

/// Whether this machine's device computes right, and how near it comes to what it could.
class Selftest final : public Command {
 public:
  explicit Selftest(CLI::App& app) {
    app.add_option("--device", device_, fmt::format("cpu, reference, cuda or cuda:N; {}", auto_device_help))
        ->capture_default_str();
    app.add_option("--dtype", dtype_, "f32, bf16 or both")
        ->check(CLI::IsMember({"f32", "bf16", "both"}))
        ->capture_default_str();
    app.add_option("--threads", threads_, "0: all processors of this process")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    app.add_option("--only", options_.only, "operations with this in their names");
    app.add_flag("--no-timing", untimed_, "compare only");
    app.add_flag("--json", json_, "one JSON object an operation");
  }

  int run() override {
    check_name();
    options_.timed = !untimed_;
    for (const DType dtype : {DType::f32, DType::bf16}) {
      if (dtype_ == "both" || dtype_ == dtype_name(dtype)) test(dtype);
    }
    if (!json_) summarise();
    return failed_ == 0 ? 0 : static_cast<int>(ErrorKind::internal);
  }

 private:
  void check_name() const {
    const auto names = selftest::case_names();
    for (const std::string& name : names)
      if (name.find(options_.only) != std::string::npos) return;
    fail(ErrorKind::usage, "--only '{}': no operation has that in its name{}; there are: {}", options_.only,
         did_you_mean(options_.only, names), fmt::join(names, "; "));
  }

  void test(DType dtype) {
    const auto backend = make_backend({.device = device_, .dtype = dtype, .threads = threads_});
    const Peak peak = untimed_ ? Peak{} : backend->measure_peak();
    if (!json_) print_head(*backend, peak);
    selftest::run(*backend, peak, options_, [&](const Finding& f) {
      ++compared_;
      if (!f.agrees) ++failed_;
      json_ ? print_json(f, *backend) : print_text(f);
      std::fflush(stdout);
    });
  }

  void print_head(const Backend& backend, const Peak& peak) const {
    fmt::print("{}: {}\n", backend.name(), backend.description());
    if (peak.flops > 0)
      fmt::print("peak in {}: {:.4g} TFLOP/s, {:.4g} GB/s\n", dtype_name(backend.compute_dtype()), peak.flops / 1e12,
                 peak.bytes / 1e9);
    else if (!untimed_)
      fmt::print("not timed: this device's peak is not known (the reference, or an emulated card)\n");
  }

  void summarise() const {
    if (failed_ == 0)
      fmt::print("compared with the reference: {}, all agree\n", compared_);
    else
      fmt::print("compared with the reference: {}, of which {} FAILED: do not use results of this device\n", compared_,
                 failed_);
  }

  std::string device_ = "auto", dtype_ = "both";
  int threads_ = 0, compared_ = 0, failed_ = 0;
  bool untimed_ = false, json_ = false;
  selftest::Options options_;
};

}  // namespace

std::unique_ptr<Command> make_selftest(CLI::App& app) { return std::make_unique<Selftest>(app); }

}  // namespace kvmend
