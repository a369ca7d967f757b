#!/usr/bin/env python3
"""Scores of LongBench's metrics by the packages that its scorer takes them from (rouge 1.0.1, jieba 0.42.1, fuzzywuzzy
0.18.0 without python-Levenshtein: difflib), and by a second implementation of the rules that are its own.

    pip install rouge==1.0.1 jieba==0.42.1 fuzzywuzzy==0.18.0
    scripts/golden/longbench_metrics.py [FOLDER]          FOLDER: tests/data/eval

Writes jieba-tiny/ (a dictionary and tables of ours in jieba's form), longbench.jsonl.gz ([metric, prediction, references,
classes, score]; Chinese words by the tiny dictionary), jieba-tiny.jsonl.gz ([text, words]) and jieba.jsonl.gz (both kinds
of lines, by jieba's own dictionary).
"""
import collections
import gzip
import json
import math
import pathlib
import random
import re
import string
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
import jieba  # noqa: E402
from fuzzywuzzy import fuzz  # noqa: E402
from jieba import finalseg  # noqa: E402
from rouge import Rouge  # noqa: E402

sys.setrecursionlimit(100000)  # rouge walks back by recursion
jieba.setLogLevel(60)

WORDS = """中国 中国人 人民 人民币 北京 北京市 北京大学 大学 大学生 学生 生活 活动 我们 他们 今天 天气 天 气 很 好 好的 不好 不 的 了 在 是
是不是 有 没有 研究 研究生 研究生命 生命 命 起源 起 源 一 一个 个 个人 二 三 第一 第一次 次 年 月 日 一九九八年 号 上海 上海市 市 市长
长江 长江大桥 大桥 江大桥 南京 南京市 南京市长 段落 问题 回答 答案 文章 根据 以上 基于 给定 的话 话 说 说话 这 这个 那 那个 哪里 什么
为什么 因为 所以 但是 虽然 如果 就 就是 都 也 还 还是 和 与 或 或者 公司 有限公司 科技 科学 科学家 家 国家 家庭 庭院 医院 医生 生日
快乐 音乐 乐队 队长 长城 城市 AT&T C++ c# T恤 B超 卡拉OK 3D打印 1号店 e-mail .NET A_B 50%off""".split()
RARE = "龘靐齉魑魅魍魉㐀䶵鿕\u9fd6\u9fff\U00020000\U0002a6d6"
ASCII = ["abc", "A", "3.14", "100%", "2.5%", "1.", ".5", "v1.2.3", "C++", "AT&T", "x-y", "a_b", "#1", "+", "-", "%", "&", "OK", "0"]
MARKS = list("，。！？；：、《》〈〉「」“”‘’…—·（）~～,.!?;:'\"()[]{}@$^*=|\\/<> \t\n\r\u3000\xa0") + ["\r\n", "\n\n", "\u200b", "é", "Я", "の", "한", "１", "٣"]
CN_MARKS = "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏."


def write_tiny(folder, rng):
    """A dictionary and tables with the oddities the algorithm must survive: prefixes, zero counts, doubled words."""
    lines = [f"{word} {rng.choice([1, 2, 3, 10, 50, 400, 3000, 20000])} n" for word in WORDS]
    lines += ["天气 7 n", "研究员会 0 n", "好 5", "学 1 v"]
    (folder / "dict.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    chars = sorted({c for word in WORDS for c in word if "\u4e00" <= c <= "\u9fd5"})
    log = lambda: -round(rng.uniform(0.5, 12), rng.randrange(1, 16))  # noqa: E731
    tables = {"prob_start": {"B": -0.26268, "E": -3.14e100, "M": -3.14e100, "S": -1.465},
              "prob_trans": {"B": {"E": -0.51, "M": -0.92}, "E": {"B": -0.59, "S": -0.81}, "M": {"E": -0.33, "M": -1.26},
                             "S": {"B": -0.72, "S": -0.67}},
              "prob_emit": {state: {c: log() for c in chars if rng.random() < 0.8} for state in "BEMS"}}
    for name, table in tables.items():
        (folder / f"{name}.py").write_text("P=" + repr(table).encode("ascii", "backslashreplace").decode() + "\n")
    return tables


def use_tiny(folder, tables, scratch):
    finalseg.start_P, finalseg.trans_P, finalseg.emit_P = (tables[n] for n in ("prob_start", "prob_trans", "prob_emit"))
    tokenizer = jieba.Tokenizer(str(folder / "dict.txt"))
    tokenizer.tmp_dir = scratch
    return tokenizer


def chinese_text(rng, words, longest):
    chars = [c for word in words for c in word]
    parts = []
    for _ in range(rng.randrange(longest)):
        kind = rng.random()
        parts.append(rng.choice(words) if kind < 0.55 else rng.choice(chars) if kind < 0.75 else
                     rng.choice(ASCII) if kind < 0.84 else rng.choice(MARKS) if kind < 0.96 else rng.choice(RARE))
    return "".join(parts)


def mutate(rng, text, words):
    chars = list(text)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(chars) + 1)
        how = rng.random()
        if how < 0.4:
            chars[at:at] = rng.choice(words)
        elif how < 0.7:
            del chars[at:at + rng.randrange(1, 6)]
        else:
            chars = chars[at:] + chars[:at]
    return "".join(chars)


# The scorer's own rules, written from their description.
def best(score):
    return lambda prediction, references, classes: max(score(prediction, r, classes) for r in references)


def normalize_zh(text):
    marks = set(string.punctuation) | set(CN_MARKS)
    return "".join("".join(c for c in text.lower() if c not in marks).split())


def f1_zh_by(cut):
    def score(prediction, reference, _):
        got, expected = ([n for n in map(normalize_zh, cut(text)) if n] for text in (prediction, reference))
        same = sum((collections.Counter(got) & collections.Counter(expected)).values())
        return 2 * (same / len(got)) * (same / len(expected)) / (same / len(got) + same / len(expected)) if same else 0.0
    return best(score)


def rouge_l(prediction, reference, _=None):
    try:
        return Rouge().get_scores([prediction], [reference], avg=True)["rouge-l"]["f"]
    except ValueError:  # an empty side
        return 0.0


def rouge_l_zh_by(cut):
    return best(lambda p, r, _: rouge_l(" ".join(cut(p)), " ".join(cut(r))))


def classification(prediction, reference, classes, official=True):
    named = [name for name in classes if name in prediction]
    for name in named if official else list(named):
        if name in reference and name != reference:
            named.remove(name)
    return 1.0 / len(named) if reference in named else 0.0


def count(prediction, reference, _):
    numbers = re.findall(r"\d+", prediction)
    return numbers.count(reference) / len(numbers) if numbers else 0.0


def retrieval(label):
    def score(prediction, reference, _):
        return count(prediction, (re.findall(label + r"(\d+)", reference) or ["none"])[0], None)
    return best(score)


def code_similarity(prediction, reference, _):
    for line in prediction.lstrip("\n").split("\n"):
        if not any(mark in line for mark in ("`", "#", "//")):
            prediction = line
            break
    return fuzz.ratio(prediction, reference) / 100


ENGLISH = """the a of and in to was report city council budget said year 2011 percent Mr. members U.S. government it its which had
new would people “quoted” (see) — state; plan, fire, school 3.5 million e.g. ... water river bridge naïve 東京""".split()


def english_text(rng, longest):
    words = [rng.choice(ENGLISH) + rng.choice(["", "", "", "", ".", ". ", ",", "\n"]) for _ in range(rng.randrange(longest))]
    return rng.choice([" ", " ", "  "]).join(words)


CODE = """self . return if else for in range ( ) ( ) [ ] { } = == += -> def import None True len(x) i i i x 0 1 "" 'a' , : ; // # ` é 東
    public static void int String value result std::vector<int> &amp; != <= lambda ... __init__ \t""".split(" ")


def code_text(rng, longest):
    parts = [rng.choice(CODE) for _ in range(rng.randrange(longest))]
    return "".join(part + rng.choice(["", " ", "", "\n" if rng.random() < 0.15 else ""]) for part in parts)


def english_cases(rng):
    for i in range(700):
        reference = english_text(rng, rng.choice([5, 30, 120]))
        near = rng.random() < 0.7
        prediction = mutate(rng, reference, [w + " " for w in ENGLISH]) if near else english_text(rng, 60)
        yield "rouge_l", prediction, [reference] + ([english_text(rng, 30)] if i % 5 == 0 else []), []


def code_cases(rng):
    for prediction, reference in [("", ""), ("", "x"), ("x", ""), ("\n\n", ""), ("# a\n// b", "# a\n// b"), ("```\nx = 1\n```", "x = 1"),
                                  ("a" * 250, "a" * 250 + "b"), ("ab" * 150, "ba" * 150), ("b" + "a" * 199, "a" * 200)]:
        yield "code_similarity", prediction, [reference], []
    for _ in range(1300):
        reference = code_text(rng, rng.choice([6, 20, 60, 140]))
        near = rng.random() < 0.75
        yield "code_similarity", mutate(rng, reference, CODE) if near else code_text(rng, 60), [reference], []


def label_cases(rng):
    names = ["Human", "Human being", "Human being group", "group", "Number of something", "Number", "Date", "D", "体育", "体育新闻", "", "Human"]
    for _ in range(700):
        classes = rng.sample(names, rng.randrange(2, len(names)))
        prediction = rng.choice(["", "Type: ", "\n"]) + " ".join(rng.choice(names) for _ in range(rng.randrange(1, 4)))
        reference = rng.choice(classes)
        for metric in ("classification", "classification_strict"):
            yield metric, prediction, [reference], classes
    digits = ["7", "12", "07", "12.5", "Paragraph 7", "Paragraph 12", "段落7", "段落12", "the 7th", "twelve", "٣", "１２", "-7", "7,12", "Paragraph x"]
    for _ in range(700):
        prediction = rng.choice([" ", "", ", "]).join(rng.choice(digits) for _ in range(rng.randrange(0, 6)))
        yield "count", prediction, [rng.choice(["7", "12", "1", "٣"])], []
        yield "retrieval", prediction, [rng.choice(["Paragraph 7", "Paragraph 12", "Paragraph  1 Paragraph 12"])], []
        yield "retrieval_zh", prediction, [rng.choice(["段落7", "段落12", "答案是段落12。"])], []


def chinese_cases(rng, words, count_):
    for i in range(count_):
        reference = chinese_text(rng, words, rng.choice([4, 15, 60]))
        prediction = mutate(rng, reference, words) if rng.random() < 0.7 else chinese_text(rng, words, 30)
        references = [reference] + ([chinese_text(rng, words, 15)] if i % 4 == 0 else [])
        yield "f1_zh", prediction, references, []
        yield "rouge_l_zh", prediction, references, []


def scored(cases, cut):
    scores = {"f1_zh": f1_zh_by(cut), "rouge_l_zh": rouge_l_zh_by(cut), "rouge_l": best(rouge_l),
              "classification": best(classification), "count": best(count),
              "classification_strict": best(lambda p, r, c: classification(p, r, c, official=False)),
              "retrieval": retrieval("Paragraph "), "retrieval_zh": retrieval("段落"), "code_similarity": best(code_similarity)}
    for metric, prediction, references, classes in cases:
        score = scores[metric](prediction, references, classes)
        assert math.isfinite(score)
        yield [metric, prediction, references, classes, int(score) if score in (0, 1) else score]


def write(path, rows):
    lines = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    with open(path, "wb") as out, gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as packed:
        packed.write(lines.encode("utf-8"))
    print(f"{path}: {lines.count(chr(10))} lines, {path.stat().st_size} bytes")


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/data/eval")
    tiny = folder / "jieba-tiny"
    tiny.mkdir(parents=True, exist_ok=True)
    rng = random.Random(11)
    own = jieba.dt
    real_tables = finalseg.start_P, finalseg.trans_P, finalseg.emit_P
    with tempfile.TemporaryDirectory() as scratch:
        small = use_tiny(tiny, write_tiny(tiny, rng), scratch)
        texts = [chinese_text(rng, WORDS, rng.choice([3, 10, 40])) for _ in range(2500)]
        write(folder / "jieba-tiny.jsonl.gz", ([text, list(small.cut(text))] for text in texts))
        cases = [*english_cases(rng), *code_cases(rng), *label_cases(rng), *chinese_cases(rng, WORDS, 900)]
        write(folder / "longbench.jsonl.gz", scored(cases, lambda text: list(small.cut(text))))
    finalseg.start_P, finalseg.trans_P, finalseg.emit_P = real_tables
    own.initialize()
    known = rng.sample(sorted(word for word, uses in own.FREQ.items() if uses), 3000) + WORDS * 3
    texts = [chinese_text(rng, known, rng.choice([3, 10, 40])) for _ in range(2000)]
    rows = [[text, list(own.cut(text))] for text in texts]
    write(folder / "jieba.jsonl.gz", [*rows, *scored(chinese_cases(rng, known, 500), lambda text: list(own.cut(text)))])


if __name__ == "__main__":
    main()
