#!/usr/bin/env python3
"""One peer on one model. Reads {"tokens": n} lines, answers {"seconds": s, "argmax": id}: one prefill of the tokens
that `kvmend bench prefill` uses, logits of the last row only. Started by scripts/bench/peers.py."""
import json
import sys
import time

import numpy as np


def tokens_of(count, vocab):
    """std::mt19937(42) modulo the vocabulary, as in apps/kvmend/cmd_bench.cpp."""
    raw = np.random.RandomState(42).randint(0, 2**32, size=count, dtype=np.uint32)
    assert raw[0] == 1608637542
    return (raw % vocab).astype(np.int64).tolist()


def transformers_peer(path, dtype, threads):
    import os

    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    torch.set_num_threads(threads)
    folder, name = os.path.split(path)
    kind = {"bf16": torch.bfloat16, "f32": torch.float32}[dtype]
    # Plain matrices of `kind`: a kernels package could keep the weights packed and multiply in float32, slower.
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=name, dtype=kind, attn_implementation="sdpa",
        quantization_config=GgufConfig(gguf_file=name, dequantize=True))
    model.eval()
    assert {p.dtype for p in model.parameters()} == {kind}
    assert {type(m) for n, m in model.named_modules() if n.endswith("_proj")} == {torch.nn.Linear}
    assert model.config._attn_implementation == "sdpa"

    def prefill(count):
        ids = torch.tensor([tokens_of(count, model.config.vocab_size)])
        start = time.perf_counter()
        with torch.inference_mode():
            logits = model(ids, use_cache=True, logits_to_keep=1).logits
            best = int(logits[0, -1].argmax())
        return time.perf_counter() - start, best

    return prefill


def llama_peer(path, flash, batch, threads):
    import ctypes
    import os

    import llama_cpp

    llama_cpp.llama_backend_init()
    silent = llama_cpp.llama_log_callback(lambda level, text, user: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    model_params = llama_cpp.llama_model_default_params()
    model_params.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(os.fsencode(path), model_params)
    vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))

    def prefill(count):
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = count, batch, batch
        params.n_threads = params.n_threads_batch = threads
        if hasattr(params, "flash_attn_type"):
            params.flash_attn_type = 1 if flash else 0
        else:
            params.flash_attn = flash
        context = llama_cpp.llama_init_from_model(model, params)
        assert context
        ids = tokens_of(count, vocab)
        array = (llama_cpp.llama_token * count)(*ids)
        start = time.perf_counter()
        for begin in range(0, count, batch):
            size = min(batch, count - begin)
            part = ctypes.cast(ctypes.byref(array, begin * ctypes.sizeof(llama_cpp.llama_token)),
                               ctypes.POINTER(llama_cpp.llama_token))
            # llama_batch_get_one asks for the logits of the batch's last token only.
            assert llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(part, size)) == 0
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, -1), shape=(vocab,))
        best = int(logits.argmax())
        seconds = time.perf_counter() - start
        llama_cpp.llama_free(context)
        return seconds, best

    prefill.keep = silent
    return prefill


def main():
    peer, path, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    kind, *options = peer.split(":")
    if kind == "transformers":
        prefill = transformers_peer(path, options[0], threads)
    else:
        prefill = llama_peer(path, options[0] == "flash", int(options[1]), threads)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        seconds, best = prefill(json.loads(line)["tokens"])
        print(json.dumps({"seconds": seconds, "argmax": best}), flush=True)


if __name__ == "__main__":
    main()
