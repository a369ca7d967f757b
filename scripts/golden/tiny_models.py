#!/usr/bin/env python3
"""Makes tests/data/models: tiny random models with float32 logits by transformers.

Every folder is as transformers saves it (config.json, model.safetensors, tokenizer.json, …) plus ids.json and
logits.f32 (little-endian float32, [ids, vocab], row-major). The GGUF files hold the same weights, or their quantised
form with logits of their own. Everything follows from fixed seeds; run it again to get the same bytes.

    python scripts/golden/tiny_models.py [folder]     needs torch, transformers, tokenizers, safetensors, gguf
"""
import copy
import json
import pathlib
import shutil
import sys

import gguf
import numpy as np
import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import LlamaConfig, MistralConfig, PreTrainedTokenizerFast, Qwen2Config

HERE = pathlib.Path(__file__).resolve().parent
VOCAB = 320
TEXT = (HERE / "tiny_text.txt").read_text()
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# The published split patterns of the tokenizers whose pipelines these follow.
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def make_tokenizer(kind):
    """A byte-level BPE with the pipeline of `kind`, trained on our own text."""
    tokenizer = Tokenizer(models.BPE())
    if kind == "smollm":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
        )
    else:
        if kind == "qwen2":
            tokenizer.normalizer = normalizers.NFC()
        split = Regex(QWEN2_SPLIT if kind == "qwen2" else LLAMA3_SPLIT)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(split, behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB, special_tokens=SPECIAL, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    assert tokenizer.get_vocab_size() == VOCAB, tokenizer.get_vocab_size()
    return tokenizer


def make_model(config, seed, dtype):
    """A random model whose attention is not uniform and whose weights are exact in `dtype`."""
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("norm.weight"):
                parameter.copy_(1 + 0.2 * torch.randn_like(parameter))
            elif name.endswith("bias"):
                parameter.copy_(0.3 * torch.randn_like(parameter))
            parameter.copy_(parameter.to(dtype).float())
    return model


def logits_of(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].float().numpy()


def write_golden(folder, stem, ids, logits):
    assert logits.std() > 0.5, "logits hardly vary"
    (folder / f"{stem}logits.f32").write_bytes(logits.astype("<f4").tobytes())
    (folder / f"{stem}ids.json").write_text(json.dumps({"ids": ids, "vocab": int(logits.shape[1])}) + "\n")


def save(folder, model, tokenizer, ids, dtype, shard_size="1GB"):
    shutil.rmtree(folder, ignore_errors=True)
    logits = logits_of(model, ids)  # float32 arithmetic on weights that `dtype` holds exactly
    # A copy: rounding to `dtype` also rounds RoPE's frequencies, and the way back to float32 does not bring them back.
    copy.deepcopy(model).to(dtype).save_pretrained(folder, max_shard_size=shard_size)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|endoftext|>", eos_token="<|im_end|>", pad_token="<|endoftext|>",
        chat_template=CHATML, clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)
    write_golden(folder, "", ids, logits)


# ---- GGUF ----------------------------------------------------------------------------------------------------------


def interleave(weight, heads):
    """Rows of a Q or K matrix (or bias) from halves to pairs, as GGUF stores the llama architecture."""
    shape = weight.shape
    return weight.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


GGUF_NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def gguf_name(name):
    if name in GGUF_NAMES:
        return GGUF_NAMES[name]
    _, _, layer, rest = name.split(".", 3)
    stem, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{GGUF_NAMES[stem]}.{kind}"


def add_metadata(writer, config, tokenizer, pre):
    architecture = "llama" if config.model_type == "mistral" else config.model_type
    assert writer.arch == architecture
    writer.add_name("tiny")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    if getattr(config, "sliding_window", None):
        writer.add_sliding_window(config.sliding_window)
    vocab = tokenizer.get_vocab()
    tokens = sorted(vocab, key=vocab.get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in tokens])
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_bos_token_id(vocab["<|endoftext|>"])
    writer.add_eos_token_id(vocab["<|im_end|>"])
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHATML)


def write_gguf(path, model, tokenizer, pre, type_of, extra=(), shard_tensors=0):
    """Writes the model; `type_of` gives a tensor's type from its GGUF name. Returns the weights as a reader sees them."""
    config = model.config
    writer = gguf.GGUFWriter(str(path), "llama" if config.model_type == "mistral" else config.model_type,
                             split_max_tensors=shard_tensors)
    add_metadata(writer, config, tokenizer, pre)
    seen = {}
    for name, parameter in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        weight = parameter.float().numpy()
        kind = type_of(gguf_name(name)) if weight.ndim == 2 else gguf.GGMLQuantizationType.F32
        stored = gguf.quantize(weight, kind)
        seen[name] = torch.from_numpy(gguf.dequantize(stored, kind).reshape(weight.shape).copy())
        if writer.arch == "llama" and ".q_proj." in name:
            stored = interleave(stored, config.num_attention_heads)
        if writer.arch == "llama" and ".k_proj." in name:
            stored = interleave(stored, config.num_key_value_heads)
        writer.add_tensor(gguf_name(name), np.ascontiguousarray(stored), raw_dtype=kind)
    for name, values in extra:
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return seen


def mixed_type(name):
    """Every type whose blocks of 32 fit the rows, as quantised files mix them."""
    kinds = gguf.GGMLQuantizationType
    table = {
        "token_embd": kinds.Q8_0, "output": kinds.Q5_1, "attn_q": kinds.Q4_1, "attn_k": kinds.Q5_0, "attn_v": kinds.Q8_0,
        "attn_output": kinds.BF16, "ffn_gate": kinds.Q4_1, "ffn_up": kinds.Q4_0, "ffn_down": kinds.Q5_0,
    }
    return table[name.split(".")[-2]]


def llama3_factors(config):
    """rope_freqs.weight: what Llama 3's scaling divides each frequency by."""
    rotary = transformers.modeling_rope_utils.ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")[0]
    plain = 1.0 / (config.rope_parameters["rope_theta"] ** (torch.arange(0, config.head_dim, 2).float() / config.head_dim))
    return (plain / rotary).numpy()


# ---- the models ----------------------------------------------------------------------------------------------------


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    tokenizers = {kind: make_tokenizer(kind) for kind in ("smollm", "qwen2", "llama-bpe")}
    common = dict(vocab_size=VOCAB, hidden_size=64, intermediate_size=96, num_hidden_layers=3, max_position_embeddings=1024,
                  initializer_range=0.15, bos_token_id=0, eos_token_id=2, pad_token_id=0)
    f16, bf16, f32 = torch.float16, torch.bfloat16, torch.float32

    def ids_for(kind, count=100):
        ids = tokenizers[kind].encode(TEXT[200:]).ids[: count - 6]
        return [1] + ids + [2, 1, 77, VOCAB - 1, 0]

    llama = make_model(LlamaConfig(**{**common, "hidden_size": 96, "intermediate_size": 64}, num_attention_heads=6,
                                   num_key_value_heads=2, head_dim=16, rms_norm_eps=1e-5), 1, f16)
    save(out / "tiny-llama", llama, tokenizers["smollm"], ids_for("smollm"), f16)
    write_gguf(out / "tiny-llama.gguf", llama, tokenizers["smollm"], "smollm", lambda _: gguf.GGMLQuantizationType.F16)
    seen = write_gguf(out / "tiny-llama-mixed.gguf", llama, tokenizers["smollm"], "smollm", mixed_type)
    llama.load_state_dict(seen)
    write_golden(out, "tiny-llama-mixed.", ids_for("smollm"), logits_of(llama, ids_for("smollm")))

    # Within 64 original tokens the six frequencies of a head fall into all three of Llama 3's ranges.
    rope = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64}
    llama3 = make_model(LlamaConfig(**common, num_attention_heads=4, num_key_value_heads=1, head_dim=12,
                                    rope_parameters=rope, tie_word_embeddings=True), 2, bf16)
    save(out / "tiny-llama3", llama3, tokenizers["llama-bpe"], ids_for("llama-bpe"), bf16)
    write_gguf(out / "tiny-llama3.gguf", llama3, tokenizers["llama-bpe"], "llama-bpe",
               lambda _: gguf.GGMLQuantizationType.BF16, extra=[("rope_freqs.weight", llama3_factors(llama3.config))])

    rope = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 256}
    yarn = make_model(LlamaConfig(**{**common, "hidden_size": 48}, num_attention_heads=3, num_key_value_heads=3, head_dim=20,
                                  rope_parameters=rope), 3, f16)
    save(out / "tiny-llama-yarn", yarn, tokenizers["smollm"], ids_for("smollm"), f16)

    qwen2 = make_model(Qwen2Config(**common, num_attention_heads=7, num_key_value_heads=1, head_dim=16, rope_parameters={
        "rope_type": "default", "rope_theta": 1000000.0}, tie_word_embeddings=True), 4, bf16)
    save(out / "tiny-qwen2", qwen2, tokenizers["qwen2"], ids_for("qwen2"), bf16)

    # Two shards each of one model with everything optional: biases everywhere, linear scaling.
    small = {**common, "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2, "initializer_range": 0.25}
    biased = make_model(LlamaConfig(**small, num_attention_heads=4, num_key_value_heads=2, head_dim=8, attention_bias=True,
                                    mlp_bias=True, rope_parameters={"rope_type": "linear", "rope_theta": 5000.0,
                                                                    "factor": 2.0}), 5, f32)
    save(out / "tiny-llama-shards", biased, tokenizers["smollm"], ids_for("smollm", 60), f32, shard_size="80KB")

    mistral = make_model(MistralConfig(**small, num_attention_heads=4, num_key_value_heads=2, head_dim=8, sliding_window=24),
                         6, f16)
    save(out / "tiny-mistral", mistral, tokenizers["smollm"], ids_for("smollm", 60), f16)
    for old in out.glob("tiny-mistral-0*.gguf"):
        old.unlink()
    write_gguf(out / "tiny-mistral.gguf", mistral, tokenizers["smollm"], "smollm",
               lambda _: gguf.GGMLQuantizationType.F16, shard_tensors=12)


if __name__ == "__main__":
    root = HERE.parent.parent / "tests/data/models"
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root)
