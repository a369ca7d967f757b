"""QCFuse (STRATEGIES.md §10, arXiv 2606.05875): what the question attends to in critical layers, having met only anchors.

How anchors are measured is not specified, so this covers the case where every token is one: the query then meets the whole
context, and what is left is its attention in a band of layers.
"""
from . import infoflow
from .prophetkv import prophetkv


def qcfuse_all_anchors(model, request, ratio, layers=None):
    return prophetkv(model, request, ratio, layers=list(infoflow.band(model.layers)) if layers is None else layers)
