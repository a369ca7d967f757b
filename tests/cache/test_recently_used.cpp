#include "cache/recently_used.h"

#include "catch.h"

using kvmend::RecentlyUsed;

namespace {
std::shared_ptr<const int> number(int n) { return std::make_shared<const int>(n); }
}  // namespace

TEST_CASE("the least recently used goes first") {
  RecentlyUsed<int> recent(30);
  recent.put("a", number(1), 10);
  recent.put("b", number(2), 10);
  recent.put("c", number(3), 10);
  CHECK(recent.bytes() == 30);
  CHECK(*recent.find("a") == 1);  // now b is the oldest
  recent.put("d", number(4), 10);
  CHECK(recent.find("b") == nullptr);
  CHECK(recent.find("a"));
  CHECK(recent.find("c"));
  CHECK(recent.find("d"));
  CHECK(recent.bytes() == 30);
  CHECK(recent.evicted() == 1);
}

TEST_CASE("a large one pushes out several") {
  RecentlyUsed<int> recent(30);
  for (const char* name : {"a", "b", "c"}) recent.put(name, number(0), 10);
  recent.put("d", number(4), 25);
  CHECK(recent.size() == 1);
  CHECK(recent.bytes() == 25);
}

TEST_CASE("what is in use stays, whatever the budget, and goes once it is free") {
  RecentlyUsed<int> recent(10);
  auto a = number(1);
  recent.put("a", a, 10);
  auto b = number(2);
  recent.put("b", b, 10);
  CHECK(recent.bytes() == 20);
  CHECK(recent.pinned_bytes() == 20);
  CHECK(recent.find("a") == a);
  b.reset();
  CHECK(recent.pinned_bytes() == 10);
  recent.put("c", number(3), 10);
  CHECK(recent.find("b") == nullptr);
  CHECK(recent.find("c") == nullptr);  // over the budget because of a
  CHECK(recent.find("a") == a);
  a.reset();
  recent.put("d", number(4), 10);
  CHECK(recent.find("a") == nullptr);
  CHECK(recent.bytes() == 10);
}

TEST_CASE("putting a name again replaces it") {
  RecentlyUsed<int> recent(100);
  recent.put("a", number(1), 10);
  recent.put("a", number(2), 20);
  CHECK(*recent.find("a") == 2);
  CHECK(recent.bytes() == 20);
  CHECK(recent.size() == 1);
}

TEST_CASE("erasing frees, and erasing nothing is nothing") {
  RecentlyUsed<int> recent(100);
  recent.put("a", number(1), 10);
  recent.erase("b");
  recent.erase("a");
  CHECK(recent.bytes() == 0);
  CHECK(recent.find("a") == nullptr);
  CHECK(recent.evicted() == 0);
}

TEST_CASE("a budget of nothing keeps nothing that is free") {
  RecentlyUsed<int> recent(0);
  recent.put("a", number(1), 1);
  CHECK(recent.size() == 0);
  recent.put("empty", number(1), 0);
  CHECK(recent.size() == 1);
}
