#!/usr/bin/env python3
"""Writes tests/data/eval/metrics.jsonl: scores of lib/eval's metrics by a second implementation, written from the
rules (BENCHMARKS: formulas) without looking at ours.

    scripts/golden/metrics.py [--check-rouge] > tests/data/eval/metrics.jsonl

--check-rouge compares rouge_l with the Python package `rouge` where that is installed. The first line names the metrics;
every other line is [prediction, [references], [scores]] in that order.
"""

import collections
import json
import random
import re
import string
import sys

STOP_WORDS = set("""about after all also am and any are as at be been before being but by can did do does for from had has
have he her him his how i if in into is it its me my no not of off on or our out she so some than that their them then
there these they this those to too up us was we were what when where which who whom why will with would you your""".split())


def normalize(text):
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def cleaned(prediction):
    return re.sub(r"[\x00-\x1f]", "\n", prediction.strip()).strip().lower()


def string_match_all(prediction, references):
    return sum(r.lower() in cleaned(prediction) for r in references) / len(references)


def string_match_part(prediction, references):
    return float(any(r.lower() in cleaned(prediction) for r in references))


def f1_one(prediction, reference):
    got, expected = normalize(prediction).split(), normalize(reference).split()
    same = sum((collections.Counter(got) & collections.Counter(expected)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(got), same / len(expected)
    return 2 * precision * recall / (precision + recall)


def exact_match_one(prediction, reference):
    return float(normalize(prediction) == normalize(reference))


def substring_one(prediction, reference):
    expected = normalize(reference)
    return float(expected != "" and expected in normalize(prediction))


def keyword_recall_one(prediction, reference):
    every = set(normalize(reference).split())
    wanted = {word for word in every if word not in STOP_WORDS} or every
    if not wanted:
        return 0.0
    return len(wanted & set(normalize(prediction).split())) / len(wanted)


def lcs_words(x, y):
    """Words of one longest common subsequence; where two ways are equally long, y is shortened."""
    table = [[0] * (len(y) + 1) for _ in range(len(x) + 1)]
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    words, i, j = set(), len(x), len(y)
    while i and j:
        if x[i - 1] == y[j - 1]:
            words.add(x[i - 1])
            i, j = i - 1, j - 1
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return words


def rouge_l_one(prediction, reference):
    def sentences(text):
        return [" ".join(part.split()).split(" ") for part in text.split(".") if part]

    got, expected = sentences(prediction), sentences(reference)
    if not got or not expected:
        return 0.0
    common = set()
    for x in expected:
        for y in got:
            common |= lcs_words(x, y)
    recall = len(common) / len(set(sum(expected, [])))
    precision = len(common) / len(set(sum(got, [])))
    return 2.0 * ((precision * recall) / (precision + recall + 1e-8))


def best(score):
    return lambda prediction, references: max(score(prediction, reference) for reference in references)


METRICS = {"string_match_all": string_match_all, "string_match_part": string_match_part, "f1": best(f1_one),
           "exact_match": best(exact_match_one), "substring": best(substring_one),
           "keyword_recall": best(keyword_recall_one), "rouge_l": best(rouge_l_one)}

WORDS = """the a an The A AN of in and it is was red fox bridge Brill 1874 7431902 7,431,902 lucid-harbor don't U.S. e.g.
c31edbbc-f36c-462b-892e-6161be2d740a naïve Ærø Straße STRASSE İstanbul ΣΟΦΟΣ σοφος ǅ ﬁne café café 東京 は 数字 Ⅷ ½ ٣ été
"quoted" (paren) [x] {y} a_b under_the the_ _a an- -the- …  – — « » 100% $5 @home #1 a.b..c ... ? ! , ; : ' ` ~ ^ | \\ / * +
<s> </s> \U0001f600 \u200b \ufeff""".split()
SPACES = [" ", " ", " ", " ", "  ", "\n", "\t", "\u00a0", "\u2003", "\u3000", "\x0b", "\x1c", "\x1f", "\x85", "\u2028"]
ALPHABET = "aAbt heT.,'-_\u00e9\u03a3\u0130\u1e9e\u6771\x00\x01\x07\x1b\x1d\x7f\u00a0\u2009"


def random_text(rng, longest):
    kind = rng.random()
    if kind < 0.15:
        return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(0, longest * 3)))
    words = [rng.choice(WORDS if kind < 0.8 else WORDS[:16]) for _ in range(rng.randrange(0, longest))]
    return "".join(word + rng.choice(SPACES) + ("." if rng.random() < 0.08 else "") for word in words)


def mutate(rng, text):
    """Something near `text`, so that scores are not all 0."""
    how = rng.randrange(6)
    words = text.split(" ")
    if how == 0:
        return text.upper()
    if how == 1:
        return "The answer is " + text + "."
    if how == 2:
        rng.shuffle(words)
        return " ".join(words)
    if how == 3:
        return " ".join(word for word in words if rng.random() < 0.7)
    if how == 4:
        return text + "\x00" + random_text(rng, 8)
    return " ".join(word if rng.random() < 0.7 else rng.choice(WORDS) for word in words)


def pairs(rng, count):
    fixed = ["", " ", "the", "a", ".", "..", " . ", "\x00", "A", "an apple", "An  Apple!", "apple.", "no", "is it"]
    for prediction in fixed:
        for reference in fixed:
            yield prediction, [reference]
    for _ in range(count):
        references = [random_text(rng, rng.choice([3, 6, 15])) for _ in range(rng.choice([1, 1, 2, 4]))]
        near = rng.random() < 0.7
        yield mutate(rng, rng.choice(references)) if near else random_text(rng, 20), references


def check_rouge(cases):
    from rouge import Rouge
    scorer, checked = Rouge(), 0
    for prediction, references in cases:
        for reference in references:
            try:
                theirs = scorer.get_scores([prediction], [reference], avg=True)["rouge-l"]["f"]
            except ValueError:  # "Hypothesis is empty": LongBench's scorer counts 0
                theirs = 0.0
            assert abs(theirs - rouge_l_one(prediction, reference)) < 1e-12, (prediction, reference, theirs)
            checked += 1
    print(f"{checked} rouge_l scores equal the package's", file=sys.stderr)


def main():
    cases = list(pairs(random.Random(7), 2500))
    if "--check-rouge" in sys.argv:
        check_rouge(cases)
    print(json.dumps(list(METRICS)))
    for prediction, references in cases:
        scores = [score(prediction, references) for score in METRICS.values()]
        print(json.dumps([prediction, references, [int(s) if s in (0, 1) else s for s in scores]], separators=(",", ":")))


if __name__ == "__main__":
    main()
