#include "apps/kvmend/commands.h"

namespace kvmend {

const std::vector<CommandEntry>& commands() {
  static const std::vector<CommandEntry> all{
      {"run", "a sweep: strategies × ratios × tasks into a store", "kvmend run configs/quickstart.yaml", make_run},
      {"table", "a store as a table, with intervals", "kvmend table quickstart.kvmend --rows strategy --cols ratio",
       make_table_command},
      {"report", "one self-contained HTML page: tables, figures, samples",
       "kvmend report quickstart.kvmend -o quickstart.html", make_report_command},
      {"plot", "a figure of a store by gnuplot: svg, png, pdf",
       "kvmend plot quickstart.kvmend --kind quality-cost -o quality-cost.svg", make_plot},
      {"show", "one sample: chunks, what each strategy selected, predictions, scores",
       "kvmend show quickstart.kvmend niah_multikey_1-42-0", make_show},
      {"compare", "a paired test of two strategies, per task and over all",
       "kvmend compare quickstart.kvmend prophetkv epic --ratio 0.2", make_compare},
      {"export", "one row a sample and cell", "kvmend export quickstart.kvmend --format csv", make_export},
      {"merge", "shards into one store", "kvmend merge all.kvmend shard-*.kvmend", make_merge},
      {"rescore", "metrics again from stored predictions", "kvmend rescore quickstart.kvmend", make_rescore},
      {"recycle", "a stream of prompts, each answered with the cache of an earlier one",
       "kvmend recycle configs/recycle.yaml", make_recycle},
      {"select", "one request, any strategies and ratios, no store",
       "kvmend select --model smollm2-135m --request request.json --strategy prophetkv --ratio 0.1,0.2", make_select},
      {"sample", "a task's samples as JSON lines",
       "kvmend sample ruler/niah_single_1 --model smollm2-135m --set length=1024", make_sample},
      {"score", "a metric over JSON lines, outside a run", "kvmend score f1 predictions.jsonl", make_score},
      {"tokenize", "tokens of a text with their byte spans", "kvmend tokenize --model smollm2-135m 'Hello world'",
       make_tokenize},
      {"generate", "greedy answer to one prompt", "kvmend generate --model smollm2-135m 'Name three rivers.'",
       make_generate},
      {"logits", "next-token logits of a text", "kvmend logits --model smollm2-135m 'The capital of France is'",
       make_logits},
      {"bench", "speed of prefill, selection or decoding, in isolation", "kvmend bench prefill --model smollm2-135m",
       make_bench},
      {"selftest", "every operation of a device beside the reference, and its share of the device's peak",
       "kvmend selftest --device cpu", make_selftest},
      {"fetch", "a model or a dataset, checked by hash", "kvmend fetch smollm2-135m", make_fetch},
      {"list", "strategies, tasks, metrics, chunkers, models, a table's values, a config's keys",
       "kvmend list strategies", make_list},
      {"completion", "a script that completes kvmend's words in bash, zsh or fish", "source <(kvmend completion bash)",
       make_completion},
      {"worker", "computes for `run`", "kvmend run configs/quickstart.yaml", make_worker, true},
  };
  return all;
}

}  // namespace kvmend
