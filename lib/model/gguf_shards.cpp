#include <optional>
#include <string_view>

#include "core/error.h"
#include "model/gguf.h"

namespace kvmend {

namespace fs = std::filesystem;

namespace {

constexpr int most_shards = 99999;  // five digits in the name

struct ShardName {
  std::string stem;  ///< before "-00001-of-00003.gguf"
  int number = 0, count = 0;
};

/// Five digits at `at`, or −1.
int five_digits(std::string_view text, std::size_t at) {
  int number = 0;
  for (const char c : text.substr(at, 5)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::optional<ShardName> parse_shard_name(const fs::path& path) {
  constexpr std::string_view pattern = "-00000-of-00000.gguf";
  const std::string name = path.filename().string();
  if (name.size() < pattern.size()) return std::nullopt;
  const std::string_view end = std::string_view(name).substr(name.size() - pattern.size());
  const int number = five_digits(end, 1), count = five_digits(end, 10);
  if (number < 0 || count < 0 || end[0] != '-' || end.substr(6, 4) != "-of-" || end.substr(15) != ".gguf") {
    return std::nullopt;
  }
  return ShardName{name.substr(0, name.size() - pattern.size()), number, count};
}

fs::path shard_path(const fs::path& first, const ShardName& name, int number) {
  return first.parent_path() / fmt::format("{}-{:05}-of-{:05}.gguf", name.stem, number, name.count);
}

/// What a shard says about itself against its place in the series.
void check_shard(const GgufMetadata& metadata, int number, int count) {
  const auto own_number = metadata.integer("split.no"), own_count = metadata.integer("split.count");
  if (own_number != number - 1 || own_count != count) {
    fail(ErrorKind::data, "{}: expected shard {} of {}, but its split.no is {} (from 0) and its split.count {}",
         metadata.file(), number, count, own_number.value_or(-1), own_count.value_or(-1));
  }
}

}  // namespace

GgufModel read_gguf_model(const fs::path& path) {
  GgufFile first = read_gguf(path);
  const auto count = first.metadata.integer("split.count").value_or(1);
  const auto tensor_count = first.metadata.integer("split.tensors.count");
  GgufModel model{std::move(first.metadata), {}};
  if (count <= 1) {
    model.tensors.add(std::move(first.map), std::move(first.tensors));
    return model;
  }
  const auto name = parse_shard_name(path);
  if (count > most_shards || !name || name->count != count) {
    fail(ErrorKind::data,
         "{}: the file is a shard of {}; shards are found by their names, which must end in "
         "\"-00001-of-{:05}.gguf\"",
         path.string(), count, count);
  }
  if (name->number != 1) {
    fail(ErrorKind::data, "{}: this is shard {} of {}; open the first: {}", path.string(), name->number, count,
         shard_path(path, *name, 1).string());
  }
  check_shard(model.metadata, 1, name->count);
  model.tensors.add(std::move(first.map), std::move(first.tensors));
  for (int number = 2; number <= name->count; ++number) {
    GgufFile shard = read_gguf(shard_path(path, *name, number));
    check_shard(shard.metadata, number, name->count);
    model.tensors.add(std::move(shard.map), std::move(shard.tensors));
  }
  const auto found = static_cast<std::int64_t>(model.tensors.all().size());
  if (tensor_count && *tensor_count != found) {
    fail(ErrorKind::data, "{}: split.tensors.count is {}, the {} shards hold {} tensors", path.string(), *tensor_count,
         count, found);
  }
  return model;
}

}  // namespace kvmend
