#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "recompute/selector.h"
#include "strategies/npy.h"

namespace kvmend {
namespace {

namespace fs = std::filesystem;

/// Scores by sample id: a JSONL file of {id, scores} lines, or a folder of ID.npy files ('/' in an id written
/// '_').
class ScoreFile {
 public:
  explicit ScoreFile(const fs::path& path) : path_(path) {
    if (fs::is_directory(path)) {
      sha256_ = hash_folder(path);
      return;
    }
    std::ifstream in(path);
    if (!in) fail(ErrorKind::data, "{}: no such score file or folder", path.string());
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
      if (!line.empty()) add_line(line, number);
    }
    sha256_ = sha256_file(path);
  }

  const std::string& sha256() const { return sha256_; }

  /// Throws naming the first of these samples that has no scores.
  void check(const std::vector<std::string>& ids) const {
    std::size_t missing = 0;
    const std::string* first = nullptr;
    for (const std::string& id : ids) {
      if (fs::is_directory(path_) ? fs::exists(file_of(id)) : by_id_.contains(id)) continue;
      if (missing++ == 0) first = &id;
    }
    if (first == nullptr) return;
    fail(ErrorKind::data, "{}: no scores for {} of {} samples, the first is '{}'", path_.string(), missing, ids.size(),
         *first);
  }

  /// Scores of a sample; a file with one line serves a request without an id.
  std::vector<float> find(const std::string& id) const {
    if (fs::is_directory(path_)) return read_npy_vector(file_of(id));
    if (const auto found = by_id_.find(id); found != by_id_.end()) return found->second;
    if (id.empty() && by_id_.size() == 1) return by_id_.begin()->second;
    fail(ErrorKind::data, "{}: no scores for sample '{}' ({} samples are there)", path_.string(), id, by_id_.size());
  }

 private:
  static std::string hash_folder(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".npy") files[entry.path().filename().string()] = sha256_file(entry.path());
    }
    std::string all;
    for (const auto& [name, digest] : files) all += name + " " + digest + "\n";
    return kvmend::sha256(all);
  }

  fs::path file_of(std::string id) const {
    std::replace(id.begin(), id.end(), '/', '_');
    return path_ / (id + ".npy");
  }

  void add_line(const std::string& line, int number) {
    try {
      const auto json = nlohmann::json::parse(line);
      auto scores = json.at("scores").get<std::vector<float>>();
      const std::string id = json.value("id", "");
      if (!by_id_.emplace(id, std::move(scores)).second) {
        fail(ErrorKind::data, "{}:{}:1: a second line for sample '{}'", path_.string(), number, id);
      }
    } catch (const nlohmann::json::parse_error& error) {
      fail(ErrorKind::data, "{}:{}:{}: not JSON: {}", path_.string(), number, error.byte, error.what());
    } catch (const nlohmann::json::exception& error) {
      fail(ErrorKind::data, "{}:{}:1: expected {{\"id\": …, \"scores\": [numbers]}}: {}", path_.string(), number,
           error.what());
    }
  }

  fs::path path_;
  std::string sha256_;
  std::map<std::string, std::vector<float>> by_id_;
};

/// Scores computed elsewhere, so that a Python idea enters a paired sweep before any C++.
class FromFile final : public ScoreSelector {
 public:
  struct Params {
    std::string path;
    std::shared_ptr<const ScoreFile> file;
    template <class V>
    static void fields(Params& p, V& v) {
      v("path", p.path, "JSONL of {id, scores}, or a folder of ID.npy: one score a context token, larger is sooner");
    }
    void check(ParamErrors& errors, const Location& where) {
      if (path.empty()) {
        errors.add(where, "from_file needs a path: `from_file: {path: scores.jsonl}`");
        return;
      }
      try {
        file = std::make_shared<ScoreFile>(path);
      } catch (const Error& error) {
        errors.add(where, error.what());
      }
    }
    std::string identity() const { return file->sha256(); }
  };
  explicit FromFile(Params params) : params_(std::move(params)) {}

  void check_samples(const SampleIds& ids) const override { params_.file->check(ids()); }

  std::vector<float> score(Probe& probe) const override {
    std::vector<float> scores = params_.file->find(probe.sample_id());
    const auto n = static_cast<std::size_t>(probe.request().n_context());
    if (scores.size() != n) {
      fail(ErrorKind::data, "{}: sample '{}' has {} scores, its context {} tokens", params_.path, probe.sample_id(),
           scores.size(), n);
    }
    return scores;
  }

 private:
  Params params_;
};

KVMEND_SELECTOR(FromFile, "from_file",
                {.summary = "scores computed elsewhere, read by sample id", .source = "", .labels = "exact"});

}  // namespace
}  // namespace kvmend
