// Thousands of damaged files: each either opens and can be read to the end, or is an Error(data). Never a crash, never
// another exception. Deterministic; meant to run under the address and undefined-behaviour sanitizers as well.
#include <random>

#include "catch.h"
#include "core/error.h"
#include "model/file_builders.h"
#include "model/model_files.h"
#include "model/rope.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  /// One to three changes, most of them among the first `head` bytes.
  std::string operator()(std::string bytes, std::size_t head) {
    for (std::uint64_t n = 1 + below(3); n > 0 && !bytes.empty(); --n) change(bytes, head);
    return bytes;
  }

 private:
  void change(std::string& bytes, std::size_t head) {
    static constexpr std::uint64_t extremes[] = {
        0, 1, 0x7f, 0xff, 0xffff, 1U << 31U, 0xffffffff, 1ULL << 32U, 1ULL << 48U, 1ULL << 63U, ~0ULL, ~0ULL >> 1U};
    const std::size_t limit = below(10) ? std::min(head, bytes.size()) : bytes.size();
    const std::size_t at = below(limit);
    const std::size_t length = std::min<std::size_t>(1 + below(40), bytes.size() - at);
    switch (below(7)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
      case 1: bytes[at] = static_cast<char>(below(256)); break;
      case 2: {
        const std::string value = raw(extremes[below(std::size(extremes))]);
        bytes.replace(at, std::min<std::size_t>(8, bytes.size() - at), value, 0, std::size_t{1} << below(4));
        break;
      }
      case 3: bytes.resize(at); break;
      case 4: bytes.erase(at, length); break;
      case 5: bytes.insert(below(limit), bytes.substr(at, length)); break;
      default: bytes.replace(below(limit), 0, length, static_cast<char>(below(256))); break;
    }
  }

  std::mt19937_64 random_;
};

/// Reads all there is: tensors by the names the configuration gives, and everything else a model hands out.
void read_everything(const ModelFiles& files) {
  const ModelConfig& c = files.config();
  const std::int64_t q = static_cast<std::int64_t>(c.n_heads) * c.head_dim,
                     kv = static_cast<std::int64_t>(c.n_kv_heads) * c.head_dim;
  const auto matrix = [&](const std::string& name, std::int64_t rows, std::int64_t cols) {
    const auto source = files.matrix(name, rows, cols);
    std::vector<float> row(static_cast<std::size_t>(cols));
    for (std::int64_t i = 0; i < rows; ++i) source.read_rows(i, 1, row.data());
  };
  matrix("token_embd.weight", c.vocab, c.d_model);
  files.vector("output_norm.weight", c.d_model);
  for (int layer = 0; layer < c.n_layers; ++layer) {
    const std::string blk = "blk." + std::to_string(layer) + ".";
    matrix(blk + "attn_q.weight", q, c.d_model);
    matrix(blk + "attn_k.weight", kv, c.d_model);
    matrix(blk + "ffn_down.weight", c.d_model, c.d_ff);
    if (c.qkv_bias) files.vector(blk + "attn_q.bias", q);
  }
  (void)rope_table(c.rope, 3);
  (void)files.chat_template();
  (void)files.stop_ids();
  (void)files.tokenizer();
}

struct Outcome {
  int opened = 0, refused = 0;
};

/// Opens `path` after each of `count` mutations of the file `name`, whose damage is most likely in the head.
Outcome open_mutations(const TempFolder& folder, const std::string& name, const std::filesystem::path& path,
                       std::size_t head, int count) {
  const std::string original = read_file(folder / name);
  Mutator mutate(head + original.size());
  Outcome outcome;
  for (int i = 0; i < count; ++i) {
    std::filesystem::remove(folder / name);  // a new file: some file systems write a rewritten one to disk at once
    folder.write(name, mutate(original, head));
    INFO(name << ", mutation " << i);
    try {
      read_everything(*open_model(path));
      ++outcome.opened;
    } catch (const Error& error) {
      ++outcome.refused;
      if (error.kind() != ErrorKind::data) FAIL_CHECK(error.what());
    } catch (const std::exception& error) {
      FAIL_CHECK("not an Error: " << error.what());
    }
  }
  folder.write(name, original);
  CHECK(outcome.refused > count / 10);
  CHECK(outcome.opened > 0);
  return outcome;
}

}  // namespace

TEST_CASE("damaged GGUF files open or are refused", "[mutation]") {
  const TempFolder folder;
  MicroGguf micro;
  micro.text("llama.rope.scaling.type", "yarn")
      .f32("llama.rope.scaling.factor", 4)
      .tensor("rope_freqs.weight", {1}, {3});
  const std::string bytes = micro.bytes();
  const auto small = folder.write("micro.gguf", bytes);
  open_mutations(folder, "micro.gguf", small, bytes.size(), 6000);
  const auto whole = folder.write("mixed.gguf", read_file(tiny_models / "tiny-llama-mixed.gguf"));
  open_mutations(folder, "mixed.gguf", whole, 12000, 1000);
}

TEST_CASE("damaged shards open or are refused", "[mutation]") {
  const TempFolder folder;
  for (const char* name : {"tiny-mistral-00001-of-00002.gguf", "tiny-mistral-00002-of-00002.gguf"}) {
    folder.write(name, read_file(tiny_models / name));
  }
  const auto first = folder / "tiny-mistral-00001-of-00002.gguf";
  open_mutations(folder, "tiny-mistral-00002-of-00002.gguf", first, 1200, 1000);
}

TEST_CASE("damaged safetensors folders open or are refused", "[mutation]") {
  const FolderCopy copy("tiny-qwen2");
  const auto path = copy.folder.path();
  open_mutations(copy.folder, "model.safetensors", path, 4000, 2000);
  open_mutations(copy.folder, "config.json", path, 1000, 3000);
  const FolderCopy shards("tiny-llama-shards");
  open_mutations(shards.folder, "model.safetensors.index.json", shards.folder.path(), 3000, 1000);
}
