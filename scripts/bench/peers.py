"""Times kvmend and its peers in turn and prints medians and ratios. Started by scripts/bench/peers."""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

NAMES = ["kvmend:bf16", "transformers:bf16", "kvmend:f32", "transformers:f32",
         *(f"llama:{flash}:{batch}" for flash in ("flash", "plain") for batch in (512, 2048))]


class Peer:
    """A process that keeps its model; it sleeps while the others are timed."""

    def __init__(self, name, path, threads):
        worker = Path(__file__).with_name("peer_worker.py")
        self.process = subprocess.Popen([sys.executable, worker, name, path, str(threads)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"peers: {' '.join(map(str, self.process.args))} ended; run it by hand to see why")
        return json.loads(line)

    def prefill(self, tokens):
        self.process.stdin.write(json.dumps({"tokens": tokens}) + "\n")
        self.process.stdin.flush()
        result = self.answer()
        return result["seconds"], result["argmax"]


class Kvmend:
    def __init__(self, program, name, path, threads):
        self.command = [program, "bench", "prefill", "--json", "--runs", "1", "--model", path, "--threads",
                        str(threads), "--dtype", name.split(":")[1]]

    def prefill(self, tokens):
        """One run that is not timed and one that is, in a process of its own."""
        done = subprocess.run([*self.command, "--tokens", str(tokens)], text=True, capture_output=True, check=True)
        case = json.loads(done.stdout.splitlines()[0])
        return case["median_s"], case["first_token"]


def model_path(model):
    if os.path.exists(model):
        return os.path.abspath(model)
    folder = os.environ.get("KVMEND_MODELS", os.path.expanduser("~/.cache/kvmend/models"))
    path = os.path.join(folder, model + ".gguf")
    return path if os.path.exists(path) else sys.exit(f"peers: {path} is missing; run scripts/fetch {model}")


def machine():
    with open("/proc/cpuinfo") as info:
        names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    return f"{names[0]}, {len(os.sched_getaffinity(0))} processors"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench/peers")
    parser.add_argument("--kvmend", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--tokens", default="2048,4096")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    path = model_path(args.model)
    wanted = [w for w in args.only.split(",") if w]
    names = [n for n in NAMES if not wanted or any(w in n for w in wanted)]

    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    make = lambda n: Kvmend(args.kvmend, n, path, args.threads) if n.startswith("kvmend") else Peer(n, path, args.threads)
    peers = {name: make(name) for name in names}
    for tokens in map(int, args.tokens.split(",")):
        seconds, best = {name: [] for name in names}, {}
        for round_ in range(args.rounds):
            turn = round_ % len(names)
            for name in names[turn:] + names[:turn]:
                # The first prefill of a length meets cold code and memory: it is not timed. llama.cpp has no such
                # first time beyond the first round, and takes long.
                if not name.startswith("kvmend") and (round_ == 0 or name.startswith("transformers")):
                    peers[name].prefill(tokens)
                taken, best[name] = peers[name].prefill(tokens)
                seconds[name].append(taken)
        report(args.model, tokens, args.threads, seconds, best)
    print("One prefill of random tokens a round, contenders in turn, logits of the last row only; medians over rounds.\n"
          "ratio: kvmend's tokens per second over the peer's, kvmend in the peer's type (bf16 for llama.cpp).")


def report(model, tokens, threads, seconds, best):
    median = {name: statistics.median(s) for name, s in seconds.items()}
    print(f"\n{model}, {tokens} tokens, {threads} threads, {machine()}, {len(next(iter(seconds.values())))} rounds")
    print(f"{'':<20} {'median s':>9} {'min':>8} {'max':>8} {'tok/s':>8} {'ratio':>6}  next token")
    for name, taken in seconds.items():
        ours = "kvmend:f32" if name.endswith("f32") else "kvmend:bf16"
        ratio = f"{median[name] / median[ours]:.2f}" if ours in median and ours != name else ""
        print(f"{name:<20} {median[name]:>9.3f} {min(taken):>8.3f} {max(taken):>8.3f} {tokens / median[name]:>8.0f}"
              f" {ratio:>6}  {best[name]}", flush=True)


if __name__ == "__main__":
    main()
