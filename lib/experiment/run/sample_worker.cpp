#include "experiment/run/sample_worker.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace kvmend {
namespace {

[[noreturn]] void rethrow(const nlohmann::json& fatal) {
  throw Error(static_cast<ErrorKind>(fatal.at("kind").get<int>()), fatal.at("message"));
}

CellAnswer failed(std::size_t cell, std::string why) {
  CellAnswer answer{cell, {}};
  answer.outcome.error = std::move(why);
  return answer;
}

}  // namespace

const Wire& SampleWorker::started() {
  if (process_) return process_->wire();
  process_ = std::make_unique<WorkerProcess>(command_);
  const auto hello = process_->wire().receive();
  if (hello && hello->at("op") == "ready") return process_->wire();
  if (hello && hello->at("op") == "fatal") rethrow(*hello);
  if (hello && hello->at("op") == "lost") throw Error(ErrorKind::device, hello->at("message"));
  fail(ErrorKind::device, "a worker died while it loaded the model: {}", process_->cause_of_death());
}

/// Sends cells of one prompt to the worker and waits. What kept it from answering, or nothing.
std::optional<SampleWorker::Loss> SampleWorker::attempt(const SampleCells& sample, const std::string& prompt_hash,
                                                        std::vector<CellAnswer>& answers) {
  const Wire& wire = started();
  wire.send({{"op", "sample"},
             {"task", sample.task},
             {"chunker", sample.chunker},
             {"position", sample.position},
             {"cells", sample.cells}});
  Loss loss{sample.cells.front(), false, {}};
  while (const auto message = wire.receive()) {
    const std::string op = message->at("op");
    if (op == "fatal") rethrow(*message);
    if (op == "cell") {
      loss.cell = message->at("cell");
      if (sample.on_cell) sample.on_cell(loss.cell);
    } else if (op == "lost") {
      loss.device = true;
      loss.why = message->at("message");
      break;
    } else {
      require(message->at("hash") == prompt_hash, "supervisor and worker made different prompts of sample {}",
              sample.position);
      const auto& outcomes = message->at("outcomes");
      for (std::size_t i = 0; i < sample.cells.size(); ++i)
        answers.push_back({sample.cells[i], outcome_from_wire(outcomes.at(i))});
      return std::nullopt;
    }
  }
  if (!loss.device) loss.why = process_->cause_of_death();
  process_.reset();
  return loss;
}

SampleAnswers SampleWorker::compute(const SampleCells& sample, const std::string& prompt_hash) {
  SampleAnswers answers;
  try {
    compute(sample, prompt_hash, answers.cells);
  } catch (...) {  // a worker that cannot be replaced takes nothing with it of what others answered
    answers.failure = std::current_exception();
  }
  return answers;
}

void SampleWorker::compute(const SampleCells& sample, const std::string& prompt_hash,
                           std::vector<CellAnswer>& answers) {
  const auto first = attempt(sample, prompt_hash, answers);
  if (!first) return;
  if (!first->device) answers.push_back(failed(first->cell, "the worker died in this cell: " + first->why));
  // Once more without that cell. What may well die of the same cause comes last: its strategy at other ratios.
  SampleCells others = sample, same = sample;
  const std::string strategy = strategy_of_(first->cell);
  std::erase_if(others.cells, [&](std::size_t cell) { return strategy_of_(cell) == strategy; });
  std::erase_if(same.cells, [&](std::size_t cell) { return cell == first->cell || strategy_of_(cell) != strategy; });
  for (const SampleCells* rest : {&others, &same}) {
    if (rest->cells.empty()) continue;
    const auto second = attempt(*rest, prompt_hash, answers);
    if (!second) continue;
    for (const std::size_t cell : rest->cells) {
      const bool at_work = cell == second->cell;
      const char* cause = second->device ? "its device was lost in this cell: " : "the worker died in this cell: ";
      answers.push_back(failed(
          cell, at_work ? cause + second->why : "not run: the worker died twice on this sample; last: " + second->why));
    }
  }
  if (!first->device) return;
  SampleCells alone = sample;
  alone.cells = {first->cell};
  if (const auto again = attempt(alone, prompt_hash, answers)) {
    answers.push_back(failed(first->cell, again->device ? "the device was lost in this cell, twice: " + again->why
                                                        : "the worker died in this cell: " + again->why));
  }
}

}  // namespace kvmend
