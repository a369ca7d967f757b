"""scripts/cuda/kernel_table: what it reads out of the kernels' comments and of the compiler's words. Needs no compiler."""
import importlib.machinery
import importlib.util
import pathlib
import sys
import unittest

PATH = pathlib.Path(__file__).resolve().parents[2] / "scripts/cuda/kernel_table"
LOADER = importlib.machinery.SourceFileLoader("kernel_table", str(PATH))
kernel_table = importlib.util.module_from_spec(importlib.util.spec_from_loader("kernel_table", LOADER))
sys.modules["kernel_table"] = kernel_table  # dataclasses look their module up
LOADER.exec_module(kernel_table)

MMA = "_ZN6kvmend3gpu13attention_mmaILi128ELb1ELb1E13__nv_bfloat16EEvv"


class KernelTable(unittest.TestCase):
    def test_every_kernel_states_its_work_and_floor(self):
        claims = kernel_table.claims()
        self.assertIn("attention_mma", claims)
        for name, (file, problem, work, floor, expected) in claims.items():
            with self.subTest(name, file=file, problem=problem):
                self.assertRegex(work, r"^[\d.]+ (MB|GFLOP)$")
                self.assertRegex(floor, r"^[\d.]+ (µs|ms)$")
                self.assertRegex(expected, r"^(\d+ % of (bandwidth|FLOPs)|latency, \d+ µs)")

    def test_floors_are_the_work_over_the_data_sheet(self):
        for name, (_, problem, work, floor, _) in kernel_table.claims().items():
            amount, unit = work.split()
            peak = 3.35e6 if unit == "MB" else 990e3 if "_mma" in name else 67e3  # in units of the work, a second
            time, of = floor.split()
            seconds = float(time) * (1e-6 if of == "µs" else 1e-3)
            with self.subTest(name, problem=problem):
                self.assertAlmostEqual(float(amount) / peak / seconds, 1, delta=0.25)

    def test_resources_are_the_largest_of_the_variants(self):
        kernels = {}
        ptx = f".visible .entry {MMA}(\n\t.param .b8 x[8]\n)\n.maxntid 128, 1, 1\n{{"
        log = (f"ptxas info    : Compiling entry function '{MMA}' for 'sm_80'\n"
               "    8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads\n"
               "ptxas info    : Used {} registers, used 1 barriers, 96 bytes smem\n")
        for registers in (100, 90):
            kernel_table.add_resources(kernels, ptx, log.format(registers), 80)
        kernel = kernels["attention_mma", 128, "wide"]
        self.assertEqual((kernel.threads, kernel.registers, kernel.static_shared), (128, {80: 100}, 96))
        self.assertEqual((kernel.spilled, kernel.instantiations), (32, 2))

    def test_occupancy(self):
        kernel = kernel_table.Kernel(threads=128, registers={80: 255, 90: 32})
        self.assertEqual(kernel_table.occupancy(kernel, 0, 80), 12)  # 256 · 32 registers a warp: 8 warps
        self.assertEqual(kernel_table.occupancy(kernel, 0, 90), 100)
        self.assertEqual(kernel_table.occupancy(kernel, 100 << 10, 90), 12)  # two blocks' shared memory
        self.assertEqual(kernel_table.occupancy(kernel_table.Kernel(threads=32, registers={90: 16}), 0, 90), 50)


if __name__ == "__main__":
    unittest.main()
