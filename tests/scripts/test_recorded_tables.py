"""scripts/recorded_tables against a kvmend that repeats its arguments. That results/README.md itself is current is ctest's
`recorded`."""
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KVMEND = """#!/bin/sh
[ "$2" = broken.kvmend ] && { echo 'kvmend: broken.kvmend: no such store' >&2; exit 3; }
echo "$PWD: $*"
echo 'warning: on stderr' >&2
"""


class RecordedTables(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name).resolve()
        self.kvmend = self.folder / "kvmend"
        self.kvmend.write_text(KVMEND)
        self.kvmend.chmod(0o755)
        self.report = self.folder / "results" / "README.md"
        self.report.parent.mkdir()

    def run_script(self, *options):
        return subprocess.run([ROOT / "scripts/recorded_tables", "--report", self.report, "--kvmend", self.kvmend, *options],
                              capture_output=True, text=True, check=False)

    def test_each_table_is_what_its_command_prints_beside_the_report(self):
        self.report.write_text("# x\n<!-- kvmend table a.kvmend --where 'ratio=0.2' --format md -->\nold\n<!-- /kvmend -->\nwords\n"
                               "<!-- kvmend compare a.kvmend -->\n<!-- /kvmend -->\n")
        stale = self.run_script("--check")
        self.assertEqual(stale.returncode, 1)
        self.assertIn("not what kvmend prints", stale.stderr)
        self.assertIn("old", self.report.read_text())
        self.assertEqual(self.run_script().returncode, 0)
        beside = self.report.parent
        self.assertEqual(self.report.read_text(),
                         "# x\n<!-- kvmend table a.kvmend --where 'ratio=0.2' --format md -->\n"
                         f"{beside}: table a.kvmend --where ratio=0.2 --format md\n<!-- /kvmend -->\nwords\n"
                         f"<!-- kvmend compare a.kvmend -->\n```\n{beside}: compare a.kvmend\n```\n<!-- /kvmend -->\n")
        self.assertEqual(self.run_script("--check").returncode, 0)

    def test_what_cannot_be_printed_is_said_and_nothing_is_written(self):
        for text, why in (("<!-- kvmend table broken.kvmend -->\n<!-- /kvmend -->\n", "no such store"),
                          ("# a report of prose\n", "no <!-- kvmend … --> block"),
                          ("<!-- kvmend run x.yaml -->\n<!-- /kvmend -->\n", "only table, compare, list"),
                          ("<!-- kvmend table a.kvmend -->\nno end\n", "without its <!-- /kvmend -->")):
            self.report.write_text(text)
            done = self.run_script()
            self.assertEqual(done.returncode, 2, why)
            self.assertIn(why, done.stderr)
            self.assertEqual(self.report.read_text(), text)


if __name__ == "__main__":
    unittest.main()
