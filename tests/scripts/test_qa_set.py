"""The question set that ships: made by its script, every answer in its passage only, nothing that could be known."""
import json
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = ROOT / "datasets" / "data" / "qa_builtin.jsonl"


class QaSet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lines = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]

    def test_file_is_what_the_script_writes(self):
        made = subprocess.run([sys.executable, "-B", ROOT / "scripts/qa_set/make.py"], check=True, capture_output=True)
        self.assertEqual(made.stdout, FILE.read_bytes())

    def test_size_and_hops(self):
        self.assertGreaterEqual(len(self.lines), 200)
        self.assertGreaterEqual(sum(line["hops"] == 2 for line in self.lines), 40)
        self.assertEqual(len({line["id"] for line in self.lines}), len(self.lines))
        self.assertEqual(len({line["question"] for line in self.lines}), len(self.lines))
        for line in self.lines:
            self.assertEqual(len(line["passages"]), line["hops"])
            self.assertTrue(all(passage["gold"] for passage in line["passages"]))

    def test_answers_are_in_the_last_gold_passage_only(self):
        for line in self.lines:
            texts = [passage["text"].lower() for passage in line["passages"]]
            for answer in line["answers"]:
                self.assertIn(answer.lower(), texts[-1])
                self.assertNotIn(answer.lower(), line["question"].lower())
                for other in texts[:-1]:
                    self.assertNotIn(answer.lower(), other)

    def test_two_hops_are_linked_by_a_name(self):
        for line in self.lines:
            if line["hops"] == 2:
                first, second = line["passages"]
                self.assertIn(second["title"].lower(), first["text"].lower())
                self.assertNotIn(first["title"].lower(), second["text"].lower())

    def test_passages(self):
        passages = {passage["text"]: passage["title"] for line in self.lines for passage in line["passages"]}
        self.assertEqual(len(set(passages.values())), len(passages), "two passages share a title")
        for text in passages:
            self.assertTrue(60 <= len(text.split()) <= 120, text)
            self.assertNotRegex(text, r"\b[Aa] [aeio]|[{}]|  ")
        # Four words in a row that most of a passage shares with another one would make them look alike.
        grams = [{tuple(text.split()[i:i + 4]) for i in range(len(text.split()) - 3)} for text in passages]
        for i, one in enumerate(grams):
            for other in grams[:i]:
                self.assertLess(len(one & other) / min(len(one), len(other)), 0.6)


class Cards(unittest.TestCase):
    """The plain set of the quick start."""
    FILE = ROOT / "datasets" / "data" / "qa_cards.jsonl"

    def test_file_is_what_the_script_writes(self):
        made = subprocess.run([sys.executable, "-B", ROOT / "scripts/qa_set/cards.py"], check=True, capture_output=True)
        self.assertEqual(made.stdout, self.FILE.read_bytes())

    def test_every_answer_stands_once_in_its_passage_and_not_in_its_question(self):
        lines = [json.loads(line) for line in self.FILE.read_text(encoding="utf-8").splitlines()]
        self.assertGreaterEqual(len(lines), 100)
        self.assertEqual(len({line["question"] for line in lines}), len(lines))
        self.assertEqual(len({line["passages"][0]["title"] for line in lines}), len(lines))
        for line in lines:
            (answer,), (passage,) = line["answers"], line["passages"]
            self.assertEqual(passage["text"].count(answer), 1)
            self.assertNotIn(answer.lower(), (line["question"] + passage["title"]).lower())
            self.assertNotRegex(passage["text"], r"\b[Aa] [aeiou]|[{}]|  ")


if __name__ == "__main__":
    unittest.main()
