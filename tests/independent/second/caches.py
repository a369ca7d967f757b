"""Chunk caches and where their keys are placed (STRATEGIES.md §0: keys are stored before RoPE).

A unit is prefilled alone, or behind a sink whose rows are then dropped: `shared_prefix` is the request's prefix,
`dummy_bos` four BOS, `bos_first_only` one. Unit 0 never has a sink.
"""
import dataclasses
import functools

import numpy as np

from .model import Model, softmax, weigh
from .request import Request


@dataclasses.dataclass
class Cache:
    """Rows with their keys before RoPE and values [layers][rows, kv_heads, d], and the positions to rotate them to."""
    k: list[np.ndarray]
    v: list[np.ndarray]
    positions: np.ndarray

    def at(self, positions) -> "Cache":
        return Cache(self.k, self.v, np.asarray(positions))

    def rows(self, index) -> "Cache":
        return Cache([k[index] for k in self.k], [v[index] for v in self.v], self.positions[index])

    def copy(self) -> "Cache":
        return Cache([k.copy() for k in self.k], [v.copy() for v in self.v], self.positions.copy())


def joined(parts: list[Cache]) -> Cache:
    layers = range(len(parts[0].k))
    return Cache([np.concatenate([p.k[l] for p in parts]) for l in layers],
                 [np.concatenate([p.v[l] for p in parts]) for l in layers], np.concatenate([p.positions for p in parts]))


def prefill(model: Model, ids, watch=None) -> Cache:
    """Every row from position 0, causally and within each layer's window. `watch(layer, x, q, k, v, attention)` sees each layer."""
    keys, values = [], []
    positions = np.arange(len(ids))
    x = model.embed(ids)
    for layer in range(model.layers):
        q, k, v = model.project(layer, x)
        a = softmax(model.scores(layer, q, positions, k, positions), model.reach(layer, positions, positions))
        if watch:
            watch(layer, x, q, k, v, a)
        x = model.finish(layer, x, weigh(a, v))
        keys.append(k)
        values.append(v)
    return Cache(keys, values, positions)


@functools.lru_cache(maxsize=None)
def alone(model: Model, ids: tuple, sink: tuple = ()) -> Cache:
    """The unit's own rows; `positions` are those it had in this prefill, behind the sink."""
    cache = prefill(model, [*sink, *ids])
    return cache.rows(np.arange(len(sink), len(sink) + len(ids)))


def sink_ids(model: Model, request: Request, sink: str) -> tuple:
    bos = model.config.bos
    return {"none": (), "bos_first_only": (bos,), "dummy_bos": (bos,) * 4, "shared_prefix": tuple(request.prefix)}[sink]


def units(model: Model, request: Request, sink: str, neighbours: int = 0) -> list[Cache]:
    """One cache a unit at the positions of its offline prefill."""
    behind = sink_ids(model, request, sink)
    return [alone(model, tuple(ids), behind + nearest_chunks(request, i, neighbours) if i else ())
            for i, ids in enumerate(request.units)]


def nearest_chunks(request: Request, unit: int, count: int) -> tuple:
    """FusionRAG (§10): ids of the chunks that the unit is encoded behind, the nearest one last.

    [O] Near is the cosine of token counts; ties prefer the lower number.
    """
    chunks = [c for c in range(len(request.units)) if c != unit and not (request.has_prefix and c == 0)]
    size = 1 + max(request.ids)
    counts = [np.bincount(ids, minlength=size) for ids in request.units]

    def likeness(c):
        return counts[c] @ counts[unit] / np.linalg.norm(counts[c]) / np.linalg.norm(counts[unit])

    near = sorted(chunks, key=lambda c: (-likeness(c), c))[:count]
    return tuple(i for c in reversed(near) for i in request.units[c])


def assembled(model: Model, request: Request, sink: str, neighbours: int = 0) -> Cache:
    """The reused context at global positions 0 … N-1."""
    return joined(units(model, request, sink, neighbours)).at(np.arange(request.n))


def unchanged(model: Model, lengths, layer: int) -> np.ndarray:
    """Rows of units whose keys and values in a layer are a full prefill's wherever they stand [Σ lengths].

    Layer 0's depend on the token alone (§0, invariant 4). Where every layer below has a window, a row far enough behind its
    unit's first has seen nothing but its unit.
    """
    windows = model.config.windows[:layer]
    far = sum(window - 1 for window in windows) if all(windows) else np.inf
    return np.concatenate([np.arange(length) >= far for length in lengths])


def exact_rows(request: Request, sink: str, neighbours: int = 0) -> np.ndarray:
    """Rows that reuse gives exactly [N]: unit 0, and the first chunk where it was prefilled behind the prefix and no more."""
    exact = np.zeros(request.n, bool)
    exact[slice(*request.spans[0])] = True
    if request.has_prefix and sink == "shared_prefix" and not neighbours:
        exact[slice(*request.spans[1])] = True
    return exact
