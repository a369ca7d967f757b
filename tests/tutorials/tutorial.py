"""A page of docs/ as a shell script: its sh blocks are run, its other blocks are the files named before them, and its text
blocks are what the command before them printed."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("KVMEND_BUILD", ROOT / "build/release"))
BLOCK = re.compile(r"(?:`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.M | re.S)


class Page:
    def __init__(self, name):
        self.text = (ROOT / "docs" / name).read_text()
        self.blocks = [match.groups() for match in BLOCK.finditer(self.text)]

    def files(self):
        return {name: body for name, _, body in self.blocks if name}

    def script(self):
        """Bash that stops at the first command that fails, unless a text block shows what it complained of."""
        lines = ["set -eo pipefail"]
        for (name, language, body), (_, following, printed) in zip(self.blocks, self.blocks[1:] + [(None, "", "")]):
            if name:
                lines.append(f"cat > {name} <<'END_OF_FILE'\n{body}END_OF_FILE")
            elif language == "sh":
                body = body.replace("build/release", str(BUILD)).strip()
                if following == "text":
                    expected = printed.strip()
                    body = f"({body}) > printed 2>&1 || true\ncat printed\ngrep -qF -- \"$(cat <<'END'\n{expected}\nEND\n)\" printed"
                lines.append(body)
        return "\n".join(lines)

    def follow(self, test):
        """Runs the page in a home of its own, with a tiny model of the name it uses. Returns its output and the home."""
        home = pathlib.Path(tempfile.mkdtemp(prefix="kvmend-tutorial-"))
        test.addCleanup(shutil.rmtree, home)
        (home / "models").mkdir()
        (home / "models/smollm2-135m").symlink_to(ROOT / "tests/data/models/tiny-llama")
        environment = os.environ | {"HOME": str(home), "KVMEND_MODELS": str(home / "models"),
                                    "PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-c", self.script()], cwd=ROOT, env=environment, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        test.assertEqual(done.returncode, 0, done.stdout[-4000:])
        return done.stdout, home
