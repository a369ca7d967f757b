#pragma once
#include "apps/kvmend/command.h"

namespace kvmend {

// Each in its cmd_NAME.cpp; commands.cpp lists them.
std::unique_ptr<Command> make_bench(CLI::App& app);
std::unique_ptr<Command> make_completion(CLI::App& app);
std::unique_ptr<Command> make_compare(CLI::App& app);
std::unique_ptr<Command> make_fetch(CLI::App& app);
std::unique_ptr<Command> make_generate(CLI::App& app);
std::unique_ptr<Command> make_list(CLI::App& app);
std::unique_ptr<Command> make_logits(CLI::App& app);
std::unique_ptr<Command> make_run(CLI::App& app);
std::unique_ptr<Command> make_score(CLI::App& app);
std::unique_ptr<Command> make_tokenize(CLI::App& app);
std::unique_ptr<Command> make_show(CLI::App& app);
std::unique_ptr<Command> make_export(CLI::App& app);
std::unique_ptr<Command> make_merge(CLI::App& app);
std::unique_ptr<Command> make_plot(CLI::App& app);
std::unique_ptr<Command> make_report_command(CLI::App& app);
std::unique_ptr<Command> make_recycle(CLI::App& app);
std::unique_ptr<Command> make_rescore(CLI::App& app);
std::unique_ptr<Command> make_sample(CLI::App& app);
std::unique_ptr<Command> make_select(CLI::App& app);
std::unique_ptr<Command> make_selftest(CLI::App& app);
std::unique_ptr<Command> make_table_command(CLI::App& app);
std::unique_ptr<Command> make_worker(CLI::App& app);

}  // namespace kvmend
