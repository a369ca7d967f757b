"""Token ids with byte spans, by the `tokenizers` library: from tokenizer.json, or from a GGUF's vocabulary and merges."""
import functools
import pathlib

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers


@functools.cache
def tokenizer_of(path: pathlib.Path) -> Tokenizer:
    return from_gguf(path) if path.suffix == ".gguf" else Tokenizer.from_file(str(path / "tokenizer.json"))


def from_gguf(path: pathlib.Path) -> Tokenizer:
    """SmolLM's pipeline: digits one by one, then GPT-2's split into bytes."""
    import gguf

    fields = gguf.GGUFReader(path).fields
    assert fields["tokenizer.ggml.pre"].contents() == "smollm"
    names, kinds = fields["tokenizer.ggml.tokens"].contents(), fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE(vocab={name: i for i, name in enumerate(names)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    control = 3
    tokenizer.add_special_tokens([AddedToken(n, normalized=False) for n, kind in zip(names, kinds) if kind == control])
    return tokenizer


def tokenize(path: pathlib.Path, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """ids, and each one's [begin, end) in characters, which are bytes: the prompts here are ASCII."""
    assert text.isascii()
    encoding = tokenizer_of(path).encode(text, add_special_tokens=False)
    return encoding.ids, [tuple(span) for span in encoding.offsets]
