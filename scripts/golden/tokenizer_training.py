"""Tiny tokenizers of every pipeline kind, trained on our own strings."""
import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import tokenizer_strings
from tokenizer_pipelines import SPLIT, set_pipeline

MARKUP = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
BYTES = [f"<0x{b:02X}>" for b in range(256)]


def corpus():
    """Text of many scripts, most of it English, in lines."""
    maker = tokenizer_strings.Maker()
    return [maker.english() if i % 2 else maker.parts() for i in range(3000)]


def train(tokenizer, vocab, special, **options):
    trainer = trainers.BpeTrainer(vocab_size=vocab, special_tokens=special, show_progress=False, **options)
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def compact(tokenizer, old_merges=False, change=lambda content: None):
    content = json.loads(tokenizer.to_str())
    content["model"]["dropout"] = None
    if old_merges:  # as files were written before pairs
        content["model"]["merges"] = [" ".join(merge) for merge in content["model"]["merges"]]
    change(content)
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=False)


def byte_level(pre):
    # smollm's published vocabulary lacks bytes too: what has no token vanishes.
    alphabet = [] if pre == "smollm" else sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = train(set_pipeline(Tokenizer(models.BPE()), pre), 700, MARKUP, initial_alphabet=alphabet)
    def change(content):
        content["model"]["ignore_merges"] = pre == "llama-bpe"
        if pre == "llama-bpe":  # a token that no merge makes: only ignore_merges finds it
            content["model"]["vocab"]["Ġarchive" if "Ġarchive" not in content["model"]["vocab"] else "Ġpermafrost"] = 700
    return compact(tokenizer, old_merges=pre == "gpt-2", change=change)


def sentencepiece(split_words, fallback=True):
    """Merges within words as SentencePiece trains them, or (not split_words) over spaces too."""
    special = ["<unk>", "<s>", "</s>"] + (BYTES if fallback else [])
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=fallback))
    set_pipeline(tokenizer, "llama")
    if split_words:
        tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    train(tokenizer, 900, special, limit_alphabet=240)
    tokenizer.pre_tokenizer = None
    def change(content):  # byte tokens are tokens of the model, not markup to look for in text
        content["added_tokens"] = [t for t in content["added_tokens"] if not t["content"].startswith("<0x")]
        content["post_processor"] = {
            "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
        content["post_processor"]["pair"] = content["post_processor"]["single"] + [{"Sequence": {"id": "B", "type_id": 1}}]
    return compact(tokenizer, change=change)


def gemma_like():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    train(tokenizer, 900, ["<pad>", "<eos>", "<bos>", "<unk>"] + BYTES, limit_alphabet=240)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in ["\n\n", "▁▁", "\t"]])
    def change(content):
        content["added_tokens"] = [t for t in content["added_tokens"] if not t["content"].startswith("<0x")]
    return compact(tokenizer, change=change)


def metaspace(scheme):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=scheme == "first"))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme, split=scheme != "never")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme=scheme)
    return compact(train(tokenizer, 700, ["<unk>", "<s>", "</s>"], limit_alphabet=200))


def unusual():
    """Every split behaviour and every flag of added tokens; a prefix space; a normaliser with a pattern."""
    split = pre_tokenizers.Split
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"[“”„]"), '"'),
                                                 normalizers.Replace("…", "...")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        split(Regex(r"\r?\n"), "merged_with_previous"), split(Regex(r"[A-Z]+"), "merged_with_next"),
        split(Regex(r"\x{200B}+"), "removed"), split(Regex(r"[\p{S}\p{P}]"), "contiguous"),
        split(Regex(SPLIT % r"\p{N}{1,3}"), "removed", invert=True), pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, 600, MARKUP, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_tokens([AddedToken("<mark>", lstrip=True, rstrip=True, normalized=False),
                          AddedToken("<word>", single_word=True, normalized=False), AddedToken("É", normalized=True),
                          AddedToken("e\u0301e\u0301", normalized=True), AddedToken("river", single_word=True, normalized=True)])
    tokenizer.add_special_tokens([AddedToken("<Wide>", lstrip=True, normalized=False, special=True)])
    tokenizer.post_processor = processors.ByteLevel()
    return compact(tokenizer)


def bert():
    """WordPiece; words of more than 100 characters are unknown, the limit that GGUF files cannot name."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=900, special_tokens=special, limit_alphabet=240, show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    content = json.loads(tokenizer.to_str())
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def tiny_tokenizers():
    """[(name, content of tokenizer.json)]"""
    return [
        ("smollm", byte_level("smollm")), ("qwen2", byte_level("qwen2")), ("llama-bpe", byte_level("llama-bpe")),
        ("gpt-2", byte_level("gpt-2")), ("llama", sentencepiece(split_words=True)),
        ("llama-over-spaces", sentencepiece(split_words=False)), ("no-fallback", sentencepiece(True, fallback=False)),
        ("gemma-like", gemma_like()), ("metaspace-first", metaspace("first")), ("metaspace-always", metaspace("always")),
        ("metaspace-never", metaspace("never")), ("unusual", unusual()), ("bert", bert()),
    ]
