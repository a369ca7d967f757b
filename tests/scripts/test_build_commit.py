"""cmake/BuildCommit.cmake: the commit that a build is from, as a source file that changes with it only."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "cmake/BuildCommit.cmake"
GIT = shutil.which("git")


class BuildCommit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source = pathlib.Path(folder.name) / "source"
        self.source.mkdir()
        self.output = pathlib.Path(folder.name) / "generated/build_commit.cpp"

    def written(self, git=GIT or ""):
        subprocess.run(["cmake", f"-DGIT={git}", f"-DSOURCE={self.source}", f"-DOUTPUT={self.output}", "-P", SCRIPT],
                       check=True)
        return self.output.read_text().split('"')[1]

    def git(self, *arguments):
        alone = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run(
            [GIT, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", *arguments],
            cwd=self.source, env=alone, check=True, capture_output=True, text=True).stdout.strip()

    @unittest.skipUnless(GIT, "Git is not installed")
    def test_commit_and_changes(self):
        self.git("init", "-q")
        (self.source / "file").write_text("a")
        self.git("add", "file")
        self.git("commit", "-qm", "one")
        commit = self.git("rev-parse", "--short", "HEAD")
        self.assertEqual(self.written(), commit)
        os.utime(self.output, (1, 1))
        self.assertEqual(self.written(), commit)
        self.assertEqual(self.output.stat().st_mtime, 1, "nothing changed: nothing is compiled")
        (self.source / "file").write_text("b")
        self.assertEqual(self.written(), commit + "-dirty")

    def test_unknown_without_git_or_in_a_tarball(self):
        self.assertEqual(self.written(git="GIT_EXECUTABLE-NOTFOUND"), "unknown")
        self.assertEqual(self.written(), "unknown")


if __name__ == "__main__":
    unittest.main()
