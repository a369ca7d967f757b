"""Squared distance of fresh keys and values from reused ones, summed over heads and dimensions (STRATEGIES.md §1)."""
import numpy as np


def squared(new, old, exact):
    """[rows]; exactly 0 on exact rows, where float noise would rank them (§0)."""
    return np.where(exact, 0.0, ((new - old) ** 2).sum(axis=(1, 2)))


def by_mean(values):
    """Divided by the mean over the rows compared; a mean of 0 counts as 1."""
    return values / (values.mean() or 1.0)


def deviation(kind, new_k, old_k, new_v, old_v, exact):
    """k, v, or kv: the sum of both, each by its own mean. Rotation keeps lengths, so keys are compared before RoPE."""
    if kind == "kv":
        return by_mean(squared(new_k, old_k, exact)) + by_mean(squared(new_v, old_v, exact))
    return squared(new_k, old_k, exact) if kind == "k" else squared(new_v, old_v, exact)
