"""scripts/parallel and scripts/slurm/submit with stand-ins for kvmend and sbatch; scripts/slurm/test runs a real Slurm."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KVMEND = """#!/bin/bash
[[ $1 == merge ]] && { shift; out=$1; shift; cat "$@" > "$out"; exit; }
while (($#)); do
  case $1 in -o) out=$2 ;; --shard) shard=$2 ;; --set) set=$2 ;; *.yaml) configs+=" $1" ;; esac
  shift
done
echo "$shard $set$configs" > "$out"
[[ $shard != "$FAIL" ]] || exit 5
"""
SBATCH = """#!/bin/bash
printf '%s\\n' "$@" ---- >> calls
echo $(($(grep -c -- ---- calls) + 40))
"""


class Cluster(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "sweep.yaml").write_text("name: sweep\n")
        self.program("kvmend", KVMEND)

    def program(self, name, text):
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run_script(self, script, *arguments, path=None, **environment):
        path = path or f"{self.folder}/bin:{os.environ['PATH']}"
        return subprocess.run([ROOT / "scripts" / script, *arguments], cwd=self.folder, capture_output=True, text=True,
                              env=os.environ | {"PATH": path, "KVMEND": str(self.folder / "bin/kvmend")} | environment)

    def check_parallel(self, path=None):
        done = self.run_script("parallel", "3", "sweep.yaml", "it's small.yaml", "--", "--set", "name='a $b'", path=path, FAIL="")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.folder / "it's small.kvmend").read_text(),
                         "".join(f"{i}/3 name='a $b' sweep.yaml it's small.yaml\n" for i in (1, 2, 3)))
        failed = self.run_script("parallel", "3", "sweep.yaml", "b.kvmend", path=path, FAIL="2/3")
        self.assertNotEqual(failed.returncode, 0)
        self.assertEqual((self.folder / "b.kvmend").read_text().count("/3"), 3)  # merged all the same

    def test_shards_run_and_are_merged(self):
        self.check_parallel()

    def test_without_gnu_parallel_xargs_does_it(self):
        for name in ("bash", "env", "dirname", "basename", "mkdir", "seq", "xargs", "cat", "sed", "grep"):
            os.makedirs(self.folder / "few", exist_ok=True)
            os.symlink(shutil.which(name), self.folder / "few" / name)
        self.check_parallel(path=str(self.folder / "few"))

    def test_a_wrong_number_of_processes_is_refused(self):
        refused = self.run_script("parallel", "0", "sweep.yaml")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("'0' is no number of processes", refused.stderr)
        for arguments, words in ((["3"], "which CONFIG?"), (["3", "a.yaml", "--set", "x=1"], "unknown argument '--set'"),
                                 (["3", "a.yaml", "a.kvmend", "b.kvmend"], "two stores to merge into")):
            refused = self.run_script("parallel", *arguments)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(words, refused.stderr)

    def test_submit_queues_an_array_and_its_merge(self):
        self.program("sbatch", SBATCH)
        done = self.run_script("slurm/submit", "--shards", "5", "--kvmend", "bin/kvmend", "-o", "out.kvmend", "sweep.yaml",
                               "--", "--gres=gpu:1")
        self.assertEqual(done.returncode, 0, done.stderr)
        array, merge = (self.folder / "calls").read_text().split("----\n")[:2]
        for option in ("--array=1-5", "--requeue", "--gres=gpu:1", "--signal=B:USR1@120"):
            self.assertIn(option + "\n", array)
        self.assertIn("--dependency=afterany:41\n", merge)
        self.assertTrue((self.folder / "out.d").is_dir())

    def test_the_merge_runs_where_the_array_may_and_tasks_get_the_runs_options(self):
        self.program("sbatch", SBATCH)
        done = self.run_script("slurm/submit", "--shards", "2", "--kvmend", "bin/kvmend", "sweep.yaml", "--",
                               "--account=lab", "-p", "gpu long", "--qos", "high", "--reservation=r1", "--gres=gpu:1", "--mem=64G",
                               "--time=04:00:00", "--", "--set", "tasks.*.samples=5", "--device", "cuda")
        self.assertEqual(done.returncode, 0, done.stderr)
        array, merge = (self.folder / "calls").read_text().split("----\n")[:2]
        for option in ("--account=lab\n", "-p\ngpu long\n", "--qos\nhigh\n", "--reservation=r1\n"):
            self.assertIn(option, array)
            self.assertIn(option, merge)
        for option in ("--gres=gpu:1", "--mem=64G", "--time=04:00:00"):
            self.assertIn(option + "\n", array)
            self.assertNotIn(option, merge)
        self.assertTrue(array.endswith("/sweep.yaml\n--set\ntasks.*.samples=5\n--device\ncuda\n"))
        self.assertNotIn("--set", merge)
        refused = self.run_script("slurm/submit", "--kvmend", "bin/kvmend", "sweep.yaml", "--", "--", "--shard", "1/2")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("--shard: each task's own", refused.stderr)

    def test_submit_says_what_it_lacks(self):
        for arguments, words in ((["--kvmend", "bin/kvmend"], "which CONFIG?"),
                                 (["--kvmend", "bin/kvmend", "none.yaml"], "none.yaml: cannot be read"),
                                 (["--shards", "x", "sweep.yaml"], "'x' is no number of shards"),
                                 (["--kvmend", "nothing", "sweep.yaml"], "nothing: no such program")):
            refused = self.run_script("slurm/submit", *arguments)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(words, refused.stderr)
            self.assertFalse((self.folder / "sweep.d").exists())


if __name__ == "__main__":
    unittest.main()
