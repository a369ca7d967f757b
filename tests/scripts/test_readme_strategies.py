"""scripts/readme_strategies against a kvmend that lists what the test says. That the README itself is current is ctest's
`readme`."""
import json
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTED = [
    {"name": "ours", "summary": "a|b", "source": "", "labels": "[O] ours"},
    {"name": "later", "summary": "second", "source": "arXiv 2602.1", "labels": "[2] all"},
    {"name": "early", "summary": "first", "source": "arXiv 2405.1", "labels": "[P] r*len of a*b"},
    {"name": "full", "summary": "everything", "source": "", "labels": "exact"},
]
TABLE = """| name | what it does | source | labels |
|---|---|---|---|
| `full` | everything |  | exact |
| `early` | first | arXiv 2405.1 | [P] r·len of a·b |
| `later` | second | arXiv 2602.1 | [2] all |
| `ours` | a\\|b |  | [O] ours |
"""


class ReadmeStrategies(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.addCleanup(self.holder.cleanup)
        self.folder = pathlib.Path(self.holder.name)
        self.readme = self.folder / "README.md"
        self.kvmend = self.folder / "kvmend"
        self.kvmend.write_text(f"#!/bin/sh\n[ \"$*\" = 'list strategies --json' ] && cat <<'E'\n{json.dumps(LISTED)}\nE\n")
        self.kvmend.chmod(0o755)

    def run_script(self, *options):
        return subprocess.run([ROOT / "scripts/readme_strategies", "--readme", self.readme, "--kvmend", self.kvmend,
                               *options], capture_output=True, text=True, check=False)

    def test_the_table_is_written_and_then_current(self):
        self.readme.write_text("# x\n\n<!-- scripts/readme_strategies -->\n| old |\n<!-- /scripts/readme_strategies -->\n\nend\n")
        stale = self.run_script("--check")
        self.assertEqual(stale.returncode, 1)
        self.assertIn("is not what `kvmend list strategies` says; scripts/readme_strategies writes it", stale.stderr)
        self.assertIn("| old |", self.readme.read_text())
        self.assertEqual(self.run_script().returncode, 0)
        self.assertEqual(self.readme.read_text(), "# x\n\n<!-- scripts/readme_strategies -->\n" + TABLE +
                         "<!-- /scripts/readme_strategies -->\n\nend\n")
        self.assertEqual(self.run_script("--check").returncode, 0)

    def test_what_is_missing_is_said(self):
        self.readme.write_text("# no table\n")
        without = self.run_script("--check")
        self.assertEqual(without.returncode, 2)
        self.assertIn("no lines <!-- scripts/readme_strategies -->", without.stderr)
        self.kvmend.unlink()
        nobody = self.run_script()
        self.assertEqual(nobody.returncode, 2)
        self.assertIn("does not list its strategies", nobody.stderr)


if __name__ == "__main__":
    unittest.main()
