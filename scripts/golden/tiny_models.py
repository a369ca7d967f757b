#!/usr/bin/env python3
"""Makes tests/data/models: tiny random models with float32 logits by transformers.

Every folder is as transformers saves it (config.json, model.safetensors, tokenizer.json, …) plus ids.json and
logits.f32 (little-endian float32, [ids, vocab], row-major); an encoder has hidden.f32 ([ids, width]) instead. The GGUF files hold the same weights, or their quantised
form with logits of their own. Everything follows from fixed seeds; run it again to get the same bytes.

    python scripts/golden/tiny_models.py [folder]     needs torch, transformers, tokenizers, safetensors, gguf
"""
import copy
import json
import pathlib
import shutil
import sys

import gguf
import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

from tiny_gguf import CHATML, SPECIAL, write_gguf

HERE = pathlib.Path(__file__).resolve().parent
VOCAB = 320
TEXT = (HERE / "tiny_text.txt").read_text()
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
    if kind == "gpt-2":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    elif kind == "smollm":
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


def make_word_piece(made_before):
    """BERT's WordPiece with its pipeline, trained on our own text; the trainer breaks ties at random, so only once."""
    if made_before.exists():
        return Tokenizer.from_file(str(made_before))
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator([TEXT], trainers.WordPieceTrainer(
        vocab_size=VOCAB, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", tokenizer.token_to_id("[CLS]")), ("[SEP]", tokenizer.token_to_id("[SEP]"))])
    assert tokenizer.get_vocab_size() == VOCAB, tokenizer.get_vocab_size()
    return tokenizer


def make_model(config, seed, dtype):
    """A random model whose attention is not uniform and whose weights are exact in `dtype`."""
    torch.manual_seed(seed)
    kind = transformers.AutoModel if config.model_type == "bert" else transformers.AutoModelForCausalLM
    model = kind.from_config(config, attn_implementation="eager").float().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.lower().endswith("norm.weight") or ".ln_" in name and name.endswith("weight"):  # Gemma's norms multiply by 1 + the weight
                mean = 0 if config.model_type == "gemma3_text" else 1
                parameter.copy_(mean + 0.2 * torch.randn_like(parameter))
            elif name.endswith("bias"):
                parameter.copy_(0.3 * torch.randn_like(parameter))
            parameter.copy_(parameter.to(dtype).float())
    return model


def logits_of(model, ids):
    """What the last layer gives: logits, or an encoder's hidden states."""
    with torch.no_grad():
        out = model(torch.tensor([ids]))
        return (out.logits if "logits" in out else out.last_hidden_state)[0].float().numpy()


def write_golden(folder, stem, ids, logits, name="logits"):
    assert logits.std() > 0.5, "logits hardly vary"
    (folder / f"{stem}{name}.f32").write_bytes(logits.astype("<f4").tobytes())
    (folder / f"{stem}ids.json").write_text(json.dumps({"ids": ids, "vocab": int(logits.shape[1])}) + "\n")


def save(folder, model, tokenizer, ids, dtype, shard_size="1GB"):
    shutil.rmtree(folder, ignore_errors=True)
    logits = logits_of(model, ids)  # float32 arithmetic on weights that `dtype` holds exactly
    # A copy: rounding to `dtype` also rounds RoPE's frequencies, and the way back to float32 does not bring them back.
    copy.deepcopy(model).to(dtype).save_pretrained(folder, max_shard_size=shard_size)
    if model.config.model_type == "bert":
        marks = dict(cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]", pad_token="[PAD]", mask_token="[MASK]")
    else:
        marks = dict(bos_token="<|endoftext|>", eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHATML)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **marks).save_pretrained(folder)
    write_golden(folder, "", ids, logits, "hidden" if model.config.model_type == "bert" else "logits")


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
    tokenizers = {kind: make_tokenizer(kind) for kind in ("smollm", "qwen2", "llama-bpe", "gpt-2")}
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
    write_gguf(out / "tiny-qwen2.gguf", qwen2, tokenizers["qwen2"], "qwen2", lambda _: gguf.GGMLQuantizationType.BF16)

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

    qwen3 = make_model(Qwen3Config(**small, num_attention_heads=4, num_key_value_heads=2, head_dim=12,
                                   rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}), 7, bf16)
    save(out / "tiny-qwen3", qwen3, tokenizers["qwen2"], ids_for("qwen2", 60), bf16)
    write_gguf(out / "tiny-qwen3.gguf", qwen3, tokenizers["qwen2"], "qwen2", lambda _: gguf.GGMLQuantizationType.BF16)

    # Windows and both RoPE bases in every second layer; queries scaled by another width than their heads'.
    rope = {"sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            "full_attention": {"rope_type": "linear", "rope_theta": 1000000.0, "factor": 8.0}}
    gemma3 = make_model(Gemma3TextConfig(**{**small, "num_hidden_layers": 3}, num_attention_heads=4, num_key_value_heads=2,
                                         head_dim=12, sliding_window=24, query_pre_attn_scalar=16, rope_parameters=rope,
                                         layer_types=["sliding_attention", "full_attention", "sliding_attention"]), 8, bf16)
    save(out / "tiny-gemma3", gemma3, tokenizers["smollm"], ids_for("smollm", 60), bf16)
    write_gguf(out / "tiny-gemma3.gguf", gemma3, tokenizers["smollm"], "smollm", lambda _: gguf.GGMLQuantizationType.BF16)

    gpt2 = make_model(GPT2Config(vocab_size=VOCAB, n_embd=32, n_layer=2, n_head=4, n_inner=40, n_positions=128,
                                 initializer_range=0.25, bos_token_id=0, eos_token_id=2), 9, f16)
    save(out / "tiny-gpt2", gpt2, tokenizers["gpt-2"], ids_for("gpt-2", 60), f16)
    write_gguf(out / "tiny-gpt2.gguf", gpt2, tokenizers["gpt-2"], "gpt-2", lambda _: gguf.GGMLQuantizationType.F16)

    words = make_word_piece(HERE.parent.parent / "tests/data/models/tiny-bert/tokenizer.json")
    bert = make_model(BertConfig(vocab_size=VOCAB, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
                                 num_attention_heads=4, max_position_embeddings=128, initializer_range=0.25), 10, f16)
    save(out / "tiny-bert", bert, words, words.encode(TEXT[200:600]).ids[:100], f16)
    write_gguf(out / "tiny-bert.gguf", bert, words, "", lambda _: gguf.GGMLQuantizationType.F16)


if __name__ == "__main__":
    root = HERE.parent.parent / "tests/data/models"
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root)
