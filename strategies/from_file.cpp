#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>

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
  /// A relative path is looked up in `folder`, that of the config it stands in, then in the working directory.
  ScoreFile(const fs::path& path, const fs::path& folder) : path_(folder / path) {
    std::error_code ignored;
    if (!fs::exists(path_, ignored)) path_ = path;
    if (fs::is_directory(path_)) {
      sha256_ = hash_folder(path_);
      return;
    }
    std::ifstream in(path_);
    if (!in) {
      const bool twice = path.is_relative() && !folder.empty();
      fail(ErrorKind::data, "{}: no such score file or folder{}", path.string(),
           twice ? fmt::format(" (neither in {} nor here)", folder.string()) : "");
    }
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
      if (!line.empty()) add_line(line, number);
    }
    sha256_ = sha256_file(path_);
  }

  const std::string& sha256() const { return sha256_; }

  /// Throws naming the first of these samples that has no scores, or else the first whose scores cannot be read or are
  /// not as many as its context has tokens.
  void check(const std::vector<Selector::SampleFacts>& samples) const {
    std::set<std::string> ids;  // a sample comes once a chunker
    std::size_t missing = 0;
    std::string first;
    for (const auto& sample : samples) {
      if (!ids.insert(sample.id).second || has(sample.id)) continue;
      if (missing++ == 0) first = sample.id;
    }
    if (missing > 0) {
      fail(ErrorKind::data, "{}: no scores for {} of {} samples, the first is '{}'", path_.string(), missing,
           ids.size(), first);
    }
    for (const auto& sample : samples) find(sample.id, sample.n_context);
  }

  /// Whether any score of any sample is below 0.
  bool any_negative() const {
    const auto negative = [](const std::vector<float>& scores) {
      return std::any_of(scores.begin(), scores.end(), [](float s) { return s < 0; });
    };
    if (!fs::is_directory(path_))
      return std::any_of(by_id_.begin(), by_id_.end(),
                         [&](const auto& sample) { return negative(sample.second.scores); });
    for (const auto& entry : fs::directory_iterator(path_)) {
      if (entry.path().extension() == ".npy" && negative(read_npy_vector(entry.path()))) return true;
    }
    return false;
  }

  /// Scores of a sample's context of n tokens; a file with one line serves a request without an id.
  std::vector<float> find(const std::string& id, int n) const {
    if (fs::is_directory(path_)) {
      const fs::path file = file_of(id);
      std::vector<float> scores = read_npy_vector(file);
      check_size(scores, n, file.string() + ": ", id);
      return scores;
    }
    const auto found = id.empty() && by_id_.size() == 1 ? by_id_.begin() : by_id_.find(id);
    if (found != by_id_.end()) {
      check_size(found->second.scores, n, fmt::format("{}:{}:1: ", path_.string(), found->second.line), id);
      return found->second.scores;
    }
    fail(ErrorKind::data, "{}: no scores for sample '{}' ({} samples are there)", path_.string(), id, by_id_.size());
  }

 private:
  struct Row {
    std::vector<float> scores;
    int line = 0;
  };

  bool has(const std::string& id) const {
    return fs::is_directory(path_) ? fs::exists(file_of(id)) : by_id_.contains(id);
  }

  static void check_size(const std::vector<float>& scores, int n, const std::string& place, const std::string& id) {
    if (static_cast<int>(scores.size()) == n) return;
    fail(ErrorKind::data, "{}sample '{}' has {} scores, its context {} tokens", place, id, scores.size(), n);
  }

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
      if (!by_id_.emplace(id, Row{std::move(scores), number}).second) {
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
  std::map<std::string, Row> by_id_;
};

/// Scores computed elsewhere, so that a Python idea enters a paired sweep before any C++.
class FromFile final : public ScoreSelector {
 public:
  struct Params {
    std::string path;
    std::shared_ptr<const ScoreFile> file;
    template <class V>
    static void fields(Params& p, V& v) {
      v("path", p.path,
        "JSONL of {id, scores}, or a folder of ID.npy: one score a context token, larger is sooner; relative to the "
        "config, then to the working directory");
    }
    void check(ParamErrors& errors, const Location& where) {
      if (path.empty()) {
        errors.add(where, "from_file needs a path: `from_file: {path: scores.jsonl}`");
        return;
      }
      try {
        std::error_code ignored;
        const fs::path config = where.file;  // or what stands for one: --set, --strategy
        file = std::make_shared<ScoreFile>(path, fs::exists(config, ignored) ? config.parent_path() : fs::path());
      } catch (const Error& error) {
        errors.add(where, error.what());
      }
    }
    std::string identity() const { return file->sha256(); }
  };
  explicit FromFile(Params params) : params_(std::move(params)) {}

  void check_samples(const Samples& samples) const override { params_.file->check(samples()); }

  bool may_be_negative() const override { return params_.file->any_negative(); }

  std::vector<float> score(Probe& probe) const override {
    return params_.file->find(probe.sample_id(), probe.request().n_context());
  }

 private:
  Params params_;
};

KVMEND_SELECTOR(FromFile, "from_file",
                {.summary = "scores computed elsewhere, read by sample id", .source = "", .labels = "exact"});

}  // namespace
}  // namespace kvmend
