#include "model/gguf.h"

#include "catch.h"
#include "core/error.h"
#include "model/file_builders.h"
#include "model/model_files.h"

using namespace kvmend;
using namespace kvmend::test;
using Catch::Contains;

namespace {

constexpr std::uint64_t huge = std::uint64_t{1} << 63U;

/// What reading the bytes as a file says; "" if it succeeds.
std::string error_of(const std::string& bytes) {
  const TempFolder folder;
  const auto path = folder.write("model.gguf", bytes);
  try {
    read_gguf(path);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    CHECK_THAT(error.what(), Catch::StartsWith(path.string() + ": "));
    return std::string(error.what()).substr(path.string().size() + 2);
  }
}

}  // namespace

TEST_CASE("GGUF metadata of every type is read", "[gguf]") {
  GgufBuilder builder;
  builder.entry("u8", 0, raw<std::uint8_t>(200)).entry("i8", 1, raw<std::int8_t>(-3));
  builder.entry("u16", 2, raw<std::uint16_t>(60000)).entry("i16", 3, raw<std::int16_t>(-300));
  builder.u32("u32", 4000000000U).entry("i32", 5, raw(-70000)).f32("f32", 0.5F);
  builder.entry("yes", 7, raw<std::uint8_t>(1)).string("text", "caf\xc3\xa9");
  builder.entry("u64", 10, raw(huge - 1)).entry("big", 10, raw(huge)).entry("i64", 11, raw<std::int64_t>(-5));
  builder.entry("f64", 12, raw(0.1));
  builder.array("texts", 8, 2, GgufBuilder::text("a") + GgufBuilder::text(""));
  builder.array("shorts", 3, 3, raw<std::int16_t>(1) + raw<std::int16_t>(-2) + raw<std::int16_t>(3));
  builder.array("floats", 6, 2, raw(1.5F) + raw(-2.5F)).array("empty", 8, 0, "");
  builder.array("nested", 9, 1, raw<std::uint32_t>(0) + raw<std::uint64_t>(2) + "ab").string("after", "x");
  const TempFolder folder;
  const GgufFile file = read_gguf(folder.write("m.gguf", builder.bytes()));
  const GgufMetadata& m = file.metadata;
  CHECK(m.integer("u8") == 200);
  CHECK(m.integer("i8") == -3);
  CHECK(m.integer("u16") == 60000);
  CHECK(m.integer("i16") == -300);
  CHECK(m.integer("u32") == 4000000000);
  CHECK(m.integer("i32") == -70000);
  CHECK(m.integer("u64") == INT64_MAX);
  CHECK(m.integer("i64") == -5);
  CHECK(m.number("f32") == 0.5);
  CHECK(m.number("f64") == 0.1);
  CHECK(m.number("i64") == -5.0);
  CHECK(m.boolean("yes") == true);
  CHECK(m.text("text") == "caf\xc3\xa9");
  CHECK(m.texts("texts") == std::vector<std::string>{"a", ""});
  CHECK(m.integers("shorts") == std::vector<std::int64_t>{1, -2, 3});
  CHECK(m.numbers("floats") == std::vector<double>{1.5, -2.5});
  CHECK(m.texts("empty").empty());
  CHECK(m.text("after") == "x");
  CHECK_FALSE(m.integer("none"));
  CHECK_THROWS_WITH(m.integer("text"), Contains("key 'text': expected an integer below 2^63, found a string"));
  CHECK_THROWS_WITH(m.integer("big"), Contains("expected an integer below 2^63"));
  CHECK_THROWS_WITH(m.texts("shorts"), Contains("expected an array of strings, found an array of i16"));
  CHECK_THROWS_WITH(m.integers("nested"), Contains("found an array of an array"));
}

TEST_CASE("GGUF tensors of versions 2 and 3 are found where they lie", "[gguf]") {
  for (const std::uint32_t version : {2U, 3U}) {
    GgufBuilder builder;
    builder.version = version;
    builder.alignment = 64;
    builder.u32("general.alignment", 64);
    builder.tensor("a", {3, 2}, {1, 2, 3, 4, 5, 6}).tensor("b", {1}, {7});
    const TempFolder folder;
    const GgufFile file = read_gguf(folder.write("m.gguf", builder.bytes()));
    REQUIRE(file.tensors.size() == 2);
    CHECK(file.tensors[0].shape == std::vector<std::int64_t>{2, 3});
    CHECK(file.tensors[0].bytes.size() == 24);
    float seven = 0;
    std::memcpy(&seven, file.tensors[1].bytes.data(), 4);
    CHECK(seven == 7);
  }
}

TEST_CASE("files that are no GGUF we read are refused with a reason", "[gguf]") {
  GgufBuilder builder;
  CHECK(error_of(builder.bytes()) == "");
  builder.magic = "GGML";
  CHECK_THAT(error_of(builder.bytes()), Contains("not a GGUF file"));
  builder.magic = "GGUF";
  for (const std::uint32_t version : {0U, 1U, 4U, 0xffffffffU}) {
    builder.version = version;
    CHECK_THAT(error_of(builder.bytes()), Contains("versions 2 and 3 can be read"));
  }
  builder.version = 3U << 24U;
  CHECK_THAT(error_of(builder.bytes()), Contains("big-endian"));
  CHECK_THAT(error_of(""), Contains("at byte 0: the magic number needs 4 bytes, 0 are left"));
}

TEST_CASE("a GGUF file cut anywhere is an error", "[gguf]") {
  GgufBuilder builder;
  builder.string("general.name", "x").array("list", 8, 2, GgufBuilder::text("ab") + GgufBuilder::text("cd"));
  builder.tensor("a", {4}, {1, 2, 3, 4}).tensor("b", {2}, {5, 6});
  const std::string whole = builder.bytes();
  CHECK(error_of(whole) == "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK(error_of(whole.substr(0, size)) != "");
  }
}

TEST_CASE("hostile GGUF metadata is refused", "[gguf]") {
  CHECK_THAT(error_of([] {
               GgufBuilder b;
               b.n_entries = huge;
               return b.bytes();
             }()),
             Contains("claims 9223372036854775808 keys"));
  CHECK_THAT(error_of([] {
               GgufBuilder b;
               b.n_tensors = huge;
               return b.bytes();
             }()),
             Contains("claims 9223372036854775808 tensors"));
  GgufBuilder b;
  CHECK_THAT(error_of(GgufBuilder(b).entry("k", 8, raw(huge) + "x").bytes()),
             Contains("a string needs 9223372036854775808 bytes"));
  CHECK_THAT(error_of(GgufBuilder(b).entry("k", 13, "").bytes()), Contains("key 'k' has the unknown value type 13"));
  CHECK_THAT(error_of(GgufBuilder(b).array("k", 99, 1, "").bytes()), Contains("unknown value type 99"));
  // Four bytes an element: the product overflows 64 bits.
  CHECK_THAT(error_of(GgufBuilder(b).array("k", 4, (huge >> 1U) + 1, "abcd").bytes()),
             Contains("claims 4611686018427387905 elements"));
  CHECK_THAT(error_of(GgufBuilder(b).array("k", 8, huge, "abcd").bytes()),
             Contains("claims 9223372036854775808 elements"));
  CHECK_THAT(error_of(GgufBuilder(b).entry("k", 7, raw<std::uint8_t>(2)).bytes()),
             Contains("a bool that is neither 0 nor 1"));
  CHECK_THAT(error_of(GgufBuilder(b).u32("k", 1).u32("k", 1).bytes()), Contains("key 'k' appears twice"));
  CHECK_THAT(error_of(GgufBuilder(b).u32("a\n\x1b[2J", 1).u32("a\n\x1b[2J", 1).bytes()),
             Contains(R"('a\x0a\x1b[2J' appears twice)"));
  std::string nested;
  for (int depth = 0; depth < 100000; ++depth) nested += raw<std::uint32_t>(9) + raw<std::uint64_t>(1);
  CHECK_THAT(error_of(GgufBuilder(b).entry("k", 9, nested).bytes()), Contains("nests arrays more than 4 deep"));
  for (const std::uint32_t alignment : {0U, 48U, 1U << 31U}) {
    CHECK_THAT(error_of(GgufBuilder(b).u32("general.alignment", alignment).bytes()), Contains("no power of two"));
  }
  CHECK_THAT(error_of(GgufBuilder(b).string("general.alignment", "32").bytes()), Contains("expected an integer"));
}

TEST_CASE("hostile GGUF tensors are refused", "[gguf]") {
  GgufBuilder b;
  b.tensor("a", {4}, {1, 2, 3, 4});
  const auto with = [&](const std::vector<std::uint64_t>& shape, std::uint32_t type, std::uint64_t offset) {
    return error_of(GgufBuilder(b).info("t", shape, type, offset).bytes());
  };
  CHECK_THAT(with({1, 1, 1, 1, 1}, 0, 0), Contains("tensor 't' claims 5 dimensions"));
  CHECK_THAT(with({}, 0, 0), Contains("claims 0 dimensions"));
  CHECK_THAT(with({huge, 2}, 0, 32), Contains("impossible shape [9223372036854775808, 2]"));
  CHECK_THAT(with({std::uint64_t{1} << 32U, std::uint64_t{1} << 32U}, 0, 32), Contains("impossible shape"));
  CHECK_THAT(with({huge, 0}, 0, 32), Contains("impossible shape"));
  CHECK_THAT(with({4}, 0, huge), Contains("takes 16 bytes at offset 9223372036854775808"));
  CHECK_THAT(with({4}, 0, UINT64_MAX - 31), Contains("takes 16 bytes at offset"));
  CHECK_THAT(with({5}, 0, 0), Contains("tensor 't' takes 20 bytes at offset 0 of the data, which has 16"));
  CHECK_THAT(with({1}, 0, 4), Contains("begins at offset 4, which is no multiple of the alignment 32"));
  CHECK_THAT(with({4}, 0, 0), Contains("the data of tensors") && Contains("overlap"));
  CHECK_THAT(with({4}, 20, 0),
             Contains("has type IQ4_NL (number 20), which cannot be read; supported: F32, F16, Q4_0"));
  CHECK_THAT(with({4}, 4711, 0), Contains("has type unknown (number 4711)"));
  CHECK_THAT(with({48}, 2, 0), Contains("rows of 48 elements, no whole number of blocks of 32"));
  CHECK_THAT(error_of(GgufBuilder(b).tensor("a", {1}, {5}).bytes()), Contains("tensor 'a' appears twice"));
}

TEST_CASE("shards of a GGUF model must be complete and in order", "[gguf]") {
  const auto shard = [](int number, int count, const std::string& tensor, int total) {
    GgufBuilder b;
    b.entry("split.no", 2, raw(static_cast<std::uint16_t>(number)))
        .entry("split.count", 2, raw(static_cast<std::uint16_t>(count)));
    b.entry("split.tensors.count", 5, raw(total)).tensor(tensor, {1}, {static_cast<float>(number)});
    return b.bytes();
  };
  const TempFolder folder;
  const auto first = folder.write("m-00001-of-00002.gguf", shard(0, 2, "a", 2));
  CHECK_THROWS_WITH(read_gguf_model(first), Contains("m-00002-of-00002.gguf: cannot open"));
  const auto second = folder.write("m-00002-of-00002.gguf", shard(1, 2, "b", 2));
  const GgufModel model = read_gguf_model(first);
  CHECK(model.tensors.all().size() == 2);
  CHECK(model.tensors.find("b")->file == second.string());
  CHECK_THROWS_WITH(read_gguf_model(second),
                    Contains("this is shard 2 of 2; open the first: ") && Contains("m-00001-of-00002.gguf"));

  folder.write("m-00002-of-00002.gguf", shard(1, 3, "b", 2));
  CHECK_THROWS_WITH(read_gguf_model(first),
                    Contains("expected shard 2 of 2, but its split.no is 1 (from 0) and its split.count 3"));
  folder.write("m-00002-of-00002.gguf", shard(0, 2, "b", 2));
  CHECK_THROWS_WITH(read_gguf_model(first), Contains("expected shard 2 of 2"));
  folder.write("m-00002-of-00002.gguf", shard(1, 2, "a", 2));
  CHECK_THROWS_WITH(read_gguf_model(first), Contains("tensor 'a' is also in " + first.string()));
  folder.write("m-00001-of-00002.gguf", shard(0, 2, "a", 3));
  folder.write("m-00002-of-00002.gguf", shard(1, 2, "b", 3));
  CHECK_THROWS_WITH(read_gguf_model(first), Contains("split.tensors.count is 3, the 2 shards hold 2 tensors"));
  CHECK_THROWS_WITH(read_gguf_model(folder.write("other.gguf", shard(0, 2, "a", 2))),
                    Contains("a shard of 2; shards are found by their names"));
}
