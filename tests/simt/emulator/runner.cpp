// A block's threads as contexts on one host thread: who runs next, and what happens when nobody can.
#include "runner.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "options.h"

namespace simt {

constinit thread_local Thread* current = nullptr;

namespace {

std::string at(Site site) { return std::string(site.file) + ":" + std::to_string(site.line); }

std::string triple(uint3 v) { return std::to_string(v.x) + "," + std::to_string(v.y) + "," + std::to_string(v.z); }

const char kDynamicKey = 0;

}  // namespace

Runner::Runner() : random_(options().seed) {}

Runner& Runner::of_this_thread() {
  // A pointer: a library that is loaded late finds little room for a thread's own data.
  thread_local const auto runner = std::make_unique<Runner>();
  return *runner;
}

void Runner::prepare_threads(const Launch& launch) {
  const unsigned count = launch.block.x * launch.block.y * launch.block.z;
  while (threads_.size() < count) {
    threads_.push_back(std::make_unique<Thread>());
    threads_.back()->context.start(&Runner::thread_main);
  }
  block_.size = launch.block;
  block_.grid = launch.grid;
  block_.threads = block_.alive = count;
  block_.at_barrier = 0;
  all_.resize(count);
  std::iota(all_.begin(), all_.end(), 0U);
  for (unsigned i = 0; i < count; ++i) {
    Thread& thread = *threads_[i];
    thread.index = {i % launch.block.x, i / launch.block.x % launch.block.y, i / (launch.block.x * launch.block.y)};
    thread.linear = i;
    thread.lane = i % 32;
    thread.warp = i / 32;
    thread.block = &block_;
    thread.runner = this;
    thread.copies.clear();
    thread.copy_groups.clear();
  }
  meetings_.resize((count + 31) / 32);
  for (auto& of_warp : meetings_)
    for (auto& meeting : of_warp) meeting->active = false;
}

void Runner::begin_block(const Launch& launch, uint3 block_index) {
  const Unwatched unwatched;
  launch_ = &launch;
  schedule_ = options().schedule;
  block_.index = block_index;
  scheduler_.adopt_thread();
  prepare_threads(launch);
  shared_.begin_block();
  fault_.clear();
  dynamic_bytes_ = launch.shared_bytes;
  block_.dynamic_shared =
      launch.shared_bytes == 0 ? nullptr : shared_.array(&kDynamicKey, launch.shared_bytes, launch.shared_bytes);
  ready_.clear();
  make_ready(all_.data(), block_.threads, false);
}

std::string Runner::run(const Launch& launch, uint3 block_index) {
  begin_block(launch, block_index);
  release(&block_order_);
  while (block_.alive > 0 && fault_.empty()) {
    if (ready_.empty()) {
      fault_ = describe_deadlock();
      break;
    }
    Thread& next = *threads_[ready_.pop_front()];
    current = &next;
    next.context.switch_from(scheduler_);
  }
  current = nullptr;
  acquire(&block_order_);
  const bool intact = shared_.guards_intact();
  if (fault_.empty() && !intact) fault_ = "wrote outside of its shared arrays";
  if (fault_.empty()) return {};
  // The threads that were inside the kernel are abandoned where they stand.
  for (auto& thread : threads_) thread->context.start(&Runner::thread_main);
  return std::string(launch.name) + ": " + fault_ + " [block " + triple(block_index) + "]";
}

void Runner::thread_main() {
  Context::arrived();
  for (;;) {
    Runner& runner = *current->runner;
    acquire(&runner.block_order_);
    runner.launch_->body();
    release(&runner.block_order_);
    runner.finish_thread(*current);
  }
}

void Runner::finish_thread(Thread& me) {
  if (!me.copies.empty() || !me.copy_groups.empty()) trap("a thread ends with copies (cp.async) never waited for");
  me.state = Thread::State::done;
  --block_.alive;
  if (block_.alive > 0 && block_.at_barrier > 0)
    trap("a thread ends while " + std::to_string(block_.at_barrier) + " wait at the barrier of " +
         at(block_.barrier_site));
  run_next(me);
}

void Runner::run_next(Thread& me) {
  if (ready_.empty()) {
    current = nullptr;
    scheduler_.switch_from(me.context);
    return;
  }
  Thread& next = *threads_[ready_.pop_front()];
  if (&next == &me) return;
  current = &next;
  next.context.switch_from(me.context);
}

void Runner::trap(const std::string& what) {
  fault_ = what + " [thread " + triple(current->index) + "]";
  Context& mine = current->context;
  current = nullptr;
  scheduler_.switch_from(mine);
  std::terminate();  // nobody switches back to an abandoned thread
}

void Runner::make_ready(unsigned* threads, unsigned count, bool next) {
  const Unwatched unwatched;
  bool backwards = schedule_ == Schedule::reverse;
  if (schedule_ == Schedule::random) {
    random_.shuffle(threads, count);
    if ((random_.next() & 1U) != 0) next = false;  // other warps overtake
  }
  for (unsigned i = 0; i < count; ++i) threads_[threads[i]]->state = Thread::State::ready;
  if (next) backwards = !backwards;  // the last to be put in front is the first
  for (unsigned i = 0; i < count; ++i) {
    const unsigned thread = threads[backwards ? count - 1 - i : i];
    next ? ready_.push_front(thread) : ready_.push_back(thread);
  }
}

void Runner::maybe_yield(Thread& me) {
  if (schedule_ != Schedule::random || (random_.next() & 7U) != 0) return;
  me.state = Thread::State::ready;
  ready_.push_back(me.linear);
  run_next(me);
}

void Runner::barrier(Thread& me, Barrier kind, int predicate, Site site) {
  if (block_.at_barrier == 0) {
    block_.barrier_site = site;
    block_.barrier_kind = kind;
    block_.barrier_sum = 0;
  } else if (block_.barrier_kind != kind || block_.barrier_site.line != site.line ||
             std::strcmp(block_.barrier_site.file, site.file) != 0) {
    trap("threads of one block wait at two barriers, " + at(block_.barrier_site) + " and " + at(site));
  }
  if (block_.alive != block_.threads)
    trap(std::to_string(block_.threads - block_.alive) + " of " + std::to_string(block_.threads) +
         " threads ended before the barrier of " + at(site));
  block_.barrier_sum += predicate != 0 ? 1 : 0;
  char* order = &barrier_order_[barrier_number_ % 2];
  release(order);
  if (++block_.at_barrier == block_.threads) {
    const int all = static_cast<int>(block_.threads);
    block_.barrier_result = kind == Barrier::all   ? block_.barrier_sum == all
                            : kind == Barrier::any ? block_.barrier_sum > 0
                                                   : block_.barrier_sum;
    block_.at_barrier = 0;
    ++barrier_number_;
    make_ready(all_.data(), block_.threads, false);
  } else {
    me.state = Thread::State::at_barrier;
    me.waits_at = site;
  }
  run_next(me);
  acquire(order);
}

Rendezvous* Runner::find_rendezvous(Thread& me, unsigned mask, Collective kind, Site site) {
  auto& pending = meetings_[me.warp];
  for (auto& meeting : pending) {
    if (!meeting->active || meeting->complete || (meeting->mask & mask) == 0) continue;
    if (meeting->mask == mask && meeting->kind == kind && meeting->site.line == site.line) return meeting.get();
    if ((meeting->mask >> me.lane & 1U) != 0 || (mask & meeting->arrived) != 0)
      trap("lanes of one warp meet in two operations, " + at(meeting->site) + " and " + at(site));
  }
  const unsigned first = me.warp * 32;
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) == 0) continue;
    if (first + lane >= block_.threads || threads_[first + lane]->state == Thread::State::done)
      trap(at(site) + ": the mask names lane " + std::to_string(lane) + ", which does not exist or has ended");
  }
  const Unwatched unwatched;
  Rendezvous* fresh = nullptr;
  for (auto& meeting : pending)
    if (!meeting->active) fresh = meeting.get();
  if (fresh == nullptr) fresh = pending.emplace_back(std::make_unique<Rendezvous>()).get();
  fresh->active = true;
  fresh->complete = false;
  fresh->mask = mask;
  fresh->lanes = static_cast<unsigned>(__builtin_popcount(mask));
  fresh->kind = kind;
  fresh->site = site;
  fresh->arrived = fresh->readers = 0;
  return fresh;
}

Rendezvous& Runner::meet(Thread& me, unsigned mask, Collective kind, int parameter, const void* value,
                         std::size_t bytes, Site site) {
  if ((mask >> me.lane & 1U) == 0) trap(at(site) + ": lane " + std::to_string(me.lane) + " is not in its own mask");
  Rendezvous& meeting = *find_rendezvous(me, mask, kind, site);
  if (meeting.arrived == 0) meeting.parameter = parameter;
  if (meeting.parameter != parameter) trap(at(site) + ": lanes disagree on the operation's width");
  {
    const Unwatched unwatched;
    std::memcpy(meeting.value[me.lane], value, bytes);
  }
  meeting.arrived |= 1U << me.lane;
  const bool orders_memory = kind == Collective::syncwarp;  // shuffles and votes do not
  if (orders_memory) release(&meeting);
  if (meeting.arrived == mask) {
    meeting.complete = true;
    unsigned lanes[32], count = 0;
    for (unsigned lane = 0; lane < 32; ++lane)
      if ((mask >> lane & 1U) != 0) lanes[count++] = me.warp * 32 + lane;
    make_ready(lanes, count, true);
  } else {
    me.state = Thread::State::at_rendezvous;
    me.waits_at = site;
    me.rendezvous = &meeting;
  }
  run_next(me);
  if (orders_memory) acquire(&meeting);
  return meeting;
}

std::string Runner::describe_deadlock() {
  for (unsigned i = 0; i < block_.threads; ++i) {
    const Thread& thread = *threads_[i];
    if (thread.state == Thread::State::at_rendezvous)
      return "the warp operation of " + at(thread.waits_at) + " waits for lanes that never come; " +
             std::to_string(block_.at_barrier) + " threads are at a barrier";
    if (thread.state == Thread::State::at_barrier)
      return "the barrier of " + at(thread.waits_at) + " is reached by " + std::to_string(block_.at_barrier) + " of " +
             std::to_string(block_.threads) + " threads";
  }
  return "no thread can run";
}

void trap(const std::string& what) { current->runner->trap(what); }
void block_barrier(Barrier kind, int predicate, Site site) {
  current->runner->barrier(*current, kind, predicate, site);
}
Rendezvous& meet(unsigned mask, Collective kind, int parameter, const void* value, std::size_t bytes, Site site) {
  return current->runner->meet(*current, mask, kind, parameter, value, bytes, site);
}
void* static_shared(const void* key, std::size_t bytes) {
  const Unwatched unwatched;
  return current->runner->static_shared(key, bytes);
}
void maybe_yield() { current->runner->maybe_yield(*current); }

}  // namespace simt
