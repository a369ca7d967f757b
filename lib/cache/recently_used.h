#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

namespace kvmend {

/// Shared values by name within a budget of bytes, the least recently used dropped first. What somebody outside still
/// holds is pinned: dropping it would free nothing and make it twice. Not thread-safe.
template <class T>
class RecentlyUsed {
 public:
  explicit RecentlyUsed(std::int64_t budget_bytes) : budget_(budget_bytes) {}

  /// Null if it is not here. Counts as a use.
  std::shared_ptr<const T> find(const std::string& name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
  }

  /// Sees what leaves for want of room.
  using Leaving = std::function<void(const std::string& name, const std::shared_ptr<const T>& value)>;

  /// Adds or replaces, then trims.
  void put(const std::string& name, std::shared_ptr<const T> value, std::int64_t bytes, const Leaving& leaving = {}) {
    erase(name);
    entries_.push_front({name, std::move(value), bytes});
    by_name_[name] = entries_.begin();
    bytes_ += bytes;
    trim_to(budget_, leaving);
  }

  void erase(const std::string& name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return;
    bytes_ -= found->second->bytes;
    entries_.erase(found->second);
    by_name_.erase(found);
  }

  /// Drops what is over this budget, once, and not pinned.
  void trim_to(std::int64_t budget, const Leaving& leaving = {}) {
    for (auto entry = entries_.end(); bytes_ > budget && entry != entries_.begin();) {
      --entry;
      if (entry->value.use_count() > 1) continue;
      if (leaving) leaving(entry->name, entry->value);
      bytes_ -= entry->bytes;
      by_name_.erase(entry->name);
      entry = entries_.erase(entry);
      ++evicted_;
    }
  }

  std::int64_t bytes() const { return bytes_; }
  /// Of what somebody outside holds: trimming leaves it.
  std::int64_t pinned_bytes() const {
    std::int64_t bytes = 0;
    for (const Entry& entry : entries_) bytes += entry.value.use_count() > 1 ? entry.bytes : 0;
    return bytes;
  }
  std::int64_t evicted() const { return evicted_; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<const T> value;
    std::int64_t bytes = 0;
  };
  std::int64_t budget_ = 0, bytes_ = 0, evicted_ = 0;
  std::list<Entry> entries_;  ///< front: used last
  std::unordered_map<std::string, typename std::list<Entry>::iterator> by_name_;
};

}  // namespace kvmend
