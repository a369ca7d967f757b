"""CacheBlend (STRATEGIES.md §1, arXiv 2405.16444): the rows whose keys and values deviate most, layer by layer.

All rows run below the check layer. At a picking layer the rows still running are projected, compared with the cache,
and the most deviating go on; the others stay as they are. Rows are context, then the query's fresh ones.
"""
import numpy as np

from .. import budget, caches, passes
from ..answer import Answer
from ..model import softmax, weigh
from .deviation import deviation as deviation_of


def gradual_ratios(ratio, layers):
    """r1·q^i with r1 = min(1, 1.5·r) and the common quotient q ≤ 1 whose mean over the remaining layers is r ([O])."""
    first = min(1.0, 1.5 * ratio)
    low, high = 0.0, 1.0
    for _ in range(200):  # the mean grows with q
        q = (low + high) / 2
        low, high = (q, high) if np.mean(first * q ** np.arange(layers)) < ratio else (low, q)
    return first * high ** np.arange(layers)


def cacheblend(model, request, ratio, deviation="kv", check_layer=1, schedule="gradual", check_attention="fresh",
               mask="exact", freshness="all", write_back="overwrite", sink="none", temper=(1.0, 1.0)):
    units, ids, fresh = caches.units(model, request, sink), request.ids, request.query
    exact = caches.exact_rows(request, sink)
    if freshness == "last_token":  # the rest of the query is one more unit, cached alone
        units.append(caches.alone(model, tuple(fresh[:-1]), caches.sink_ids(model, request, sink)))
        ids, fresh = ids + fresh[:-1], fresh[-1:]
        exact = np.concatenate([exact, np.zeros(len(request.query) - 1, bool)])
    n, suffix, lengths = len(ids), len(fresh), [len(unit.positions) for unit in units]
    cache = caches.joined(units + [caches.alone(model, tuple(fresh))])  # the last ones are overwritten at every layer
    positions = np.arange(n + suffix)
    if schedule == "gradual":
        ratios = dict(enumerate(gradual_ratios(ratio, model.layers - check_layer), start=check_layer))
    else:
        ratios = {check_layer: ratio}
    start = model.layers if ratio == 0 else check_layer  # at r = 0 the check layer is skipped: full reuse
    active = np.arange(n + suffix) if ratio > 0 else np.arange(n, n + suffix)
    x = model.embed(np.concatenate([ids, fresh]))[active]
    per_layer, cuts = [], []
    for layer in range(model.layers):
        q, k, v = model.project(layer, x)
        if layer in ratios and layer >= start:
            old_k, old_v = cache.k[layer][active], cache.v[layer][active]
            reused, written = active < n, active
            same = exact | caches.unchanged(model, lengths, layer) if mask == "exact" or layer == check_layer else exact
            score = deviation_of(deviation, *(part[reused] for part in (k, old_k, v, old_v)), same[active[reused]])
            count = budget.size(ratios[layer], n)
            taken = budget.top(score, count, exact[active[reused]])
            cuts.append((active[reused], score, exact[active[reused]], active[reused][taken]))
            stay = np.concatenate([np.array(taken, int), np.flatnonzero(~reused)])
            if check_attention == "merged":
                written, k, v = active[stay], k[stay], v[stay]
            active, q, x = active[stay], q[stay], x[stay]
        else:
            written = active
        if write_back == "fusion":
            context = np.flatnonzero(written < n)
            k[context] = passes.blended(k[context], cache.k[layer][written[context]])
            v[context] = passes.blended(v[context], cache.v[layer][written[context]])
        cache.k[layer][written], cache.v[layer][written] = k, v
        last = positions[n + suffix - len(active) :]  # `bottom_right`: up to which a row sees keys
        visible = model.reach(layer, active, positions, last if mask == "bottom_right" else None)
        s = model.scores(layer, q, active, cache.k[layer], positions)
        tempered = (active >= n)[:, None] & (positions < n) & (positions >= len(request.prefix))
        a = softmax(np.where(tempered, s / temper[0] + np.log(temper[1]), s), visible)
        x = model.finish(layer, x, weigh(a, cache.v[layer]))
        per_layer.append(active[active < n])
    of_context = [[int(i) for i in rows if i < request.n] for rows in per_layer]
    answer = Answer(of_context[-1], per_layer=of_context, cuts=cuts, logits=model.logits(x[-1:])[0])
    if freshness == "last_token":
        answer.selected_query = [int(i) - request.n for i in per_layer[-1] if i >= request.n]
    return answer


def cacheblend_repo(model, request, ratio):
    return cacheblend(model, request, ratio, deviation="v", schedule="one_shot", check_attention="fresh", mask="bottom_right",
                      freshness="last_token", sink="bos_first_only")


def cacheblend_lmcache(model, request, ratio):
    return cacheblend(model, request, ratio, deviation="k", schedule="one_shot", check_attention="merged", mask="bottom_right")


def psr(model, request, ratio):
    """PSR (STRATEGIES.md §10, arXiv 2603.20218), a composition: link0's sink, key deviation, APE's temper for the query."""
    return cacheblend(model, request, ratio, deviation="k", schedule="one_shot", check_attention="merged", sink="dummy_bos",
                      temper=(0.9, 0.9))
