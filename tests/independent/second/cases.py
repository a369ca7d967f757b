"""Which strategies are compared, as a config names them, and the function that answers for each.

A case is (name, parameters, function of (model, request, ratio)). Auxiliary models are named by their test folder.
"""
import dataclasses
import functools

from .selectors import (a3, agentkvshift, ape, cacheblend, cachecraft, cacheclip, combine, epic, infoflow, infoflow_reorder,
                        kvshare, oracles, plain, prophetkv, qcfuse, samkv, speccache)


def case(function, name=None, **parameters):
    """The parameters go to both sides."""
    return name or function.__name__, parameters, functools.partial(function, **parameters)


def preset(name, function, parameters=None):
    return name, parameters or {}, function


def carried_out(function, parameters, **plan):
    """The same choice under options that every strategy takes; `plan` names them as Answer does."""
    def answer(model, request, ratio):
        return dataclasses.replace(function(model, request, ratio), **plan)

    return function.__name__, parameters, answer


def tempered(function, temperature, temper_scale):
    """Any recompute set under a temper (§11)."""
    return carried_out(function, {"temperature": temperature, "temper_scale": temper_scale}, temper=(temperature, temper_scale))


# Positions in another order than the tokens', and rows that are dropped.
REFUSE_WINDOWS = ("reuse_local", "ape", "infoflow_reorder", "samkv")


def main_cases(windowed=False):
    """One of each method with its defaults: what a sweep runs. kvmend refuses some where a layer has a window."""
    every = [
        preset("full", plain.full), preset("reuse", plain.reuse), preset("reuse_local", plain.reuse_local),
        preset("no_context", plain.no_context), preset("prefix", plain.prefix),
        preset("epic", epic.epic), preset("lego2", epic.lego2), preset("link0", epic.link0),
        preset("cacheblend", cacheblend.cacheblend), preset("cacheblend_repo", cacheblend.cacheblend_repo),
        preset("cacheblend_lmcache", cacheblend.cacheblend_lmcache), preset("psr", cacheblend.psr),
        preset("prophetkv", prophetkv.prophetkv), preset("fusionrag", prophetkv.fusionrag),
        preset("infoflow", infoflow.infoflow), preset("infoflow_reorder", infoflow_reorder.infoflow_reorder),
        preset("a3", a3.a3), preset("kvshare", kvshare.kvshare), preset("samkv", samkv.samkv),
        preset("agentkvshift", agentkvshift.agentkvshift), preset("ape", ape.ape),
        preset("cachecraft", cachecraft.cachecraft), preset("qcfuse", qcfuse.qcfuse),
        preset("oracle_kv", oracles.oracle_kv), preset("oracle_attention", oracles.oracle_attention),
        preset("oracle_output", oracles.oracle_output),
    ]
    return [one for one in every if not (windowed and one[0] in REFUSE_WINDOWS)]


def decode_cases():
    """Whose decoding is followed for some tokens: what it sees differs."""
    return [
        preset("reuse", plain.reuse), preset("no_context", plain.no_context), preset("prophetkv", prophetkv.prophetkv),
        preset("infoflow_reorder", infoflow_reorder.infoflow_reorder), preset("cacheblend", cacheblend.cacheblend),
        preset("psr", cacheblend.psr), preset("samkv", samkv.samkv), preset("ape", ape.ape),
        tempered(epic.epic, 0.6, 0.7), preset("agentkvshift", agentkvshift.agentkvshift),
        case(kvshare.kvshare, decode_interval=3, decode_k=4), case(kvshare.kvshare, decode_interval=2),
    ]


def option_cases():
    """The switches, one at a time."""
    return [
        *(case(prophetkv.prophetkv, **p) for p in (
            {"query_states": "alone"}, {"softmax": "context_and_query"}, {"query_span": "suffix"}, {"fusion": "max"},
            {"fusion": "rank"}, {"pin_first_chunk": True}, {"layers": [1, 2]}, {"sink": "shared_prefix"},
            {"sink": "dummy_bos"}, {"exact_rows": "compete"}, {"neighbours": 1, "sink": "shared_prefix"})),
        *(case(infoflow.infoflow, **p) for p in (
            {"norm": "sum"}, {"layers": [0, 2]}, {"query": "in_place"}, {"exclude_first_chunk": False}, {"score": "vatp"},
            {"score": "entropy"}, {"geometry": "hl_hp"}, {"geometry": "tl_tp"}, {"geometry": "hl_tp"})),
        case(infoflow_reorder.infoflow_reorder, score="vatp", layers=[1]),
        *(case(cacheblend.cacheblend, **p) for p in (
            {"schedule": "one_shot"}, {"check_attention": "merged"}, {"check_layer": 2, "deviation": "v"}, {"check_layer": 0},
            {"deviation": "k", "mask": "bottom_right"}, {"freshness": "last_token"}, {"write_back": "fusion"},
            {"check_layer": 2, "schedule": "one_shot", "check_attention": "merged", "write_back": "fusion"})),
        ("cacheblend", {"temperature": 0.5, "temper_scale": 0.8}, functools.partial(cacheblend.cacheblend, temper=(0.5, 0.8))),
        preset("epic", functools.partial(epic.epic_k, k=3, last=2), {"k": 3, "last": 2}),
        tempered(epic.epic, 0.6, 0.7),
        carried_out(epic.epic, {"write_back": "fusion"}, write_back="fusion"),
        carried_out(prophetkv.prophetkv, {"mask": "bottom_right"}, mask="bottom_right"),
        case(a3.a3, query="question_alone", layers=[1]), case(kvshare.kvshare, check_layer=2),
        case(samkv.samkv, block=5, initial=2), case(samkv.samkv, block=7, local=2, write_back="fusion"),
        case(agentkvshift.agentkvshift, probes="first"),
        case(cachecraft.cachecraft, alpha=0.4), case(cachecraft.cachecraft, alpha=1.3, layer=2),
        case(cachecraft.cachecraft, layer=0),
        case(qcfuse.qcfuse, anchors=10_000), case(qcfuse.qcfuse, anchors=3, layers=[0, 2]),
        ("ape", {"temperature": 0.7, "temper_scale": 0.6, "lse_scale": "paper"},
         functools.partial(ape.ape, temperature=0.7, scale=0.6, lse_scale="paper")),
        *combinations(),
    ]


def combinations():
    scores = {"scores": ["prophetkv", "kvshare"]}
    parts = [prophetkv.prophetkv, kvshare.kvshare]
    base = {"pinned": {"epic": {"k": 2}}}, {"pinned": functools.partial(epic.epic_k, k=2)}
    same = ({}, {"by": "max"}, {"by": "rank"}, {"weights": [2, 1]}, {"by": "rank", "weights": [3, 1]}, {"normalise": "max"},
            {"normalise": "none"})
    for parameters in same:
        yield "combine", scores | parameters, functools.partial(combine.combine, parts=parts, **parameters)
    yield "combine", scores | base[0], functools.partial(combine.combine, parts=parts, **base[1])
    by_chunk = functools.partial(combine.combine, parts=parts, per="chunk", **base[1])
    yield "combine", scores | {"budget": "chunk"} | base[0], by_chunk


def combinations_in_short():
    """Scores alone; and by chunk, over a pinned base."""
    every = list(combinations())
    return [every[0], every[-1]]


def auxiliary_cases(names, open_model):
    """CacheClip and SpecCache by each auxiliary model."""
    for name in names:
        aux, own = open_model(name), {"aux_model": name}
        yield "speccache", own, functools.partial(speccache.speccache, aux=aux)
        yield "speccache", own | {"layer": 1}, functools.partial(speccache.speccache, aux=aux, layer=1)
        for p in ({}, {"softmax": "joint"}, {"refill": False, "density": 3}, {"query": "last", "window": 6}):
            yield "cacheclip", own | p, functools.partial(cacheclip.cacheclip, aux=aux, **p)
