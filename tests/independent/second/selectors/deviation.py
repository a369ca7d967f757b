"""Squared distance of fresh keys and values from reused ones, summed over heads and dimensions (STRATEGIES.md §1)."""
import numpy as np


def squared(new, old, same):
    """[rows]; exactly 0 on rows that are the same in this layer, where float noise would rank them (§0)."""
    return np.where(same, 0.0, ((new - old) ** 2).sum(axis=(1, 2)))


def by_mean(values):
    """Divided by the mean over the rows compared; a mean of 0 counts as 1."""
    return values / (values.mean() or 1.0)


def deviation(kind, new_k, old_k, new_v, old_v, same):
    """k, v, or kv: the sum of both, each by its own mean. Rotation keeps lengths, so keys are compared before RoPE."""
    if kind == "kv":
        return by_mean(squared(new_k, old_k, same)) + by_mean(squared(new_v, old_v, same))
    return squared(new_k, old_k, same) if kind == "k" else squared(new_v, old_v, same)
