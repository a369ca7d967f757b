#include "datasets/longbench/subsets.h"

#include <array>

#include "core/error.h"

namespace kvmend {
namespace {

using namespace longbench;

constexpr std::array subsets = {
    LongBenchSubset{"narrativeqa", "questions on novels and film scripts", "f1", 128, "single_doc_qa"},
    LongBenchSubset{"qasper", "questions on a scientific paper", "f1", 128, "single_doc_qa", even},
    LongBenchSubset{"multifieldqa_en", "questions on articles of many fields", "f1", 64, "single_doc_qa", even},
    LongBenchSubset{"multifieldqa_zh", "the same in Chinese", "f1_zh", 64, "single_doc_qa", chinese},
    LongBenchSubset{"hotpotqa", "two-hop questions over Wikipedia", "f1", 32, "multi_doc_qa", even},
    LongBenchSubset{"2wikimqa", "up to five hops over Wikipedia", "f1", 32, "multi_doc_qa", even},
    LongBenchSubset{"musique", "two to four hops over Wikipedia", "f1", 32, "multi_doc_qa"},
    LongBenchSubset{"dureader", "Chinese web questions", "rouge_l_zh", 128, "multi_doc_qa", chinese},
    LongBenchSubset{"gov_report", "summary of a government report", "rouge_l", 512, "summarization", even},
    LongBenchSubset{"qmsum", "a question on a meeting's transcript", "rouge_l", 512, "summarization"},
    LongBenchSubset{"multi_news", "summary of several news articles", "rouge_l", 512, "summarization", even},
    LongBenchSubset{"vcsum", "summary of a Chinese meeting", "rouge_l_zh", 512, "summarization", chinese},
    LongBenchSubset{"trec", "kind of a question, by examples", "classification", 64, "few_shot",
                    raw | first_line | even},
    LongBenchSubset{"triviaqa", "trivia, by examples", "f1", 32, "few_shot", raw | first_line | even},
    LongBenchSubset{"samsum", "summary of a chat, by examples", "rouge_l", 128, "few_shot", raw | first_line | even},
    LongBenchSubset{"lsht", "kind of a Chinese headline, by examples", "classification", 64, "few_shot",
                    chinese | raw | first_line},
    LongBenchSubset{"passage_count", "how many paragraphs are different", "count", 32, "synthetic", even},
    LongBenchSubset{"passage_retrieval_en", "which paragraph an abstract is from", "retrieval", 32, "synthetic", even},
    LongBenchSubset{"passage_retrieval_zh", "the same in Chinese", "retrieval_zh", 32, "synthetic", chinese},
    LongBenchSubset{"lcc", "the next line of code", "code_similarity", 64, "code", raw | even},
    LongBenchSubset{"repobench-p", "the next line, given other files", "code_similarity", 64, "code", raw | even},
};

}  // namespace

std::span<const LongBenchSubset> longbench_subsets() { return subsets; }

const LongBenchSubset& longbench_subset(const std::string& name) {
  for (const auto& subset : subsets) {
    if (name == subset.name) return subset;
  }
  throw Error(ErrorKind::internal, "LongBench has no subset '" + name + "'");
}

}  // namespace kvmend
