#include <fmt/format.h>

#include <algorithm>

#include "apps/kvmend/command_line.h"
#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_catalogue.h"
#include "datasets/task.h"
#include "recompute/strategy.h"

namespace kvmend {
namespace {

using Words = std::vector<std::string>;

/// An option and the words its value may be; empty: anything, files included.
struct OptionWords {
  std::string name, summary;
  Words values;
};

struct CommandWords {
  std::string name, summary;
  std::vector<OptionWords> options;
  Words positional;  ///< the first argument's words
};

/// "TEXT:{f32,bf16}" → f32, bf16: how CLI11 describes an option with a fixed set of values.
Words listed_values(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{'), close = type.find('}', open);
  Words out;
  if (open == std::string::npos || close == std::string::npos) return out;
  for (std::size_t at = open + 1; at <= close;) {
    const std::size_t end = std::min(type.find(',', at), close);
    out.push_back(type.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

Words strategy_names() {
  Words out;
  for (const auto& info : list_strategies()) out.push_back(info.name);
  return out;
}

Words task_names() {
  Words out;
  for (const auto& info : list_tasks()) out.push_back(info.name);
  return out;
}

Words model_names() {
  Words out;
  for (const auto& model : known_models()) out.push_back(model.name);
  return out;
}

CommandWords words_of(const CLI::App& app) {
  CommandWords out{app.get_name(), app.get_description(), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    Words values = listed_values(*option);
    if (option->get_positional()) {
      if (out.positional.empty()) out.positional = out.name == "sample" ? task_names() : values;
      continue;
    }
    if (option->get_lnames().empty()) continue;
    const std::string name = "--" + option->get_lnames().front();
    if (name == "--strategy") values = strategy_names();
    if (name == "--model") values = model_names();
    if (name == "--device") values = {"auto", "cpu", "reference", "cuda"};
    out.options.push_back({name, option->get_description(), values});
  }
  if (out.name == "fetch") out.positional = model_names();
  return out;
}

std::string bash_script(const std::vector<CommandWords>& commands) {
  Words names;
  for (const auto& command : commands) names.push_back(command.name);
  std::string out = fmt::format(
      "_kvmend() {{\n  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} options= words=\n"
      "  if ((COMP_CWORD == 1)); then mapfile -t COMPREPLY < <(compgen -W '{} --help --version' -- \"$cur\"); return; "
      "fi\n"
      "  case ${{COMP_WORDS[1]}} in\n",
      fmt::join(names, " "));
  for (const auto& command : commands) {
    out += fmt::format("  {})\n    options='", command.name);
    for (const auto& option : command.options) out += option.name + " ";
    out += "'\n    case $prev in\n";
    for (const auto& option : command.options) {
      if (!option.values.empty())
        out += fmt::format("    {}) words='{}' ;;\n", option.name, fmt::join(option.values, " "));
    }
    out += fmt::format("    {}) words='{}' ;;\n    esac ;;\n", command.name, fmt::join(command.positional, " "));
  }
  out +=
      "  esac\n  [[ $cur == -* ]] && words=$options\n"
      "  if [[ -n $words ]]; then mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
      "  else mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); fi\n}\n"
      "complete -o filenames -o bashdefault -F _kvmend kvmend\n";
  return out;
}

/// zsh reads bash's completions through its own shim.
std::string zsh_script(const std::vector<CommandWords>& commands) {
  return "#compdef kvmend\nautoload -Uz compinit bashcompinit && compinit -u && bashcompinit\n" + bash_script(commands);
}

std::string fish_script(const std::vector<CommandWords>& commands) {
  std::string out = "complete -c kvmend -e\n";
  for (const auto& command : commands) {
    const std::string seen = shell_quoted("__fish_seen_subcommand_from " + command.name);
    out += fmt::format("complete -c kvmend -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                       shell_quoted(command.summary));
    for (const auto& option : command.options) {
      const std::string values =
          option.values.empty()
              ? ""
              : fmt::format(" -x -a {}", shell_quoted(fmt::format("{}", fmt::join(option.values, " "))));
      out += fmt::format("complete -c kvmend -n {} -l {} -d {}{}\n", seen, option.name.substr(2),
                         shell_quoted(option.summary), values);
    }
    if (!command.positional.empty()) {
      out += fmt::format("complete -c kvmend -n {} -a {}\n", seen,
                         shell_quoted(fmt::format("{}", fmt::join(command.positional, " "))));
    }
  }
  return out;
}

/// Shell completion, written from the commands' own declarations.
class Completion final : public Command {
 public:
  explicit Completion(CLI::App& app) : app_(app) {
    app.add_option("shell", shell_, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  int run() override {
    std::vector<CommandWords> all;
    for (const auto& entry : commands()) {
      if (!entry.hidden) all.push_back(words_of(*app_.get_parent()->get_subcommand(entry.name)));
    }
    fmt::print("{}", shell_ == "bash" ? bash_script(all) : shell_ == "zsh" ? zsh_script(all) : fish_script(all));
    return 0;
  }

 private:
  CLI::App& app_;
  std::string shell_;
};

}  // namespace

std::unique_ptr<Command> make_completion(CLI::App& app) { return std::make_unique<Completion>(app); }

}  // namespace kvmend
