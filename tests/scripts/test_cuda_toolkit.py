"""Which CUDA toolkits the build takes: cmake/KvmendCuda.cmake, given an nvcc that says its release and no more."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@unittest.skipUnless(shutil.which("cmake"), "cmake is not installed")
class Toolkit(unittest.TestCase):
    def configure(self, release: str, mode: str) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory() as folder:
            home = pathlib.Path(folder) / "cuda"
            (home / "bin").mkdir(parents=True)
            (home / "include").mkdir()
            for header in ("cublas_v2.h", "cuda_bf16.h"):
                (home / "include" / header).touch()
            nvcc = home / "bin" / "nvcc"
            nvcc.write_text(f"#!/bin/sh\necho 'Cuda compilation tools, release {release}, V{release}.0'\n")
            nvcc.chmod(0o755)
            project = pathlib.Path(folder) / "CMakeLists.txt"
            project.write_text(
                "cmake_minimum_required(VERSION 3.25)\nproject(toolkit NONE)\n"
                f"include({ROOT}/cmake/KvmendCuda.cmake)\nmessage(STATUS \"nvcc: '${{KVMEND_NVCC}}'\")\n"
            )
            return subprocess.run(
                ["cmake", "-S", folder, "-B", f"{folder}/build", f"-DKVMEND_CUDA={mode}"],
                env={**os.environ, "CUDA_HOME": str(home)}, capture_output=True, text=True, check=False,
            )

    def test_a_toolkit_that_is_new_enough_is_taken(self):
        for release in ("13.0", "13.2", "14.1"):
            run = self.configure(release, "AUTO")
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn("cuda/bin/nvcc'", run.stdout)

    def test_an_older_one_is_left_aside_and_said(self):
        for release in ("11.8", "12.9"):
            run = self.configure(release, "AUTO")
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn(f"is of CUDA 'release {release}', and 13 is needed", run.stdout)
            self.assertIn("nvcc: ''", run.stdout)

    def test_an_older_one_is_an_error_where_cuda_is_asked_for(self):
        for mode in ("ON", "EMULATED"):
            run = self.configure("11.8", mode)
            self.assertNotEqual(run.returncode, 0)
            self.assertIn("13 is needed", " ".join(run.stderr.split()))


if __name__ == "__main__":
    unittest.main()
