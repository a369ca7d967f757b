#include "experiment/run/wire.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

namespace kvmend {
namespace {

bool write_all(int fd, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool read_all(int fd, void* data, std::size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t n = ::read(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

template <class T>
void put_optional(nlohmann::json& json, const char* name, const std::optional<T>& value) {
  if (value) json[name] = *value;
}

template <class T>
void get_optional(const nlohmann::json& json, const char* name, std::optional<T>& value) {
  if (json.contains(name)) value = json.at(name).get<T>();
}

}  // namespace

Wire::~Wire() {
  ::close(read_fd_);
  ::close(write_fd_);
}

bool Wire::send(const nlohmann::json& message) const {
  const std::vector<std::uint8_t> body = nlohmann::json::to_msgpack(message);
  const auto size = static_cast<std::uint64_t>(body.size());
  return write_all(write_fd_, &size, sizeof size) && write_all(write_fd_, body.data(), body.size());
}

std::optional<nlohmann::json> Wire::receive() const {
  std::uint64_t size = 0;
  if (!read_all(read_fd_, &size, sizeof size)) return std::nullopt;
  std::vector<std::uint8_t> body(size);
  if (!read_all(read_fd_, body.data(), body.size())) return std::nullopt;
  auto message = nlohmann::json::from_msgpack(body, true, false);
  if (message.is_discarded()) return std::nullopt;
  return message;
}

nlohmann::json to_wire(const Outcome& o) {
  nlohmann::json json{{"selected", o.selected},
                      {"scores", o.scores},
                      {"exact_selected", o.exact_selected},
                      {"layer_tokens", o.layer_tokens},
                      {"effective_ratio", o.effective_ratio},
                      {"flops", o.flops},
                      {"flops_ratio", o.flops_ratio},
                      {"bytes", o.bytes},
                      {"seconds",
                       {o.seconds.load, o.seconds.place, o.seconds.select, o.seconds.recompute, o.seconds.query,
                        o.seconds.first_token}},
                      {"first_token", o.first_token},
                      {"prediction_ids", o.prediction_ids},
                      {"decode_seconds", o.decode_seconds},
                      {"error", o.error},
                      {"error_kind", static_cast<int>(o.error_kind)}};
  put_optional(json, "selected_per_layer", o.selected_per_layer);
  put_optional(json, "kept", o.kept);
  put_optional(json, "selected_query", o.selected_query);
  put_optional(json, "order", o.order);
  put_optional(json, "selected_original", o.selected_original);
  if (!o.decode_selected.empty()) json["decode_selected"] = o.decode_selected;
  json["decode_flops"] = o.decode_flops;
  return json;
}

Outcome outcome_from_wire(const nlohmann::json& json) {
  Outcome o;
  json.at("selected").get_to(o.selected);
  json.at("scores").get_to(o.scores);
  json.at("exact_selected").get_to(o.exact_selected);
  json.at("layer_tokens").get_to(o.layer_tokens);
  json.at("effective_ratio").get_to(o.effective_ratio);
  json.at("flops").get_to(o.flops);
  json.at("flops_ratio").get_to(o.flops_ratio);
  json.at("bytes").get_to(o.bytes);
  const auto& seconds = json.at("seconds");
  o.seconds = {seconds.at(0), seconds.at(1), seconds.at(2), seconds.at(3), seconds.at(4), seconds.at(5)};
  json.at("first_token").get_to(o.first_token);
  json.at("prediction_ids").get_to(o.prediction_ids);
  json.at("decode_seconds").get_to(o.decode_seconds);
  json.at("error").get_to(o.error);
  o.error_kind = static_cast<ErrorKind>(json.at("error_kind").get<int>());
  get_optional(json, "selected_per_layer", o.selected_per_layer);
  get_optional(json, "kept", o.kept);
  get_optional(json, "selected_query", o.selected_query);
  get_optional(json, "order", o.order);
  get_optional(json, "selected_original", o.selected_original);
  if (json.contains("decode_selected")) json.at("decode_selected").get_to(o.decode_selected);
  json.at("decode_flops").get_to(o.decode_flops);
  return o;
}

}  // namespace kvmend
