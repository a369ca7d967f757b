#include "experiment/run/worker.h"

#include <cstdlib>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "backend/device_error.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/thread_pool.h"
#include "experiment/config/grid.h"
#include "experiment/run/answer.h"
#include "experiment/run/session.h"
#include "recompute/runner.h"

namespace kvmend {
namespace {

using Json = nlohmann::json;

/// Half of what the machine has free; 4 GiB where it does not say.
std::int64_t spare_memory() {
  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  std::int64_t kib = 0;
  while (meminfo >> name >> kib) {
    if (name == "MemAvailable:") return kib * 1024 / 2;
    meminfo.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 4LL << 30;
}

/// The machine's memory is shared by the run's workers.
ChunkStoreOptions store_options(const Config& config) {
  const auto workers = static_cast<std::int64_t>(device_list(config.device).size());
  ChunkStoreOptions options;
  options.memory_bytes =
      (config.cache.memory > 0 ? static_cast<std::int64_t>(config.cache.memory) : spare_memory()) / workers;
  options.load_from = config.load_from;
  if (config.cache.disk || config.load_from == LoadFrom::disk) {
    options.folder = config.cache.dir.empty() ? user_cache_dir() / "chunks" : config.cache.dir;
    options.disk_bytes = static_cast<std::int64_t>(config.cache.limit);
  }
  return options;
}

BackendOptions backend_options(const Session& session, const std::string& device) {
  const Config& config = session.config();
  BackendOptions options{.device = device.empty() ? config.device : device,
                         .dtype = dtype_of(config.dtype),
                         .threads = threads_of_worker(config.device, config.threads, available_processors()),
                         .weights = config.weights};
  if (backend_name(options.device) != "cuda") return options;
  options.work_bytes = session.bytes_of_request(session.longest_first_prompt());
  return options;
}

class Worker {
 public:
  Worker(const Config& config, const std::string& device, const Wire& wire)
      : config_(config),
        wire_(wire),
        session_(config),
        grid_(make_grid(config)),
        engine_(session_.files(), backend_options(session_, device), store_options(config)),
        group_bytes_(overlay_budget(engine_.backend().memory())) {}

  void serve() {
    wire_.send({{"op", "ready"}, {"device", engine_.backend().description()}});
    while (const auto message = wire_.receive()) {
      if (message->at("op") == "sample" && !wire_.send(answer_or_end(*message))) return;
    }
  }

 private:
  /// A device that answers no more may hang whoever gives its memory back: this process ends as it is.
  Json answer_or_end(const Json& message) {
    try {
      return answer(message);
    } catch (const DeviceLost& error) {
      wire_.send({{"op", "lost"}, {"message", error.what()}});
      std::_Exit(static_cast<int>(ErrorKind::device));
    }
  }

  Json answer(const Json& message) {
    const auto cells = message.at("cells").get<std::vector<std::size_t>>();
    const Prompt prompt = session_.prompt(message.at("task"), message.at("chunker"), message.at("position"));
    std::vector<CellSpec> specs;
    for (const std::size_t i : cells) {
      const Cell& cell = grid_.at(i);
      specs.push_back(
          {config_.strategies.at(static_cast<std::size_t>(cell.strategy)).strategy, cell.ratio.value_or(0)});
    }
    RunnerOptions options;
    options.bos = session_.tokenizer().bos();
    options.sample_id = prompt.sample.id;
    options.group_bytes = group_bytes_;
    options.decode.max_new_tokens = prompt.sample.max_new_tokens;
    options.decode.stops = session_.tokenizer().stops();
    if (!prompt.sample.stop.empty()) {
      options.decode.finished = [&](std::span<const std::int32_t> ids) {
        return find_stop(session_.tokenizer().decode(ids), prompt.sample.stop) != std::string::npos;
      };
    }
    options.on_cell = [&](std::size_t i) { wire_.send({{"op", "cell"}, {"cell", cells[i]}}); };
    Json outcomes = Json::array();
    for (const Outcome& outcome : compute(prompt.request, specs, options)) outcomes.push_back(to_wire(outcome));
    return {{"op", "done"}, {"hash", prompt.hash}, {"outcomes", std::move(outcomes)}};
  }

  /// A prompt that cannot run at all (it does not fit the model with its answer) fails in each of its cells; other
  /// samples may well fit.
  std::vector<Outcome> compute(const Request& request, const std::vector<CellSpec>& specs,
                               const RunnerOptions& options) {
    try {
      return run_request(engine_, request, specs, options);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::usage) throw;
      Outcome failed;
      failed.error = error.what();
      failed.error_kind = error.kind();
      return std::vector<Outcome>(specs.size(), failed);
    }
  }

  const Config& config_;
  const Wire& wire_;
  Session session_;
  std::vector<Cell> grid_;
  Engine engine_;
  std::int64_t group_bytes_;  ///< by what was free behind the weights: chunk caches have their share of it later
};

}  // namespace

std::string config_digest(const Config& config) { return sha256(config.canonical().canonical()); }

void run_worker(const WorkerJob& job, const Wire& wire) {
  try {
    const Config config = load_config(job.configs, job.settings);
    if (config_digest(config) != job.digest) {
      fail(ErrorKind::usage, "a config file or a plugin changed while the run was starting; start it again");
    }
    Worker(config, job.device, wire).serve();
  } catch (const DeviceLost& error) {
    wire.send({{"op", "lost"}, {"message", error.what()}});
  } catch (const Error& error) {
    wire.send({{"op", "fatal"}, {"kind", error.exit_code()}, {"message", error.what()}});
  } catch (const std::bad_alloc&) {
    wire.send({{"op", "fatal"}, {"kind", static_cast<int>(ErrorKind::device)}, {"message", "out of memory"}});
  } catch (const std::exception& error) {
    wire.send({{"op", "fatal"}, {"kind", static_cast<int>(ErrorKind::internal)}, {"message", error.what()}});
  }
}

}  // namespace kvmend
