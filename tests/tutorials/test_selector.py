"""docs/selector.md: a selector outside the tree, from an empty folder to a sweep."""
import json
import subprocess
import unittest

from tutorial import BUILD, ROOT, Page


class Selector(unittest.TestCase):
    def test_the_page_is_the_example(self):
        files = Page("selector.md").files()
        for name in ("rarity.cpp", "CMakeLists.txt"):
            self.assertEqual(files[name], (ROOT / "examples/my_selector" / name).read_text(), name)
        code = [line for line in files["rarity.cpp"].splitlines() if line.strip() and not line.startswith("//")]
        self.assertLess(len(code), 25)

    def test_followed_word_for_word(self):
        page = Page("selector.md")
        printed, home = page.follow(self)
        self.assertIn("power (number, default 1)", printed)
        self.assertIn("48 results computed", printed)  # 4 samples of 2 + 5 × 2 cells
        rows = [json.loads(line) for line in subprocess.run(
            [BUILD / "bin/kvmend", "export", home / "my_selector/mine.kvmend"], capture_output=True, text=True,
            check=True).stdout.splitlines()]
        self.assertEqual({row["status"] for row in rows}, {"ok"})
        chosen = {(row["label"], row["ratio"], row["sample"]): row["selected"] for row in rows}
        compared = differing = 0
        for (label, ratio, sample), selected in chosen.items():
            if label == "rarity (power: 0)":  # nothing but ProphetKV's attention
                compared += 1
                self.assertEqual(selected, chosen["prophetkv", ratio, sample])
                differing += selected != chosen["rarity (power: 1)", ratio, sample]
        self.assertEqual(compared, 8)
        self.assertGreater(differing, 0)


if __name__ == "__main__":
    unittest.main()
