// What a pass's rows see: the key list of a layer, and which part of it each row attends to.
#include <algorithm>
#include <cmath>

#include "recompute/pass.h"
#include "recompute/rows.h"

namespace kvmend {

/// `overlaid`: sequence indices whose keys are in the overlay, in its order. Everything else comes from the
/// base.
void Pass::build_keys(const std::vector<int>& overlaid) {
  const Sequence& sequence = *spec_.sequence;
  const int base_rows = spec_.base ? spec_.base->rows : 0;
  auto list = std::make_shared<KeyList>();
  std::size_t next = 0;
  std::vector<int> beside;  // split softmax: the prefix's and the query's entries, behind the chunks'
  std::vector<std::int32_t> beside_slots;
  for (int i = 0; i < sequence.size(); ++i) {
    const bool fresh = next < overlaid.size() && overlaid[next] == i;
    if (fresh) ++next;
    if (!sequence.is_kept(i) || (!fresh && i >= base_rows)) continue;
    const std::int32_t slot = fresh ? -static_cast<std::int32_t>(next) : i;  // overlay row next − 1 is slot −next
    const bool chunk = i >= sequence.prefix_end && i < sequence.n_context;
    const bool apart = spec_.temper.split && !chunk;
    (apart ? beside : list->index).push_back(i);
    (apart ? beside_slots : list->host).push_back(slot);
    if (i < sequence.prefix_end && !apart) list->chunks_begin = static_cast<std::int32_t>(list->index.size());
    if (i < sequence.n_context) list->chunks_end = static_cast<std::int32_t>(list->index.size());
  }
  list->index.insert(list->index.end(), beside.begin(), beside.end());
  list->host.insert(list->host.end(), beside_slots.begin(), beside_slots.end());
  list->n_keys = static_cast<std::int64_t>(list->index.size());
  for (int t = 0; t < spec_.reserve; ++t) list->host.push_back(-static_cast<std::int32_t>(overlaid.size()) - t - 1);
  list->slots = upload_indices(model_, queue_, list->host);
  keys_ = std::move(list);
  overlaid_ = overlaid;
}

/// One list after the other: a lane's context, then its own rows. What lanes share is listed once for each.
void Pass::build_lane_keys() {
  auto list = std::make_shared<KeyList>();
  lane_seen_.clear();
  for (const Lane& lane : spec_.lanes) {
    const auto begin = static_cast<std::int32_t>(list->index.size());
    list->index.insert(list->index.end(), lane.context.begin(), lane.context.end());
    list->host.insert(list->host.end(), lane.context.begin(), lane.context.end());
    for (int r = 0; r < lane.rows; ++r) {
      const std::size_t row = lane_seen_.size();
      list->index.push_back(active_[row]);
      list->host.push_back(-static_cast<std::int32_t>(row) - 1);
      lane_seen_.push_back({begin, static_cast<std::int32_t>(list->index.size())});
    }
  }
  list->n_keys = static_cast<std::int64_t>(list->index.size());
  list->slots = upload_indices(model_, queue_, list->host);
  keys_ = std::move(list);
  overlaid_ = active_;
}

Pass::Call Pass::make_call(std::int64_t first, std::int64_t count, bool tempered) const {
  const auto& index = keys_->index;
  const auto n_keys = static_cast<std::int32_t>(keys_->n_keys);
  const auto n_rows = static_cast<std::int32_t>(active_.size());
  const int base_rows = spec_.base ? spec_.base->rows : 0;
  const bool split = tempered && spec_.temper.split;
  const std::int32_t from = split ? keys_->chunks_end : 0;
  std::vector<Visibility::Interval> intervals(static_cast<std::size_t>(count));
  for (std::int64_t r = 0; r < count; ++r) {
    const int i = active_[static_cast<std::size_t>(first + r)];
    auto& interval = intervals[static_cast<std::size_t>(r)];
    if (!model_.config().causal) {
      interval = {0, n_keys};
      continue;
    }
    interval.begin = from;
    interval.end =
        spec_.sight == RowSight::bottom_right
            ? static_cast<std::int32_t>(first + r) + n_keys - n_rows + 1
            : static_cast<std::int32_t>(std::upper_bound(index.begin() + from, index.end(), i) - index.begin());
    if (!lane_seen_.empty()) interval = lane_seen_[static_cast<std::size_t>(first + r)];
    if (spec_.sight == RowSight::alone) {
      interval.begin =
          static_cast<std::int32_t>(std::lower_bound(index.begin(), index.end(), base_rows) - index.begin());
    }
  }
  Call call{first, count, queue_.visibility(intervals), {}, {}, {}};
  if (split) {
    const std::vector<Visibility::Interval> all(static_cast<std::size_t>(count), {0, keys_->chunks_end});
    call.chunks = queue_.visibility(all);
  } else if (tempered) {
    call.temper = {keys_->chunks_begin, keys_->chunks_end, 1 / spec_.temper.temperature, std::log(spec_.temper.scale)};
  }
  if (model_.config().sliding_window <= 0) return call;
  const auto& positions = spec_.sequence->positions;
  if (lane_seen_.empty()) {             // a lane's positions are 0, 1, 2 …; the next one begins again
    std::vector<std::int32_t> of_keys;  // what was dropped may stand anywhere
    for (const int k : index) of_keys.push_back(positions[static_cast<std::size_t>(k)]);
    check_windows(of_keys);
  }
  for (std::int64_t r = 0; r < count; ++r) {
    auto& interval = intervals[static_cast<std::size_t>(r)];
    const int i = active_[static_cast<std::size_t>(first + r)];
    const int first_seen = positions[static_cast<std::size_t>(i)] - model_.config().sliding_window + 1;
    const auto seen = std::partition_point(index.begin() + interval.begin, index.begin() + interval.end,
                                           [&](int k) { return positions[static_cast<std::size_t>(k)] < first_seen; });
    interval.begin = static_cast<std::int32_t>(seen - index.begin());
  }
  call.window = queue_.visibility(intervals);
  return call;
}

void Pass::build_visibility() {
  calls_.clear();
  const auto n = static_cast<std::int64_t>(active_.size());
  if (!spec_.temper.active()) {
    calls_.push_back(make_call(0, n, false));
    return;
  }
  // Only the query is tempered: recomputed rows are to become what a full prefill gives.
  const std::int64_t context =
      std::lower_bound(active_.begin(), active_.end(), spec_.sequence->n_context) - active_.begin();
  if (context > 0) calls_.push_back(make_call(0, context, false));
  calls_.push_back(make_call(context, n - context, true));
}

}  // namespace kvmend
