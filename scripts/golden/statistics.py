#!/usr/bin/env python3
"""Writes tests/data/eval/statistics.json: intervals, p-values and effects of random paired data by scipy.

    scripts/golden/statistics.py > tests/data/eval/statistics.json        (needs numpy and scipy)

Intervals by scipy's own resampling with 100,000 draws (BCa by its jackknife), or by hand with numpy (percentiles of several
tasks and clusters, medians); permutation tests exactly where the data allow it, else with 200,000 draws; exact McNemar as a
binomial test.
"""

import json
import sys

import numpy as np
from scipy import stats

rng = np.random.default_rng(20261125)


def intervals(values):
    out = {}
    for method in ("percentile", "bca"):
        r = stats.bootstrap((values,), np.mean, n_resamples=100_000, batch=5000, method=method.upper() if method == "bca" else method,
                            random_state=7)
        out[method] = [float(r.confidence_interval.low), float(r.confidence_interval.high)]
    return out


def permutation(a, b):
    def mean_difference(x, y, axis):
        return np.mean(x, axis=axis) - np.mean(y, axis=axis)
    r = stats.permutation_test((a, b), mean_difference, permutation_type="samples", vectorized=True,
                               n_resamples=200_000, batch=5000, random_state=7)
    return float(r.pvalue)


def one_task(n, p, q, real):
    a = rng.beta(3, 2, n).round(4) if real else (rng.random(n) < p).astype(float)
    b = np.clip(a + rng.normal(q, 0.2, n), 0, 1).round(4) if real else np.where(rng.random(n) < 0.6, a, rng.random(n) < q).astype(float)
    d = a - b
    out = {"a": a.tolist(), "b": b.tolist(), "score": intervals(a), "difference": intervals(d), "p": permutation(a, b),
           "effect": float(d.mean() / d.std(ddof=1))}
    if not real:
        wins, losses = int((d > 0).sum()), int((d < 0).sum())
        out["mcnemar"] = float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return out


def clustered(questions, depths, tasks):
    """Several tasks, each question at several depths; macro mean; percentile interval by numpy."""
    scores = [np.clip(rng.normal(0.5, 0.3, (questions, 1)) + rng.normal(0, 0.1, (questions, depths)), 0, 1).round(4)
              for _ in range(tasks)]
    means = np.zeros(100_000)
    for s in scores:
        per_question = s.mean(axis=1)
        for begin in range(0, len(means), 5000):
            drawn = rng.integers(0, questions, (5000, questions))
            means[begin:begin + 5000] += per_question[drawn].mean(axis=1) / tasks
    # Questions of one size: their means are what scipy draws, one sample a task.
    bca = stats.bootstrap(tuple(s.mean(axis=1) for s in scores), lambda *x, axis: sum(v.mean(axis=axis) for v in x) / tasks,
                          n_resamples=100_000, batch=5000, method="BCa", random_state=7).confidence_interval
    return {"scores": [s.tolist() for s in scores],
            "percentile": [float(x) for x in np.quantile(means, [0.025, 0.975])], "bca": [float(bca.low), float(bca.high)]}


def uneven(rng, questions):
    """One task whose questions have one to four samples, skewed: a mean is a ratio of what is drawn."""
    scores = [(rng.random() ** 3 * rng.random(rng.integers(1, 5)) ** 0.3).round(4) for _ in range(questions)]
    sums, counts = np.array([s.sum() for s in scores]), np.array([float(len(s)) for s in scores])
    out = {"scores": [s.tolist() for s in scores]}
    for method in ("percentile", "BCa"):
        i = stats.bootstrap((sums, counts), lambda s, c, axis: s.sum(axis=axis) / c.sum(axis=axis), paired=True,
                            n_resamples=100_000, batch=5000, method=method, random_state=7).confidence_interval
        out[method.lower()] = [float(i.low), float(i.high)]
    return out


def median(rng, questions, depths):
    """The median of samples of which those of one question are alike, its interval by drawing questions."""
    values = np.exp(rng.normal(0, 0.5, (questions, 1)) + rng.normal(0, 0.1, (questions, depths))).round(4)
    medians = np.concatenate([np.median(values[rng.integers(0, questions, (1000, questions))].reshape(1000, -1), axis=1)
                              for _ in range(100)])
    return {"values": values.tolist(), "median": float(np.median(values)),
            "percentile": [float(x) for x in np.quantile(medians, [0.025, 0.975])]}


def gap_ratio(n):
    full, none = (rng.random(n) < 0.9).astype(float), (rng.random(n) < 0.2).astype(float)
    method = np.where(rng.random(n) < 0.7, full, none)
    ratios = np.empty(100_000)
    for begin in range(0, len(ratios), 5000):
        drawn = rng.integers(0, n, (5000, n))
        m, f, z = (x[drawn].mean(axis=1) for x in (method, full, none))
        ratios[begin:begin + 5000] = (m - z) / (f - z)
    def ratio(m, f, z, axis):
        return (m.mean(axis=axis) - z.mean(axis=axis)) / (f.mean(axis=axis) - z.mean(axis=axis))
    bca = stats.bootstrap((method, full, none), ratio, paired=True, n_resamples=100_000, batch=5000, method="BCa",
                          random_state=7).confidence_interval
    return {"method": method.tolist(), "full": full.tolist(), "none": none.tolist(), "bca": [float(bca.low), float(bca.high)],
            "value": float((method.mean() - none.mean()) / (full.mean() - none.mean())),
            "percentile": [float(x) for x in np.quantile(ratios, [0.025, 0.975])]}


def holm(ps):
    order, largest, out = np.argsort(ps, kind="stable"), 0.0, [0.0] * len(ps)
    for i, at in enumerate(order):
        largest = max(largest, min(1.0, ps[at] * (len(ps) - i)))
        out[at] = largest
    return out


ps = [round(float(p), 6) for p in rng.random(7) ** 3]
more = np.random.default_rng(20261127)
json.dump({
    "pairs": [one_task(12, 0.6, 0.3, False), one_task(40, 0.8, 0.3, False), one_task(150, 0.5, 0.4, False),
              one_task(10, 0, -0.15, True), one_task(60, 0, -0.05, True), one_task(200, 0, -0.02, True)],
    "clustered": [clustered(20, 3, 1), clustered(60, 3, 2)],
    "gap_ratios": [gap_ratio(40), gap_ratio(150)],
    "uneven": [uneven(more, 25), uneven(more, 120)],
    "medians": [median(more, 30, 3), median(more, 150, 3)],
    "t": [[v, float(stats.t.ppf(0.975, v))] for v in (5, 6, 10, 30, 200)],
    "holm": {"p": ps, "corrected": holm(ps)},
    "normal": [[p, float(stats.norm.ppf(p))] for p in (1e-12, 1e-5, 0.02, 0.3, 0.5, 0.7, 0.975, 0.99999)],
}, sys.stdout)
print()
