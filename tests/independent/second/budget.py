"""From scores to a set (STRATEGIES.md §0, "Budget")."""
import math

import numpy as np


def size(ratio: float, n: int) -> int:
    return math.floor(ratio * n)


def ranked(scores, exact=None, pinned=()) -> list[int]:
    """Indices as they are taken: pinned first, exact rows last, by falling score, ties by lower index.

    Pinned tokens are taken in order [O]: that matters when they alone exceed the budget.
    """
    exact = np.zeros(len(scores), bool) if exact is None else exact
    pins = set(pinned)
    rest = [i for i in range(len(scores)) if i not in pins]
    return sorted(pins) + sorted(rest, key=lambda i: (exact[i], -scores[i], i))


def top(scores, k: int, exact=None, pinned=()) -> list[int]:
    return sorted(ranked(scores, exact, pinned)[:k])
