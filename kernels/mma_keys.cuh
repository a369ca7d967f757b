#pragma once
// Keys and values on their way to the shared memory of attention on tensor cores.
#include "mma_tile.cuh"

namespace kvmend::gpu {

/// Starts (or, where rows are not aligned or not bf16, does) the copy of one head's keys or values of a tile: the rows of
/// `slots`, which lie in shared memory. A thread copies the same eight columns of every few rows.
template <int width, int n_keys, int threads, bool values, bool async, class T>
__device__ inline void fetch_rows(std::uint16_t (*to)[width + 8], const KeyStore<T>& store, const std::int32_t* slots,
                                  int first_column, int head_dim) {
  constexpr int kPieces = width / 8;
  const int column = static_cast<int>(threadIdx.x) % kPieces * 8;
#pragma unroll
  for (int i = 0; i < n_keys * kPieces / threads; ++i) {
    const int key = static_cast<int>(threadIdx.x) / kPieces + i * (threads / kPieces);
    const T* row = (values ? store.value(slots[key]) : store.key(slots[key])) + first_column;
    if constexpr (async) {
      const bool inside = column < head_dim;
      prim::copy_async_16(&to[key][column], inside ? row + column : row, inside ? 16 : 0);
    } else {
#pragma unroll
      for (int e = 0; e < 8; ++e)
        to[key][column + e] = column + e < head_dim ? bf16_bits(to_float(row[column + e])) : std::uint16_t{0};
    }
  }
}

/// The tiles of keys and values of a block's part, one after the other. All threads call start, then for each tile keys_ready,
/// values_ready and next. What lies outside of the part repeats a key that is inside; it is masked later.
///
/// Slots are read two tiles ahead: loaded into a register while the tile's products run, stored when its slots have had their
/// last use. A copy then never waits for its address.
template <class Tile, bool async, class T>
struct KeyTiles {
  Tile* tile;
  const KeyList<T>& keys;
  Interval part;
  int first_column, head_dim;
  bool wants_values;
  int begin = 0;      ///< the tile's first key
  int turn = 0;       ///< which of the two lists of slots is the tile's
  int next_slot = 0;  ///< of two tiles ahead

  __device__ int stage() const { return Tile::kStages == 2 ? turn : 0; }
  __device__ bool done() const { return begin >= part.end; }

  __device__ void start() {
    begin = part.begin / Tile::kKeys * Tile::kKeys;
    if (done()) return;
    const int t = static_cast<int>(threadIdx.x);
    if (t < Tile::kKeys) {
      tile->slots[0][t] = slot(begin + t);
      tile->slots[1][t] = slot(begin + Tile::kKeys + t);
    }
    __syncthreads();
    fetch(0, true, Tile::kStages == 2);
  }

  /// The tile's keys may be read, with two stages its values, too.
  __device__ void keys_ready() {
    if constexpr (Tile::kStages == 2) {
      __syncthreads();  // the other stage has been read
      load_next_slot();
      if (has_next()) {
        fetch(turn ^ 1, true, true);
        wait<1>();
      } else {
        wait<0>();
      }
      __syncthreads();
      store_next_slot();
    } else {
      wait<0>();
      __syncthreads();  // keys are there, and the last tile's values have been read
      fetch(turn, false, true);
      load_next_slot();
    }
  }

  __device__ void values_ready() {
    if constexpr (Tile::kStages == 1) {
      wait<0>();
      __syncthreads();  // values are there, and the keys have been read
      if (has_next()) fetch(turn ^ 1, true, false);
      store_next_slot();
    }
  }

  __device__ void next() {
    begin += Tile::kKeys;
    turn ^= 1;
  }

 private:
  __device__ bool has_next() const { return begin + Tile::kKeys < part.end; }
  __device__ std::int32_t slot(int key) const { return keys.slots[min(max(key, part.begin), part.end - 1)]; }

  __device__ void load_next_slot() {
    const int t = static_cast<int>(threadIdx.x);
    if (t < Tile::kKeys) next_slot = slot(begin + 2 * Tile::kKeys + t);
  }
  __device__ void store_next_slot() {
    const int t = static_cast<int>(threadIdx.x);
    if (t < Tile::kKeys) tile->slots[turn][t] = next_slot;
  }

  /// One group of copies: of the keys, the values or both that the list of slots `from` names.
  __device__ void fetch(int from, bool of_keys, bool of_values) {
    const int to = Tile::kStages == 2 ? from : 0;
    if (of_keys) fetch_rows<false>(tile->k[to], tile->slots[from]);
    if (of_values && wants_values) fetch_rows<true>(tile->v[to], tile->slots[from]);
    if constexpr (async) prim::copy_async_commit();
  }
  template <bool values>
  __device__ void fetch_rows(std::uint16_t (*to)[Tile::kStride], const std::int32_t* slots) {
    gpu::fetch_rows<Tile::kWidth, Tile::kKeys, Tile::kThreads, values, async>(to, keys.store, slots, first_column,
                                                                              head_dim);
  }
  template <int left>
  __device__ void wait() {
    if constexpr (async) prim::copy_async_wait<left>();
  }
};

}  // namespace kvmend::gpu
