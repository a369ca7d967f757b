"""What a selector answers, and how its plan is carried out."""
import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass
class Answer:
    selected: list[int]  # context rows, sorted: the set after the last selecting layer
    scores: np.ndarray | None = None  # [N], the ones the set was taken by
    exact: np.ndarray | None = None  # [N] rows ranked last
    per_layer: list[list[int]] | None = None  # where the set differs by layer
    kept: list[int] | None = None  # where rows are dropped
    selected_query: list[int] | None = None  # query rows, under last_token freshness
    order: list[int] | None = None  # chunk numbers, where chunks move
    thresholded: bool = False  # the set is those of the best scores, and nothing else
    cuts: list | None = None  # (rows, their scores, which are exact, set taken) of each choice, where there are several
    slack: float = 0.0  # by which a score may differ besides rounding, where scores are ranks

    # The plan, for selectors whose pass is the exact one; the others give the logits of the first token themselves.
    sink: str = "none"
    neighbours: int = 0  # chunks that each chunk was prefilled behind
    mask: str = "exact"
    write_back: str = "overwrite"
    temper: tuple[float, float] = (1.0, 1.0)  # T and S
    offsets: bool = False  # rows that are not recomputed move by their chunk's mean change
    request: object = None  # where it is not the one that was asked
    logits: np.ndarray | None = None
    decode: Callable | None = None  # steps -> (tokens, smallest gap of the two largest logits, rows recomputed on the way)
