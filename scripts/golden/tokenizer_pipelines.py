"""The published pipelines, put together by hand from the vocabularies that GGUF files carry."""
import gguf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def split_then_bytes(digits):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT % digits), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])


def set_pipeline(tokenizer, pre):
    """`pre` as tokenizer.ggml.pre names it, or "llama" for SentencePiece-style BPE."""
    tokenizer.decoder = decoders.ByteLevel()
    if pre == "smollm":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ])
    elif pre == "gpt-2":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    elif pre == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = split_then_bytes(r"\p{N}")
    elif pre == "llama-bpe":
        tokenizer.pre_tokenizer = split_then_bytes(r"\p{N}{1,3}")
    elif pre == "llama":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.decoder = decoders.Sequence([
            decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    else:
        raise ValueError(f"unknown pipeline {pre}")
    return tokenizer


def merges_of_scores(vocab, scores, markup):
    """The merges that SentencePiece's scores stand for: the best score first, then as the published conversion sorts."""
    merges = []
    for token, token_id in vocab.items():
        if token_id in markup:
            continue
        for at in range(1, len(token)):
            left, right = token[:at], token[at:]
            if left in vocab and right in vocab and vocab[left] not in markup and vocab[right] not in markup:
                merges.append((scores[token_id], len(left), len(right), left, right))
    merges.sort(key=lambda m: (-m[0], -m[1], -m[2]))
    return [(m[3], m[4]) for m in merges]


def from_gguf(path):
    fields = gguf.GGUFReader(path).fields
    get = lambda key: fields["tokenizer.ggml." + key].contents()
    tokens, types = get("tokens"), get("token_type")
    # Rows that only pad the embedding are in no published vocabulary.
    padding = {i for i, token in enumerate(tokens) if token == f"[PAD{i}]"}
    vocab = {token: i for i, token in enumerate(tokens) if i not in padding}
    if get("model") == "llama":
        markup = {i for i, kind in enumerate(types) if kind not in (1, 4)}
        model = models.BPE(vocab=vocab, merges=merges_of_scores(vocab, get("scores"), markup), byte_fallback=True,
                           fuse_unk=True, unk_token="<unk>")
        tokenizer = set_pipeline(Tokenizer(model), "llama")
    else:
        merges = [tuple(merge.split(" ")) for merge in get("merges")]
        pre = get("pre")
        tokenizer = set_pipeline(Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=pre == "llama-bpe")), pre)
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for i, t in enumerate(tokens)
                                  if types[i] in (2, 3)])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for i, t in enumerate(tokens)
                          if types[i] == 4 and i not in padding])
    return tokenizer
