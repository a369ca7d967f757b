"""EPIC / LegoLink (STRATEGIES.md §2, arXiv 2410.15332): the first tokens of every unit but the first."""
import math

from ..answer import Answer


def epic(model, request, ratio):
    """At a ratio, the first ⌈r·len⌉ of each unit but the first."""
    return first_tokens(request.spans[1:], lambda length: math.ceil(ratio * length))


def epic_k(model, request, ratio, k, last=0):
    """The first k, and for the a+b ablation the last b, of each unit but the first."""
    return first_tokens(request.spans[1:], lambda length: k, last)


def lego2(model, request, ratio):
    """InfoFlow's comparison: max(1, ⌊r·len⌋) of every chunk, the first one too where there is no prefix."""
    return first_tokens(request.chunks, lambda length: max(1, math.floor(ratio * length)))


def link0(model, request, ratio):
    """Nothing: its chunks were prefilled behind four dummy BOS."""
    return Answer([], sink="dummy_bos")


def first_tokens(spans, count, last=0):
    taken = set()
    for begin, end in spans:
        taken |= set(range(begin, min(end, begin + count(end - begin)))) | set(range(max(begin, end - last), end))
    return Answer(sorted(taken))
