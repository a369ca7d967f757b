#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "datasets/files.h"
#include "fakes.h"

using namespace kvmend;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "kvmend-files-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() {
    unsetenv("KVMEND_DATA_DIR");
    fs::remove_all(path);
  }
};

}  // namespace

TEST_CASE("our question set is found, and every question can be asked") {
  const auto task = make_task("qa_custom", yaml_map({{"gold_at", Value::List{0.0, 1.0}}}), {});
  CHECK(task->size() >= 400);
  CHECK(task->data_identity().find("qa_builtin.jsonl sha256:") == 0);
  CHECK(task->notes().empty());
  int two_hops = 0;
  for (int i = 0; i < task->size(); ++i) {
    const TaskSample s = task->sample(i);
    CHECK(s.passages.size() == 10);
    two_hops += s.evidence.size() == 2 ? 1 : 0;
    // The answer is in a gold passage, and in no other.
    for (const auto& answer : s.references) {
      const auto at = s.context.find(answer);
      REQUIRE(at != std::string::npos);
      CHECK(at >= s.evidence.front().begin);
      CHECK(at < s.evidence.back().end);
    }
  }
  CHECK(two_hops >= 80);
}

TEST_CASE("KVMEND_DATA_DIR replaces the folder of shipped files") {
  const Folder folder;
  setenv("KVMEND_DATA_DIR", folder.path.c_str(), 1);
  CHECK_THROWS_WITH(shipped_file("qa_builtin.jsonl"),
                    Catch::Contains("qa_builtin.jsonl: no such file (tried " + folder.path.string()) &&
                        Catch::Contains("KVMEND_DATA_DIR names the folder"));
  std::ofstream(folder.path / "qa_builtin.jsonl")
      << R"({"question": "q?", "answers": ["a"], "passages": [{"text": "a", "gold": true}]})";
  CHECK(shipped_file("qa_builtin.jsonl") == folder.path / "qa_builtin.jsonl");
  CHECK(make_task("qa_custom", yaml_map({{"passages", 0}}), {})->size() == 1);
}

TEST_CASE("a data file is looked for beside the config, then in the working directory") {
  const Folder folder;
  std::ofstream(folder.path / "x.jsonl") << "x";
  CHECK(find_data_file("x.jsonl", folder.path) == folder.path / "x.jsonl");
  CHECK(find_data_file((folder.path / "x.jsonl").string(), "") == folder.path / "x.jsonl");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path);
  CHECK(find_data_file("x.jsonl", "/nowhere") == "x.jsonl");
  fs::current_path(before);
  CHECK_THROWS_WITH(find_data_file("y.jsonl", folder.path),
                    "y.jsonl: no such file (tried " + (folder.path / "y.jsonl").string() + ", y.jsonl)");
}
