#include "experiment/compare/published.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "experiment/config/yaml_reader.h"

namespace kvmend {
namespace {

template <class T>
void read_list(std::vector<T>& out, const Value& tree, const char* key, ParamErrors& errors) {
  const Value* list = tree.find(key);
  if (!list || list->is_null()) return;
  if (!list->is_list()) {
    errors.add(list->where, fmt::format("{} is a list, found {}", key, list->type_name()));
    return;
  }
  for (const Value& item : list->as_list()) read_params(out.emplace_back(), item, errors);
}

void check_claim(const PublishedClaim& claim, const Value& item, ParamErrors& errors) {
  if (claim.says.empty()) errors.add(item.where, "a claim says something: 'says' is missing");
  const bool tested = !claim.better.empty() && !claim.than.empty() && !claim.task.empty();
  if (tested == !claim.not_tested.empty())
    errors.add(item.where, "a claim has better, than and task, or not_tested with a reason");
}

}  // namespace

Published read_published(const std::filesystem::path& file) {
  const Value tree = read_yaml_file(file);
  Published out;
  ParamErrors errors;
  if (!tree.is_map()) fail(ErrorKind::usage, "{}: expected title, source, values and claims", file.string());
  const std::pair<const char*, std::string*> texts[] = {
      {"title", &out.title}, {"source", &out.source}, {"note", &out.note}};
  for (const auto& entry : tree.as_map()) {
    const auto text =
        std::find_if(std::begin(texts), std::end(texts), [&](const auto& t) { return entry.key == t.first; });
    if (text != std::end(texts)) {
      *text->second = entry.value.as_string();
    } else if (entry.key != "values" && entry.key != "claims") {
      errors.add(entry.where, fmt::format("unknown key '{}'; known: title, source, note, values, claims", entry.key));
    }
  }
  out.name = file.stem().string();
  read_list(out.values, tree, "values", errors);
  read_list(out.claims, tree, "claims", errors);
  for (std::size_t i = 0; i < out.claims.size(); ++i)
    check_claim(out.claims[i], tree.find("claims")->as_list()[i], errors);
  if (out.source.empty())
    errors.messages.push_back(file.string() + ": 'source' is missing: where the numbers are printed");
  if (!errors.messages.empty()) fail(ErrorKind::usage, "{}", fmt::join(errors.messages, "\n"));
  return out;
}

std::vector<std::string> published_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace kvmend
