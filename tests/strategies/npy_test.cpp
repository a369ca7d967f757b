// Scores from NumPy's files: bytes as numpy.save writes them (format versions 1.0 to 3.0).
#include "strategies/npy.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "paths.h"

using namespace kvmend;
using Catch::Contains;

namespace {

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string out(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

/// The header as NumPy writes it, padded to 64 bytes, then the data.
std::string npy(const std::string& descr, const std::string& shape, const std::string& data, int version = 1) {
  std::string header = "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }";
  const std::size_t before = version == 1 ? 10 : 12;
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';
  const auto size = static_cast<std::uint32_t>(header.size());
  std::string out = std::string("\x93NUMPY") + static_cast<char>(version) + '\0';
  for (std::size_t byte = 0; byte < before - 8; ++byte) out += static_cast<char>(size >> (8 * byte) & 0xFF);
  return out + header + data;
}

std::filesystem::path write(const std::string& content) {
  const std::filesystem::path path = binary_folder() + "/npy_test.npy";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::string error_of(const std::string& content) {
  const auto path = write(content);
  try {
    read_npy_vector(path);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    CHECK_THAT(error.what(), Contains(path.string() + ": "));
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a vector of float32 or float64 is read from every version of the format") {
  const std::vector<float> single{0.25F, -3, 1e30F};
  const std::vector<double> twice{0.25, -3, 1e30};
  for (const int version : {1, 2, 3}) {
    CAPTURE(version);
    CHECK(read_npy_vector(write(npy("'<f4'", "(3,)", bytes_of(single), version))) == single);
    CHECK(read_npy_vector(write(npy("'<f8'", "(3,)", bytes_of(twice), version))) == single);
  }
  CHECK(read_npy_vector(write(npy("'<f4'", "(0,)", ""))).empty());
  // Keys in another order, as other writers have them.
  std::string header = "{'shape': (1,), 'fortran_order': False, 'descr': '<f4'}\n";
  const std::string other = std::string("\x93NUMPY\x01") + '\0' + static_cast<char>(header.size()) + '\0' + header;
  CHECK(read_npy_vector(write(other + bytes_of<float>({7}))) == std::vector<float>{7});
}

TEST_CASE("what is no such vector is refused with its file's name") {
  const std::string data = bytes_of<float>({1, 2, 3, 4, 5, 6});
  CHECK_THAT(error_of(""), Contains("not a .npy file"));
  CHECK_THAT(error_of("{\"scores\": [1, 2, 3]}"), Contains("not a .npy file"));
  CHECK_THAT(error_of(npy("'<f4'", "(6,)", data).substr(0, 11)), Contains("not a .npy file"));
  CHECK_THAT(error_of(npy("'<f4'", "(6,)", data).substr(0, 40)), Contains("truncated header"));
  CHECK_THAT(error_of(npy("'<f4'", "(6,)", data, 2).substr(0, 40)), Contains("truncated header"));
  for (const char* descr : {"'<i8'", "'>f4'", "'<f2'", "'|O'", "[('a', '<f4')]"}) {
    CAPTURE(descr);
    CHECK_THAT(error_of(npy(descr, "(6,)", data)), Contains("expected dtype float32 or float64, little-endian"));
  }
  for (const char* shape : {"(2, 3)", "(1, 6)", "()", "(6, 1)"}) {
    CAPTURE(shape);
    CHECK_THAT(error_of(npy("'<f4'", shape, data)), Contains("expected one dimension"));
  }
  CHECK_THAT(error_of(npy("'<f4'", "(7,)", data)), Contains("its size does not match its shape"));
  CHECK_THAT(error_of(npy("'<f4'", "(6,)", data + "x")), Contains("its size does not match its shape"));
  CHECK_THAT(error_of(npy("'<f8'", "(6,)", data)), Contains("its size does not match its shape"));
  CHECK_THROWS_AS(read_npy_vector("/nowhere.npy"), Error);
}
