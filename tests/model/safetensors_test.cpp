#include "model/safetensors.h"

#include "catch.h"
#include "core/error.h"
#include "model/file_builders.h"
#include "model/json_object.h"

using namespace kvmend;
using namespace kvmend::test;
using Catch::Contains;

namespace {

constexpr const char* huge = "9223372036854775808";  // 2^63

/// What reading the bytes as a file says; "" if it succeeds.
std::string error_of(const std::string& bytes) {
  const TempFolder folder;
  const MappedFile map(folder.write("model.safetensors", bytes));
  try {
    read_safetensors(map);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    CHECK_THAT(error.what(), Catch::StartsWith(map.path().string()));
    return std::string(error.what()).substr(map.path().string().size());
  }
}

/// A file of one tensor 't' with that entry and eight bytes of data.
std::string error_of_entry(const std::string& entry) {
  return error_of(safetensors(R"({"t": )" + entry + "}", std::string(8, '\0')));
}

}  // namespace

TEST_CASE("safetensors of every dtype we read are found where they lie", "[safetensors]") {
  const TempFolder folder;
  const std::string header = R"({"__metadata__": {"format": "pt"},
    "b": {"dtype": "BF16", "shape": [3], "data_offsets": [8, 14]}, "a": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
    "h": {"dtype": "F16", "shape": [], "data_offsets": [14, 16]}, "none": {"dtype": "F32", "shape": [0, 4], "data_offsets": [8, 8]},
    "ids": {"dtype": "I64", "shape": [1], "data_offsets": [16, 24]}}      )";
  const MappedFile map(folder.write("model.safetensors", safetensors(header, "01234567abcdefhhIIIIIIII")));
  const auto tensors = read_safetensors(map);
  REQUIRE(tensors.size() == 5);
  std::map<std::string, const StoredTensor*> named;
  for (const auto& tensor : tensors) named[tensor.name] = &tensor;
  const auto text = [&](const char* name) {
    return std::string(reinterpret_cast<const char*>(named[name]->bytes.data()), named[name]->bytes.size());
  };
  CHECK(text("a") == "01234567");
  CHECK(named["a"]->type == StoredType::f32);
  CHECK(named["a"]->shape == std::vector<std::int64_t>{1, 2});
  CHECK(text("b") == "abcdef");
  CHECK(named["b"]->type == StoredType::bf16);
  CHECK(text("h") == "hh");
  CHECK(named["h"]->type == StoredType::f16);
  CHECK(named["ids"]->type == std::nullopt);
  CHECK(named["ids"]->type_name == "I64");
}

TEST_CASE("hostile safetensors headers are refused", "[safetensors]") {
  CHECK_THAT(error_of(""), Contains("the header's length needs 8 bytes, 0 are left"));
  CHECK_THAT(error_of(raw(std::uint64_t{1} << 63U) + "{}"),
             Contains("the header claims 9223372036854775808 bytes, 2 follow"));
  CHECK_THAT(error_of(raw<std::uint64_t>(3) + "{}"), Contains("the header claims 3 bytes, 2 follow"));
  CHECK_THAT(error_of(safetensors("", "")), Contains("(header):1:1: not valid JSON"));
  CHECK_THAT(error_of(safetensors("{\"a\":\n  nope}", "")), Contains("(header):2:4: not valid JSON"));
  CHECK_THAT(error_of(safetensors("[1]", "")), Contains("expected a JSON object, found array"));
  CHECK_THAT(error_of(safetensors("{\"a\": \"\xff\"}", "")), Contains("not valid JSON"));
  CHECK_THAT(error_of(safetensors("{\"a\": 1e999}", "")), Contains("not valid JSON"));
  CHECK_THAT(error_of(safetensors("{\"a\": " + std::string(1000000, '['), "")), Contains("nested more than 64 deep"));
  std::string objects = "{";
  for (int i = 0; i < 100000; ++i) objects += "\"a\":{";
  CHECK_THAT(error_of(safetensors(objects, "")), Contains("nested more than 64 deep"));
  const std::string entry = R"({"dtype": "F32", "shape": [2], "data_offsets": [0, 8]})";
  CHECK_THAT(error_of(safetensors(R"({"t": )" + entry + R"(, "t": )" + entry + "}", "12345678")),
             Contains("the key 't' appears twice"));
}

TEST_CASE("hostile safetensors entries are refused", "[safetensors]") {
  CHECK(error_of_entry(R"({"dtype": "F32", "shape": [2], "data_offsets": [0, 8]})").empty());
  for (const char* entry : {"1", "{}", R"({"dtype": 1, "shape": [2], "data_offsets": [0, 8]})",
                            R"({"shape": [2], "data_offsets": [0, 8]})", R"({"dtype": "F32", "shape": [2]})"}) {
    CHECK_THAT(error_of_entry(entry), Contains("tensor 't': the header's entry needs dtype, shape and data_offsets"));
  }
  for (const char* shape : {"2", "[-2]", "[2.0]", "[\"2\"]", "{}", "[[2]]", "[1e3]"}) {
    CHECK_THAT(error_of_entry(R"({"dtype": "F32", "data_offsets": [0, 8], "shape": )" + std::string(shape) + "}"),
               Contains("shape is no list of sizes"));
  }
  for (const std::string& shape : {std::string(huge), std::string(huge) + ", 0", std::string("4294967296, 4294967296"),
                                   std::string("99999999999999999999")}) {
    const std::string error = error_of_entry(R"({"dtype": "F32", "data_offsets": [0, 8], "shape": [)" + shape + "]}");
    CHECK_THAT(error, Contains("the shape is impossible") || Contains("shape is no list of sizes"));
  }
  for (const std::string& offsets :
       {std::string("[0]"), std::string("[0, 8, 8]"), std::string("[8, 0]"), std::string("[0, 9]"),
        std::string("[-8, 0]"), "[0, " + std::string(huge) + "]", std::string("[0, 1e1]"), std::string("7")}) {
    CHECK_THAT(error_of_entry(R"({"dtype": "F32", "shape": [2], "data_offsets": )" + offsets + "}"),
               Contains("data_offsets must be [begin, end] within the file's 8 bytes of data"));
  }
  CHECK_THAT(error_of_entry(R"({"dtype": "F32", "shape": [3], "data_offsets": [0, 8]})"),
             Contains("F32 of shape [3] takes 12 bytes, its data_offsets span 8"));
  CHECK_THAT(error_of_entry(R"({"dtype": "BF16", "shape": [2], "data_offsets": [0, 8]})"), Contains("takes 4 bytes"));
  CHECK_THAT(error_of_entry(R"({"dtype": "F32", "shape": [1], "data_offsets": [0, 4]})"),
             Contains("4 bytes of data belong to no tensor"));
}

TEST_CASE("safetensors that share bytes are refused", "[safetensors]") {
  const std::string header = R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                                 "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}})";
  CHECK_THAT(error_of(safetensors(header, "12345678")), Contains("the data of tensors 'a' and 'b' overlap"));
}

TEST_CASE("a safetensors file cut anywhere is an error", "[safetensors]") {
  const std::string whole = safetensors(R"({"t": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})", "12345678");
  CHECK(error_of(whole).empty());
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(error_of(whole.substr(0, size)).empty());
}

TEST_CASE("an index must agree with its shards", "[safetensors]") {
  const FolderCopy copy("tiny-llama-shards");
  const auto& folder = copy.folder;
  CHECK(read_safetensors_folder(folder.path()).files().size() == 2);
  const std::string index = read_file(folder / "model.safetensors.index.json");
  const auto with = [&](const char* patch) {
    auto json = nlohmann::json::parse(index);
    json.merge_patch(nlohmann::json::parse(patch));
    folder.write("model.safetensors.index.json", json.dump());
    try {
      read_safetensors_folder(folder.path());
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  CHECK(with("{}").empty());
  CHECK_THAT(with(R"({"weight_map": null})"), Contains("key 'weight_map': missing"));
  CHECK_THAT(with(R"({"weight_map": [1]})"), Contains("key 'weight_map': expected an object, found array"));
  CHECK_THAT(with(R"({"weight_map": {"x": "../../etc/passwd"}})"),
             Contains("'weight_map.x': expected the name of a file"));
  CHECK_THAT(with(R"({"weight_map": {"x": 1}})"), Contains("'weight_map.x': expected the name of a file"));
  CHECK_THAT(with(R"({"weight_map": {"x": ".."}})"), Contains("not a regular file"));
  CHECK_THAT(with(R"({"weight_map": {"x": "absent.safetensors"}})"), Contains("absent.safetensors: cannot open"));
  CHECK_THAT(with(R"({"weight_map": {"x": "model-00001-of-00002.safetensors"}})"),
             Contains("'weight_map.x': the tensor is not in model-00001-of-00002.safetensors"));
  std::filesystem::copy(folder / "model-00001-of-00002.safetensors", folder / "copy.safetensors");
  CHECK_THAT(with(R"({"weight_map": {"x": "copy.safetensors"}})"), Contains("is also in"));
  std::filesystem::remove(folder / "model.safetensors.index.json");
  CHECK_THROWS_WITH(read_safetensors_folder(folder.path()),
                    Contains("neither model.safetensors nor model.safetensors.index.json"));
}

TEST_CASE("places in JSON count lines and columns from one", "[safetensors]") {
  CHECK_THROWS_WITH(JsonObject::parse("{\n\"a\": 1,\n}", "f.json"), Catch::StartsWith("f.json:3:1: not valid JSON"));
  CHECK_THROWS_WITH(JsonObject::parse("{x", "f.json"), Catch::StartsWith("f.json:1:2: not valid JSON"));
  CHECK_THROWS_WITH(JsonObject::parse("{\"a\": 1", "f.json"), Catch::StartsWith("f.json:1:8: not valid JSON"));
}
