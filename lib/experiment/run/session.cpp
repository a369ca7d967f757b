#include "experiment/run/session.h"

#include <algorithm>

#include "core/error.h"
#include "model/locate.h"
#include "recompute/auxiliary.h"
#include "recompute/engine.h"
#include "recompute/runner.h"
#include "recompute/selector.h"

namespace kvmend {

std::string backend_name(const std::string& device) {
  if (device == "auto") return "cpu";
  return device.substr(0, device.find(':'));
}

namespace {

/// A task whose metric the config may choose; it is kept apart from the parameters that results depend on.
bool takes_metric(const std::string& task) {
  for (const TaskInfo& info : list_tasks()) {
    if (info.name != task) continue;
    return std::any_of(info.params.begin(), info.params.end(), [](const ParamInfo& p) { return p.name == "metric"; });
  }
  return false;
}

}  // namespace

Value full_parameters(const TaskVariant& task) {
  Value params = task.params;
  if (task.samples >= 0) params.set("samples", task.samples);
  if (takes_metric(task.name)) params.set("metric", task.metric);
  return params;
}

Session::Session(const Config& config) : config_(config) {
  files_ = open_model(locate_model(config.model));
  tokenizer_ = make_tokenizer(*files_);
  chat_ = find_chat_format(config.chat, files_->chat_template());
  if (config.sink == SinkKind::keep_bos && tokenizer_->bos() < 0) {
    fail(ErrorKind::usage, "sink: keep_bos needs a BOS token and the vocabulary of {} has none", config.model);
  }
  for (const Value& spec : config.chunkers) chunkers_.push_back(make_chunker(spec));

  identity_.model = {config.model, files_->sha256(), tokenizer_->fingerprint(), chat_->name()};
  identity_.backend = backend_name(config.device);
  TaskContext context;
  context.folder = config.folder;
  // A task is sized by one tokenisation of the whole prompt, whatever chunkers the config lists: its samples depend on
  // its own key only.
  context.prompt_tokens = [this](const TaskSample& sample) {
    PromptOptions options = prompt_options(0);
    options.tokenize = TokenizeMode::whole;
    return count_prompt_tokens(sample, options);
  };
  context.token_spans = [this](std::string_view text) {
    std::vector<ByteSpan> spans;
    for (const Token& token : tokenizer_->encode(text)) spans.push_back({token.begin, token.end});
    return spans;
  };
  context.window = files_->config().context_length;
  for (const TaskVariant& variant : config.tasks) {
    tasks_.push_back(make_task(variant.name, full_parameters(variant), context));
    identity_.task_data.push_back(tasks_.back()->data_identity());
  }
  check_strategies();
  find_auxiliaries();
}

/// Before anything is stored: a task whose first prompt cannot be made or does not fit will hardly have one that does.
void Session::check_prompts() const {
  std::vector<Request> requests;
  for (int t = 0; t < static_cast<int>(tasks_.size()); ++t) {
    if (samples(t) == 0) continue;
    const TaskVariant& task = config_.tasks[static_cast<std::size_t>(t)];
    for (int chunker = 0; chunker < static_cast<int>(chunkers_.size()); ++chunker) {
      try {
        const Prompt first = prompt(t, chunker, 0);
        const int tokens = first.request.n_tokens(), answer = first.sample.max_new_tokens;
        const int window = files_->config().context_length;
        if (tokens + answer > window)
          fail(ErrorKind::usage,
               "its first prompt has {} tokens and its answer may take {}; the model was made for a context of {}",
               tokens, answer, window);
        requests.push_back(first.request);
      } catch (const Error& error) {
        throw Error(error.kind(), fmt::format("{}{}: {}", task.where.prefix(), task.name, error.what()));
      }
    }
  }
  for (const Request& request : requests) check_auxiliaries(request);
}

void Session::find_auxiliaries() {
  for (const StrategyVariant& variant : config_.strategies) {
    for (const std::string& name : auxiliary_models(*variant.strategy)) {
      const std::string where =
          fmt::format("{}{}: aux_model {}: ", variant.where.prefix(), variant.strategy->info.name, name);
      const auto known =
          std::find_if(auxiliaries_.begin(), auxiliaries_.end(), [&](const auto& a) { return a.name == name; });
      try {
        if (known != auxiliaries_.end()) {
          check_auxiliary(*variant.strategy, name, known->model);
          continue;
        }
        AuxiliaryFiles opened = open_auxiliary(*variant.strategy, name);
        identity_.aux_models[name] = {name, opened.files->sha256(), opened.tokenizer->fingerprint(), ""};
        auxiliaries_.push_back({name, where, std::move(opened.tokenizer), opened.files->config()});
      } catch (const std::exception& error) {  // a plugin's too: it has the standard library's only
        const auto* ours = dynamic_cast<const Error*>(&error);
        throw Error(ours ? ours->kind() : ErrorKind::usage, where + error.what());
      }
    }
  }
}

/// The same prompt has other tokens on an auxiliary model, and that model a context of its own.
void Session::check_auxiliaries(const Request& request) const {
  for (const Auxiliary& auxiliary : auxiliaries_) {
    try {
      const int tokens = retokenize(request, *auxiliary.tokenizer, auxiliary.name).n_tokens();
      const int window = auxiliary.model.context_length;
      if (tokens > window)
        fail(ErrorKind::usage, "the first prompt has {} of its tokens; it was made for a context of {}", tokens,
             window);
    } catch (const Error& error) {
      throw Error(error.kind(), auxiliary.where + error.what());
    }
  }
}

void Session::check_strategies() const {
  for (const StrategyVariant& variant : config_.strategies) {
    try {
      check_strategy(*variant.strategy, files_->config());
    } catch (const std::exception& error) {  // a plugin's too: it has the standard library's only
      fail(ErrorKind::usage, "{}{}", variant.where.prefix(), error.what());
    }
  }
}

int Session::longest_first_prompt() const {
  int longest = 0;
  for (int t = 0; t < static_cast<int>(tasks_.size()); ++t) {
    if (samples(t) == 0) continue;
    const Prompt first = prompt(t, 0, 0);
    longest = std::max(longest, first.request.n_tokens() + first.sample.max_new_tokens);
  }
  return longest;
}

std::int64_t Session::bytes_of_request(int tokens) const {
  const bool unrotated =
      std::any_of(config_.strategies.begin(), config_.strategies.end(),
                  [](const StrategyVariant& variant) { return variant.strategy->selector->corrects_reused(); });
  return request_bytes(files().config(), dtype_of(config_.dtype), tokens, unrotated);
}

std::vector<TaskNote> Session::notes() const {
  std::vector<TaskNote> out;
  for (std::size_t t = 0; t < tasks_.size(); ++t) {
    for (std::string& text : tasks_[t]->notes()) out.push_back({config_.tasks[t].label, std::move(text)});
  }
  return out;
}

void Session::check_samples(int limit) const {
  std::vector<Selector::SampleFacts> all;  // of each chunker: how units are cut may move where the context ends
  const auto made = [&]() -> const std::vector<Selector::SampleFacts>& {
    if (!all.empty()) return all;
    for (int t = 0; t < static_cast<int>(tasks_.size()); ++t) {
      const int n = limit < 0 ? samples(t) : std::min(limit, samples(t));
      for (int i = 0; i < n; ++i) {
        for (int c = 0; c < static_cast<int>(chunkers_.size()); ++c) {
          const Prompt made_prompt = prompt(t, c, i);
          all.push_back({made_prompt.sample.id, made_prompt.request.n_context()});
        }
      }
    }
    return all;
  };
  for (const StrategyVariant& variant : config_.strategies) {
    try {
      variant.strategy->selector->check_samples(made);
    } catch (const std::exception& error) {
      const auto* ours = dynamic_cast<const Error*>(&error);
      throw Error(ours ? ours->kind() : ErrorKind::usage, variant.where.prefix() + error.what());
    }
  }
}

int Session::samples(int task) const {
  const int exist = tasks_.at(static_cast<std::size_t>(task))->size();
  const int wanted = config_.tasks.at(static_cast<std::size_t>(task)).samples;
  return wanted < 0 ? exist : std::min(wanted, exist);
}

PromptOptions Session::prompt_options(int chunker) const {
  PromptOptions options;
  options.tokenizer = tokenizer_.get();
  options.chat = chat_.get();
  options.system = config_.system;
  options.chunker = chunkers_.at(static_cast<std::size_t>(chunker)).get();
  options.tokenize = config_.tokenize;
  options.keep_answer_space = config_.keep_answer_space;
  options.keep_bos = config_.sink == SinkKind::keep_bos;
  return options;
}

Prompt Session::prompt(int task, int chunker, int i) const {
  TaskSample sample = tasks_.at(static_cast<std::size_t>(task))->sample(i);
  if (config_.max_new_tokens) sample.max_new_tokens = *config_.max_new_tokens;
  return build_prompt(std::move(sample), prompt_options(chunker));
}

}  // namespace kvmend
