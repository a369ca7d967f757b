#include "model/safetensors.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "model/byte_reader.h"
#include "model/dequant.h"
#include "model/in_quotes.h"
#include "model/json_object.h"

namespace kvmend {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::uint64_t longest_header = 100'000'000;  // the reference implementation's own limit

struct DataType {
  std::string_view name;
  std::uint64_t bits;
  std::optional<StoredType> type = std::nullopt;
};
constexpr std::array data_types{DataType{"F32", 32, StoredType::f32},
                                DataType{"F16", 16, StoredType::f16},
                                DataType{"BF16", 16, StoredType::bf16},
                                DataType{"BOOL", 8},
                                DataType{"U8", 8},
                                DataType{"I8", 8},
                                DataType{"F8_E5M2", 8},
                                DataType{"F8_E4M3", 8},
                                DataType{"F8_E8M0", 8},
                                DataType{"I16", 16},
                                DataType{"U16", 16},
                                DataType{"I32", 32},
                                DataType{"U32", 32},
                                DataType{"F64", 64},
                                DataType{"I64", 64},
                                DataType{"U64", 64},
                                DataType{"C64", 64}};

/// A list of unsigned integers, or none if it is anything else.
std::optional<std::vector<std::uint64_t>> unsigned_list(const json& value) {
  if (!value.is_array()) return std::nullopt;
  std::vector<std::uint64_t> out;
  for (const auto& item : value) {
    if (!item.is_number_unsigned()) return std::nullopt;
    out.push_back(item.get<std::uint64_t>());
  }
  return out;
}

class HeaderReader {
 public:
  HeaderReader(std::string file, std::span<const std::byte> data) : file_(std::move(file)), data_(data) {}

  StoredTensor read(const std::string& name, const json& entry) const {
    const std::string where = fmt::format("{}: tensor {}", file_, in_quotes(name));
    if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") || !entry.contains("data_offsets") ||
        !entry["dtype"].is_string()) {
      fail(ErrorKind::data, "{}: the header's entry needs dtype, shape and data_offsets", where);
    }
    StoredTensor tensor;
    tensor.name = name;
    tensor.file = file_;
    tensor.type_name = entry["dtype"].get<std::string>();
    const auto shape = unsigned_list(entry["shape"]), offsets = unsigned_list(entry["data_offsets"]);
    if (!shape) fail(ErrorKind::data, "{}: shape is no list of sizes", where);
    const auto count = element_count(*shape);
    if (!count) fail(ErrorKind::data, "{}: the shape is impossible: its elements are more than any file holds", where);
    tensor.shape.assign(shape->begin(), shape->end());
    if (!offsets || offsets->size() != 2 || (*offsets)[0] > (*offsets)[1] || (*offsets)[1] > data_.size()) {
      fail(ErrorKind::data,
           "{}: data_offsets must be [begin, end] within the file's {} bytes of data; the file is "
           "truncated or damaged (was the download complete?)",
           where, data_.size());
    }
    tensor.bytes = data_.subspan((*offsets)[0], (*offsets)[1] - (*offsets)[0]);
    check_size(where, tensor, static_cast<std::uint64_t>(*count));
    return tensor;
  }

 private:
  static void check_size(const std::string& where, StoredTensor& tensor, std::uint64_t count) {
    for (const auto& known : data_types) {
      if (known.name != tensor.type_name) continue;
      if (count * known.bits / 8 != tensor.bytes.size()) {
        fail(ErrorKind::data, "{}: {} of shape {} takes {} bytes, its data_offsets span {}", where, known.name,
             shape_text(tensor.shape), count * known.bits / 8, tensor.bytes.size());
      }
      tensor.type = known.type;
    }
    // An unknown dtype's size cannot be checked; it has no `type` and cannot be read either.
  }

  std::string file_;
  std::span<const std::byte> data_;
};

/// The format wants every byte of data to belong to exactly one tensor.
void require_covered(const std::string& file, const std::vector<StoredTensor>& tensors,
                     std::span<const std::byte> data) {
  require_disjoint(tensors);
  std::size_t covered = 0;
  for (const auto& tensor : tensors) covered += tensor.bytes.size();
  if (covered != data.size()) {
    fail(ErrorKind::data, "{}: {} bytes of data belong to no tensor; the file is damaged", file, data.size() - covered);
  }
}

}  // namespace

std::vector<StoredTensor> read_safetensors(const MappedFile& map) {
  const std::string file = map.path().string();
  ByteReader reader(map.bytes(), file);
  const auto length = reader.read<std::uint64_t>("the header's length");
  if (length > longest_header || length > reader.remaining()) {
    fail(ErrorKind::data,
         "{}: the header claims {} bytes, {} follow (and {} are the most allowed); the file is truncated, "
         "damaged or not a safetensors file",
         file, length, reader.remaining(), longest_header);
  }
  const auto header_bytes = reader.take(length, "the header");
  const auto data = reader.take(reader.remaining(), "the data");
  const auto header =
      JsonObject::parse({reinterpret_cast<const char*>(header_bytes.data()), header_bytes.size()}, file + " (header)");
  const HeaderReader entries(file, data);
  std::vector<StoredTensor> tensors;
  for (const auto& [name, entry] : header.raw().items()) {
    if (name != "__metadata__") tensors.push_back(entries.read(name, entry));
  }
  require_covered(file, tensors, data);
  return tensors;
}

TensorSet read_safetensors_folder(const fs::path& folder) {
  TensorSet set;
  const auto add = [&](const fs::path& path) {
    MappedFile map(path);
    auto tensors = read_safetensors(map);
    set.add(std::move(map), std::move(tensors));
  };
  const fs::path single = folder / "model.safetensors", index_path = folder / "model.safetensors.index.json";
  if (path_exists(single)) {
    add(single);
    return set;
  }
  if (!path_exists(index_path)) {
    fail(ErrorKind::data,
         "{}: neither model.safetensors nor model.safetensors.index.json is here; other weight formats "
         "(pytorch_model.bin) must be converted to safetensors first",
         folder.string());
  }
  const auto index = JsonObject::read(index_path);
  const auto weight_map = index.object("weight_map");
  if (!weight_map) fail(ErrorKind::data, "{}: missing", index.where("weight_map"));
  std::map<std::string, std::string> shard_of;
  std::vector<std::string> shards;
  for (const auto& [tensor, shard] : weight_map->raw().items()) {
    // A shard lies beside its index: a path would let a downloaded file point anywhere.
    if (!shard.is_string() || fs::path(shard.get<std::string>()).filename() != shard.get<std::string>()) {
      fail(ErrorKind::data, "{}: expected the name of a file in the same folder", weight_map->where(tensor));
    }
    shard_of[tensor] = shard.get<std::string>();
    shards.push_back(shard_of[tensor]);
  }
  std::sort(shards.begin(), shards.end());
  shards.erase(std::unique(shards.begin(), shards.end()), shards.end());
  for (const auto& shard : shards) add(folder / shard);
  for (const auto& [tensor, shard] : shard_of) {
    const StoredTensor* found = set.find(tensor);
    if (!found || fs::path(found->file).filename() != shard) {
      fail(ErrorKind::data, "{}: the tensor is not in {}", weight_map->where(tensor), shard);
    }
  }
  return set;
}

}  // namespace kvmend
