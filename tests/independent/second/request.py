"""A request as token ids: prefix | chunk 1 … chunk n | query (STRATEGIES.md §0, CLI.md "Request")."""
import dataclasses
import pathlib

import numpy as np

from .tokens import tokenize


@dataclasses.dataclass
class Request:
    text: dict  # as `kvmend select --request` takes it
    units: list[list[int]]  # the prefix first where there is one, then the chunks
    unit_texts: list[str]
    has_prefix: bool
    query: list[int]
    question: tuple[int, int]  # rows of the query
    question_text: str

    @property
    def ids(self) -> list[int]:
        """The context's."""
        return [i for unit in self.units for i in unit]

    @property
    def n(self) -> int:
        return sum(map(len, self.units))

    @property
    def begins(self) -> list[int]:
        return [0, *np.cumsum([len(u) for u in self.units]).tolist()][:-1]

    @property
    def spans(self) -> list[tuple[int, int]]:
        return [(b, b + len(u)) for b, u in zip(self.begins, self.units)]

    @property
    def chunks(self) -> list[tuple[int, int]]:
        """Spans without the prefix's."""
        return self.spans[1:] if self.has_prefix else self.spans

    @property
    def prefix(self) -> list[int]:
        return self.units[0] if self.has_prefix else []

    @property
    def query_positions(self) -> np.ndarray:
        return self.n + np.arange(len(self.query))

    @property
    def question_rows(self) -> np.ndarray:
        return np.arange(*self.question)


def from_text(model_path: pathlib.Path, text: dict) -> Request:
    """One tokenisation of the whole; a boundary inside a token moves to that token's end."""
    parts = ([text["prefix"]] if text.get("prefix") else []) + text["chunks"] + [text["query"]]
    whole = "".join(parts)
    ids, spans = tokenize(model_path, whole)
    ends = np.array([end for _, end in spans])

    def tokens_before(at: int) -> int:
        """Tokens up to the first whose end reaches byte `at`, itself included."""
        return 0 if at == 0 else int(np.searchsorted(ends, at)) + 1

    cuts = [tokens_before(at) for at in np.cumsum([0] + [len(p) for p in parts])]
    pieces = [ids[a:b] for a, b in zip(cuts, cuts[1:])]
    texts = [whole[spans[a][0] : spans[b - 1][1]] for a, b in zip(cuts, cuts[1:])]
    begin, end = text.get("question", (0, len(text["query"])))
    offset = len(whole) - len(text["query"])
    # A question covers every token that it shares a byte with.
    rows = [i - cuts[-2] for i in range(cuts[-2], cuts[-1]) if spans[i][0] < offset + end and spans[i][1] > offset + begin]
    return Request(text, pieces[:-1], texts[:-1], bool(text.get("prefix")), pieces[-1], (rows[0], rows[-1] + 1),
                   text["query"][begin:end])
