"""docs/scores-in-python.md: ids out, scores back, a paired sweep."""
import json
import subprocess
import unittest

from tutorial import BUILD, Page


class Scores(unittest.TestCase):
    def test_followed_word_for_word(self):
        page = Page("scores-in-python.md")
        printed, home = page.follow(self)
        self.assertIn("40 results computed", printed)  # 4 samples of 2 + 4 × 2 cells
        scores = {}
        for line in (home / "scores/near.jsonl").read_text().splitlines():
            scores[json.loads(line)["id"]] = json.loads(line)["scores"]
        self.assertEqual(len(scores), 4)
        rows = {store: [json.loads(line) for line in
                        subprocess.run([BUILD / "bin/kvmend", "export", home / f"scores/{store}.kvmend"],
                                       capture_output=True, text=True, check=True).stdout.splitlines()]
                for store in ("near", "folder")}
        chosen = {store: {(row["label"], row["ratio"], row["sample"]): row["selected"] for row in rows[store]}
                  for store in rows}
        self.assertEqual(chosen["near"], chosen["folder"])  # arrays select what lines do
        checked = 0
        for row in rows["near"]:
            self.assertEqual(row["status"], "ok")
            if row["label"] != "near the question":
                continue
            mine = scores[row["sample"]]
            self.assertEqual(len(mine), row["n_context"])
            prefix = next((unit["end"] for unit in row["units"] if unit["kind"] == "prefix"), row["units"][0]["end"])
            best = sorted(range(prefix, len(mine)), key=lambda j: (-mine[j], j))  # rows exact anyway rank last
            self.assertEqual(row["selected"], sorted(best[:int(row["ratio"] * len(mine))]))
            checked += 1
        self.assertEqual(checked, 8)


if __name__ == "__main__":
    unittest.main()
