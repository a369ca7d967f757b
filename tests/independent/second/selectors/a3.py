"""A3 (STRATEGIES.md §10, arXiv 2511.17560): the question's attention to the documents, softmax over them and the query."""
import numpy as np

from .. import caches, passes
from ..tokens import tokenize
from .oracles import answer


def a3(model, request, ratio, layers=None, query="in_place", sink="none"):
    """Summed over layers, heads and the question's rows."""
    if query == "question_alone":
        ids = tokenize(model.path, request.question_text)[0]
        rows = np.arange(len(ids))
    else:
        ids, rows = request.query, request.question_rows
    mass = []

    def watch(layer, s, reach, values):
        mass.append(passes.attention_to_all(s, reach, request.n)[:, rows].sum(axis=(0, 1)))

    passes.over(model, caches.assembled(model, request, sink), ids, request.n + np.arange(len(ids)), watch)
    score = np.mean(mass if layers is None else np.array(mass)[layers], axis=0)
    return answer(score, request, ratio, caches.exact_rows(request, sink))
