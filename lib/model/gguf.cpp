#include "model/gguf.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <set>

#include "core/error.h"
#include "model/dequant.h"
#include "model/in_quotes.h"

namespace kvmend {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t magic = 0x46554747;  // "GGUF"
constexpr std::uint64_t default_alignment = 32;
constexpr std::uint64_t largest_alignment = 1U << 20U;
constexpr std::uint32_t most_dimensions = 4;
constexpr std::uint64_t smallest_entry = 8 + 4 + 1;       // empty key, type, one byte
constexpr std::uint64_t smallest_tensor = 8 + 4 + 4 + 8;  // empty name, no dimension, type, offset

/// ggml's tensor types by number. Numbers without a name were retired.
struct TensorType {
  std::uint32_t number;
  const char* name;
  std::optional<StoredType> type = std::nullopt;
};
constexpr std::array tensor_types{TensorType{0, "F32", StoredType::f32},
                                  TensorType{1, "F16", StoredType::f16},
                                  TensorType{2, "Q4_0", StoredType::q4_0},
                                  TensorType{3, "Q4_1", StoredType::q4_1},
                                  TensorType{6, "Q5_0", StoredType::q5_0},
                                  TensorType{7, "Q5_1", StoredType::q5_1},
                                  TensorType{8, "Q8_0", StoredType::q8_0},
                                  TensorType{9, "Q8_1"},
                                  TensorType{10, "Q2_K", StoredType::q2_k},
                                  TensorType{11, "Q3_K", StoredType::q3_k},
                                  TensorType{12, "Q4_K", StoredType::q4_k},
                                  TensorType{13, "Q5_K", StoredType::q5_k},
                                  TensorType{14, "Q6_K", StoredType::q6_k},
                                  TensorType{15, "Q8_K"},
                                  TensorType{16, "IQ2_XXS"},
                                  TensorType{17, "IQ2_XS"},
                                  TensorType{18, "IQ3_XXS"},
                                  TensorType{19, "IQ1_S"},
                                  TensorType{20, "IQ4_NL"},
                                  TensorType{21, "IQ3_S"},
                                  TensorType{22, "IQ2_S"},
                                  TensorType{23, "IQ4_XS"},
                                  TensorType{24, "I8"},
                                  TensorType{25, "I16"},
                                  TensorType{26, "I32"},
                                  TensorType{27, "I64"},
                                  TensorType{28, "F64"},
                                  TensorType{29, "IQ1_M"},
                                  TensorType{30, "BF16", StoredType::bf16},
                                  TensorType{34, "TQ1_0"},
                                  TensorType{35, "TQ2_0"},
                                  TensorType{39, "MXFP4"}};

StoredType stored_type(std::uint32_t number, const std::string& file, const std::string& tensor) {
  std::string name = "unknown";
  std::string supported;
  for (const auto& entry : tensor_types) {
    if (entry.number == number) {
      if (entry.type) return *entry.type;
      name = entry.name;
    }
    if (entry.type) supported += std::string(supported.empty() ? "" : ", ") + entry.name;
  }
  fail(ErrorKind::data, "{}: tensor {} has type {} (number {}), which cannot be read; supported: {}", file,
       in_quotes(tensor), name, number, supported);
}

struct TensorInfo {
  StoredTensor tensor;
  std::uint64_t offset = 0;  ///< from the start of the data section
  std::uint64_t size = 0;    ///< bytes
};

TensorInfo read_tensor_info(ByteReader& reader) {
  TensorInfo info;
  info.tensor.file = reader.file();
  info.tensor.name = reader.string("a tensor's name");
  const auto at = reader.offset();
  const auto dimensions = reader.read<std::uint32_t>("a tensor's number of dimensions");
  if (dimensions < 1 || dimensions > most_dimensions) {
    fail(ErrorKind::data, "{}: at byte {}: tensor {} claims {} dimensions; 1 to {} are possible", reader.file(), at,
         in_quotes(info.tensor.name), dimensions, most_dimensions);
  }
  std::vector<std::uint64_t> shape(dimensions);
  for (auto& size : shape) size = reader.read<std::uint64_t>("a tensor's shape");
  info.tensor.type = stored_type(reader.read<std::uint32_t>("a tensor's type"), reader.file(), info.tensor.name);
  info.tensor.type_name = stored_type_name(*info.tensor.type);
  info.offset = reader.read<std::uint64_t>("a tensor's offset");

  const auto count = element_count(shape);
  const BlockLayout layout = block_layout(*info.tensor.type);
  const auto shape_list = [&] {  // as the file has it: innermost first
    return fmt::format("[{}]", fmt::join(shape, ", "));
  };
  if (!count) {
    fail(ErrorKind::data, "{}: at byte {}: tensor {} has the impossible shape {}", reader.file(), at,
         in_quotes(info.tensor.name), shape_list());
  }
  if (static_cast<std::int64_t>(shape[0]) % layout.elements != 0) {
    fail(ErrorKind::data,
         "{}: at byte {}: tensor {} of type {} has rows of {} elements, no whole number of blocks of {}", reader.file(),
         at, in_quotes(info.tensor.name), info.tensor.type_name, shape[0], layout.elements);
  }
  info.size = static_cast<std::uint64_t>(*count / layout.elements * layout.bytes);
  info.tensor.shape.assign(shape.rbegin(), shape.rend());
  return info;
}

/// Refuses a claimed number of things that take at least `smallest` bytes each before anything loops over it.
void check_count(const ByteReader& reader, std::uint64_t count, std::uint64_t smallest, std::string_view what) {
  if (count > reader.remaining() / smallest) {
    fail(ErrorKind::data, "{}: the header claims {} {}, but only {} bytes follow; the file is truncated or damaged",
         reader.file(), count, what, reader.remaining());
  }
}

void check_version(ByteReader& reader) {
  if (reader.read<std::uint32_t>("the magic number") != magic) {
    fail(ErrorKind::data, "{}: not a GGUF file (it does not start with \"GGUF\")", reader.file());
  }
  const auto version = reader.read<std::uint32_t>("the version");
  if ((version & 0xffffU) == 0 && version != 0) {
    fail(ErrorKind::data, "{}: a big-endian GGUF file; only little-endian ones can be read", reader.file());
  }
  if (version != 2 && version != 3) {
    fail(ErrorKind::data, "{}: GGUF version {}; versions 2 and 3 can be read", reader.file(), version);
  }
}

std::uint64_t alignment_of(const GgufMetadata& metadata) {
  const auto value = metadata.integer("general.alignment");
  if (!value) return default_alignment;
  if (*value <= 0 || static_cast<std::uint64_t>(*value) > largest_alignment ||
      !std::has_single_bit(static_cast<std::uint64_t>(*value))) {
    fail(ErrorKind::data, "{}: key 'general.alignment': {} is no power of two up to {}", metadata.file(), *value,
         largest_alignment);
  }
  return static_cast<std::uint64_t>(*value);
}

/// Gives each tensor its bytes: inside the data section, aligned, shared with no other.
std::vector<StoredTensor> place_tensors(std::vector<TensorInfo> infos, std::span<const std::byte> data,
                                        std::uint64_t alignment) {
  std::vector<StoredTensor> tensors;
  std::set<std::string_view> names;
  for (auto& info : infos) {
    const StoredTensor& tensor = info.tensor;
    if (!names.insert(tensor.name).second) {
      fail(ErrorKind::data, "{}: tensor {} appears twice", tensor.file, in_quotes(tensor.name));
    }
    if (info.offset % alignment != 0) {
      fail(ErrorKind::data, "{}: tensor {} begins at offset {}, which is no multiple of the alignment {}", tensor.file,
           in_quotes(tensor.name), info.offset, alignment);
    }
    if (info.offset > data.size() || info.size > data.size() - info.offset) {
      fail(ErrorKind::data,
           "{}: tensor {} takes {} bytes at offset {} of the data, which has {}; the file is truncated "
           "or damaged (was the download complete?)",
           tensor.file, in_quotes(tensor.name), info.size, info.offset, data.size());
    }
    info.tensor.bytes = data.subspan(info.offset, info.size);
  }
  for (auto& info : infos) tensors.push_back(std::move(info.tensor));
  require_disjoint(tensors);
  return tensors;
}

}  // namespace

GgufFile read_gguf(const fs::path& path) {
  GgufFile file{MappedFile(path), GgufMetadata(path.string()), {}};
  ByteReader reader(file.map.bytes(), path.string());
  check_version(reader);
  const auto tensor_count = reader.read<std::uint64_t>("the number of tensors");
  const auto entry_count = reader.read<std::uint64_t>("the number of keys");
  check_count(reader, entry_count, smallest_entry, "keys");
  for (std::uint64_t i = 0; i < entry_count; ++i) file.metadata.read_entry(reader);
  check_count(reader, tensor_count, smallest_tensor, "tensors");
  std::vector<TensorInfo> infos;
  for (std::uint64_t i = 0; i < tensor_count; ++i) infos.push_back(read_tensor_info(reader));

  const std::uint64_t alignment = alignment_of(file.metadata);
  const std::uint64_t padding = (alignment - reader.offset() % alignment) % alignment;
  // A file without tensor data (a vocabulary) may end before the padding does.
  reader.take(std::min(padding, reader.remaining()), "padding");
  file.tensors = place_tensors(std::move(infos), reader.take(reader.remaining(), "tensor data"), alignment);
  return file;
}

bool looks_like_gguf(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::uint32_t start = 0;
  return in.read(reinterpret_cast<char*>(&start), sizeof start) && start == magic;
}

}  // namespace kvmend
