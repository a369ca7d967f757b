#include "apps/kvmend/model_catalogue.h"

#include <algorithm>

#include "core/install_paths.h"
#include "experiment/config/yaml_reader.h"
#include "model/locate.h"

namespace kvmend {

namespace fs = std::filesystem;

std::vector<KnownModel> known_models() {
  std::vector<KnownModel> out;
  for (const auto& entry : fs::directory_iterator(shipped_path("configs/models"))) {
    if (entry.path().extension() != ".yaml") continue;
    const Value model = read_yaml_file(entry.path());
    const auto text = [&](const char* key) {
      const Value* value = model.find(key);
      return value ? value->as_string() : std::string();
    };
    KnownModel known{text("name"), text("description"), false, models_dir() / text("path")};
    std::error_code ignored;
    known.fetched = fs::exists(known.path, ignored);
    out.push_back(std::move(known));
  }
  std::sort(out.begin(), out.end(), [](const KnownModel& a, const KnownModel& b) { return a.name < b.name; });
  return out;
}

}  // namespace kvmend
