#pragma once
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/file.h"
#include "experiment/temp_folder.h"
#include "paths.h"

namespace kvmend::test {

inline const std::filesystem::path tiny_models = std::filesystem::path(source_folder()) / "tests/data/models";

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// A GGUF file put together piece by piece, sound or not. Counts are those of what was added unless set.
struct GgufBuilder {
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::string entries, infos, data;
  std::uint64_t n_entries = 0, n_tensors = 0;
  std::uint64_t alignment = 32;

  static std::string text(const std::string& s) { return raw<std::uint64_t>(s.size()) + s; }

  /// A key with raw bytes for a value.
  GgufBuilder& entry(const std::string& key, std::uint32_t type, const std::string& value) {
    entries += text(key) + raw(type) + value;
    ++n_entries;
    return *this;
  }
  GgufBuilder& u32(const std::string& key, std::uint32_t value) { return entry(key, 4, raw(value)); }
  GgufBuilder& f32(const std::string& key, float value) { return entry(key, 6, raw(value)); }
  GgufBuilder& string(const std::string& key, const std::string& value) { return entry(key, 8, text(value)); }
  GgufBuilder& array(const std::string& key, std::uint32_t element, std::uint64_t count, const std::string& items) {
    return entry(key, 9, raw(element) + raw(count) + items);
  }

  /// A tensor's description alone; shape innermost first, as the file has it.
  GgufBuilder& info(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
                    std::uint64_t offset) {
    infos += text(name) + raw(static_cast<std::uint32_t>(shape.size()));
    for (const auto size : shape) infos += raw(size);
    infos += raw(type) + raw(offset);
    ++n_tensors;
    return *this;
  }
  /// A float32 tensor with its data behind what is there.
  GgufBuilder& tensor(const std::string& name, const std::vector<std::uint64_t>& shape,
                      const std::vector<float>& values) {
    data.resize((data.size() + alignment - 1) / alignment * alignment);
    info(name, shape, 0, data.size());
    data.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    return *this;
  }

  std::string bytes() const {
    std::string out = magic + raw(version) + raw(n_tensors) + raw(n_entries) + entries + infos;
    out.resize((out.size() + alignment - 1) / alignment * alignment);
    return out + data;
  }
};

/// A sound GGUF model of the llama architecture with one layer, as small as one can be; tests spoil it.
struct MicroGguf {
  struct Entry {
    std::uint32_t type;
    std::string value;
  };
  std::map<std::string, Entry> entries;
  std::map<std::string, std::vector<std::uint64_t>> tensors;  ///< shapes, innermost first
  std::map<std::string, std::vector<float>> values;           ///< where they are not 0.5 throughout

  explicit MicroGguf(const std::string& architecture = "llama") {
    text("general.architecture", architecture);
    for (const auto& [key, value] : {std::pair{"block_count", 1},
                                     {"context_length", 16},
                                     {"embedding_length", 4},
                                     {"feed_forward_length", 6},
                                     {"attention.head_count", 2},
                                     {"attention.head_count_kv", 1}}) {
      u32(architecture + "." + key, static_cast<std::uint32_t>(value));
    }
    tensors = {
        {"token_embd.weight", {4, 5}},        {"output_norm.weight", {4}},      {"blk.0.attn_norm.weight", {4}},
        {"blk.0.attn_q.weight", {4, 4}},      {"blk.0.attn_k.weight", {4, 2}},  {"blk.0.attn_v.weight", {4, 2}},
        {"blk.0.attn_output.weight", {4, 4}}, {"blk.0.ffn_norm.weight", {4}},   {"blk.0.ffn_gate.weight", {4, 6}},
        {"blk.0.ffn_up.weight", {4, 6}},      {"blk.0.ffn_down.weight", {6, 4}}};
  }
  MicroGguf& u32(const std::string& key, std::uint32_t value) { return set(key, 4, raw(value)); }
  MicroGguf& f32(const std::string& key, float value) { return set(key, 6, raw(value)); }
  MicroGguf& text(const std::string& key, const std::string& value) { return set(key, 8, GgufBuilder::text(value)); }
  MicroGguf& set(const std::string& key, std::uint32_t type, const std::string& value) {
    entries[key] = {type, value};
    return *this;
  }
  MicroGguf& tensor(const std::string& name, std::vector<std::uint64_t> shape, std::vector<float> content = {}) {
    tensors[name] = std::move(shape);
    if (!content.empty()) values[name] = std::move(content);
    return *this;
  }

  std::string bytes() const {
    GgufBuilder builder;
    for (const auto& [key, entry] : entries) builder.entry(key, entry.type, entry.value);
    for (const auto& [name, shape] : tensors) {
      std::size_t count = 1;
      for (const auto size : shape) count *= size;
      const auto given = values.find(name);
      builder.tensor(name, shape, given == values.end() ? std::vector<float>(count, 0.5F) : given->second);
    }
    return builder.bytes();
  }
};

/// A safetensors file out of a header's text and data.
inline std::string safetensors(const std::string& header, const std::string& data) {
  return raw<std::uint64_t>(header.size()) + header + data;
}

/// A copy of a tiny model's folder whose files can be changed.
struct FolderCopy {
  explicit FolderCopy(const std::string& model) {
    std::filesystem::copy(tiny_models / model, folder.path(), std::filesystem::copy_options::recursive);
  }
  /// Changes config.json by a JSON merge patch: null removes a key.
  FolderCopy& patch(const char* merge) { return patch_file("config.json", merge); }
  FolderCopy& patch_file(const std::string& name, const char* merge) {
    auto json = nlohmann::json::parse(read_file(folder / name));
    json.merge_patch(nlohmann::json::parse(merge));
    folder.write(name, json.dump());
    return *this;
  }
  TempFolder folder;
};

}  // namespace kvmend::test
