#!/usr/bin/env python3
"""compare.py - deeper beside current runtimes on this machine: the same network, weights and input, in one session, in turn.

    bench/compare.py --model googlenet.safetensors > table.md

Sets up each peer in an environment of its own under --scratch (from the package registries that pip is set up with; what cannot be had is
skipped by name), converts the model for each, checks that all give the same probabilities as deeper, then measures in rounds, each peer once
a round in a process of its own. Prints Markdown: latency, images/s, peak memory, cold start, installed size, training steps. --json keeps
every figure. Leave the machine alone meanwhile. No test runs this.

What is measured:
  latency      median over the rounds of each process's median time of a batch, batch in memory, outputs in memory
  peak memory  of the process (VmHWM), with Python's own where the peer is one
  cold start   from the start of the process to the first answer of a batch of one, files in the cache; Python's start and imports included
               where the peer is used from Python; deeper reads and decodes a picture file, the peers read a tensor
  size         files of the environment without pip; of deeper the program and the shared libraries that it loads, the C library left out
  training     forward with both auxiliary heads, backward, update with momentum and decay"""
import argparse
import array
import json
import math
import os
import shutil
import statistics
import struct
import subprocess
import sys
import time
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENTS = {"onnxruntime": ["onnxruntime", "numpy"], "openvino": ["openvino", "numpy"], "ncnn": ["ncnn", "numpy"],
                "pnnx": ["pnnx"], "torch": ["torch", "numpy"]}
PEERS = {"onnxruntime": "onnxruntime", "openvino": "openvino", "ncnn": "ncnn", "torch-eager": "torch", "torch-channels-last": "torch",
         "torch-compiled": "torch"}
FORMATS = {"onnxruntime": "onnx", "openvino": "onnx", "ncnn": "onnx", "torch": "npz"}
AGREES = 1e-4  # of a probability: fp32 through other algorithms differs by some 1e-6
TIMEOUT = 1800  # seconds; PyTorch compiles a training step for minutes


def say(text):
    print(text, file=sys.stderr, flush=True)


class Skip(Exception):
    """Why a peer is left out, in one line."""


def call(words, **options):
    """Output of a command; Skip with its last line if it fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Skip(str(error)) from error
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
        raise Skip(lines[-1][:300])
    return done.stdout


# ------------------------------------------------------------------------------------------------------------------
# files


def metadata(path):
    with open(path, "rb") as file:
        return json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))["__metadata__"]


def write_npy(path, values, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        array.array("f", values).tofile(file)


def make_picture(folder, pre):
    """A picture that needs no resizing, and the tensor that it becomes: its centre crop, channels in the network's order."""
    side, size = pre.get("resize", {}).get("side", pre["size"]), pre["size"]

    def level(c, y, x):
        return int(127.5 + 100 * math.sin((c + 2) * x / 19 + y / (11 + 4 * c)) + 27 * math.cos((y - x) / 5))

    pixels = [[[level(c, y, x) for c in range(3)] for x in range(side)] for y in range(side)]
    with open(os.path.join(folder, "picture.ppm"), "wb") as file:
        file.write(b"P6 %d %d 255\n" % (side, side) + bytes(v for row in pixels for pixel in row for v in pixel))
    first, values = (side - size) // 2, []
    for plane, c in enumerate(["RGB".index(name) for name in pre["order"]]):
        for y in range(first, first + size):
            values += [(pixels[y][x][c] - pre["mean"][plane]) * pre["scale"][plane] for x in range(first, first + size)]
    write_npy(os.path.join(folder, "input.npy"), values, (1, 3, size, size))


def size_of(paths):
    total = 0
    for path in paths:
        for folder, _, names in os.walk(path):
            total += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
        total += os.path.getsize(path) if os.path.isfile(path) else 0
    return total


# ------------------------------------------------------------------------------------------------------------------
# deeper


class Deeper:
    name = "deeper"

    def __init__(self, program, folder):
        self.program, self.model, self.picture = program, os.path.join(folder, "model.safetensors"), os.path.join(folder, "picture.ppm")
        self.version = call([program, "--version"]).split()[-1]

    def measure(self, batch, threads, seconds, train=False):
        words = [self.program, "bench", "--model", self.model, "--batch", str(batch), "--threads", str(threads), "--seconds", str(seconds),
                 "--json"]
        return json.loads(call(words + ["--train"] * train))

    def cold_start(self, threads):
        words = [self.program, "classify", "--model", self.model, "--threads", str(threads), "--json", self.picture]
        begin = time.time()
        call(words)
        return time.time() - begin

    def probabilities(self, ids):
        top = json.loads(call([self.program, "classify", "--model", self.model, "--top", "100", "--json", self.picture]))["top"]
        return {ids.index(item["id"]): item["p"] for item in top}

    def size(self):
        try:
            listed = call(["ldd", self.program])
        except Skip:  # a static program
            listed = ""
        libraries = [line.split("=>")[1].split()[0] for line in listed.splitlines() if "=> /" in line]
        return size_of([self.program] + [os.path.realpath(path) for path in libraries
                                         if not os.path.basename(path).startswith(("libc.", "libm."))])


# ------------------------------------------------------------------------------------------------------------------
# peers


class Peer:
    def __init__(self, name, python, folder):
        self.name, self.python, self.folder, self.version = name, python, folder, ""

    def run(self, *words, threads=1):
        begin = time.time()
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), PYTHONDONTWRITEBYTECODE="1")
        out = call([self.python, os.path.join(HERE, "peers.py"), self.name, self.folder, "--threads", str(threads), *words],
                   env=environment)
        result = json.loads(out.splitlines()[-1])
        result["cold_seconds"] = result["answered"] - begin
        self.version = result["version"]
        return result

    def measure(self, batch, threads, seconds, train=False):
        return self.run("--batch", str(batch), "--seconds", str(seconds), *["--train"] * train, threads=threads)

    def cold_start(self, threads):
        return self.run("--seconds", "0", threads=threads)["cold_seconds"]

    def probabilities(self):
        path = os.path.join(self.folder, self.name + ".npy")
        self.run("--seconds", "0", "--output", path)
        with open(path, "rb") as file:
            values = array.array("f", file.read()[-4 * self.classes:])
        if abs(sum(values) - 1) > 0.01:  # scores before the softmax
            powers = [math.exp(v - max(values)) for v in values]
            values = [p / sum(powers) for p in powers]
        return values

    def size(self):
        site = call([self.python, "-c", "import sysconfig; print(sysconfig.get_paths()['platlib'])"]).strip()
        return size_of([os.path.join(site, name) for name in os.listdir(site) if not name.startswith(("pip", "setuptools", "_distutils"))])


def make_environment(name, args):
    """The Python of an environment with the packages of a peer."""
    for given in args.env:
        if given.startswith(name + "="):
            return given.split("=", 1)[1]
    folder = os.path.join(args.scratch, "env-" + name)
    python, done = os.path.join(folder, "bin", "python"), os.path.join(folder, "installed")
    if not os.path.exists(done):
        say(f"setting up {name} ...")
        venv.create(folder, with_pip=True, clear=True)
        index = ["--index-url", args.torch_index] if name == "torch" and args.torch_index else []
        call([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *index, *ENVIRONMENTS[name]])
        with open(done, "w", encoding="utf-8"):
            pass
    return python


def make_ncnn(args, folder, size):
    """ncnn's own converter, which is larger than ncnn by far, makes model.ncnn.param and model.ncnn.bin beside model.onnx."""
    if not os.path.exists(os.path.join(folder, "model.ncnn.bin")):
        pnnx = os.path.join(os.path.dirname(make_environment("pnnx", args)), "pnnx")
        call([pnnx, "model.onnx", f"inputshape=[1,3,{size},{size}]", "fp16=0"], cwd=folder)
        if not os.path.exists(os.path.join(folder, "model.ncnn.bin")):
            raise Skip("pnnx made no model.ncnn.bin")


def open_peers(args, deeper, folder, info):
    """The peers that can be had and agree with deeper; and why each of the others is left out."""
    ids = [label[0] for label in json.loads(info["deeper.labels"])]
    wanted, size = deeper.probabilities(ids), json.loads(info["deeper.preprocess"])["size"]
    peers, skipped, pythons = [], {}, {}
    for name in args.peers.split(","):
        environment = PEERS[name]
        try:
            model = os.path.join(folder, "model." + FORMATS[environment])
            if not os.path.exists(model):
                call([deeper.program, "convert", deeper.model, model])
            pythons[environment] = pythons.get(environment) or make_environment(environment, args)
            if name == "ncnn":
                make_ncnn(args, folder, size)
            peer = Peer(name, pythons[environment], folder)
            peer.classes = len(ids)
            got = peer.probabilities()
            peer.difference = max(abs(got[index] - p) for index, p in wanted.items())
            if not peer.difference <= AGREES:
                raise Skip(f"its answers differ from deeper's by {peer.difference:.3g}, more than {AGREES:g}")
            say(f"{name} {peer.version}: probabilities within {peer.difference:.1e}")
            peers.append(peer)
        except Skip as why:
            say(f"skipped: {name}: {why}")
            skipped[name] = str(why)
    return peers, skipped


# ------------------------------------------------------------------------------------------------------------------
# rounds


def measure(runners, cases, args):
    """figures[case][runner]: of the rounds the median time, the largest memory. A case is (batch, threads, train)."""
    figures = {case: {} for case in cases}
    for number in range(args.rounds):
        for batch, threads, train in cases:
            for runner in runners:
                if train and not (runner.name == "deeper" or runner.name.startswith("torch")):
                    continue
                say(f"round {number + 1} of {args.rounds}: {runner.name}, {'training, ' if train else ''}batch {batch}, {threads} threads")
                try:
                    one = runner.measure(batch, threads, args.seconds, train)
                except Skip as why:
                    say(f"failed: {runner.name}: {why}")
                    continue
                figures[(batch, threads, train)].setdefault(runner.name, []).append(one)
    return {case: {name: {"ms": statistics.median(one["median_ms"] for one in ones),
                          "least_ms": min(one["median_ms"] for one in ones), "most_ms": max(one["median_ms"] for one in ones),
                          "peak_rss_bytes": max(one["peak_rss_bytes"] for one in ones),
                          "ratio_to_floor": statistics.median(one["ratio_to_floor"] for one in ones) if name == "deeper" else None}
                   for name, ones in by_name.items()} for case, by_name in figures.items()}


def print_case(case, by_name):
    batch, threads, train = case
    print(f"\n**{'Training, batch' if train else 'Batch'} {batch}, {threads} thread{'s' * (threads > 1)}**\n")
    print("| | ms (least to most of the rounds) | images/s | times deeper's | peak memory, MB |\n|---|---:|---:|---:|---:|")
    own = by_name.get("deeper", {}).get("ms", math.nan)
    for name, one in sorted(by_name.items(), key=lambda item: item[1]["ms"]):
        floor = f", {one['ratio_to_floor']:.2f} of the floor" if one["ratio_to_floor"] else ""
        print(f"| {name}{floor} | {one['ms']:.1f} ({one['least_ms']:.1f} to {one['most_ms']:.1f}) | {1000 * batch / one['ms']:.1f} | "
              f"{one['ms'] / own:.2f} | {one['peak_rss_bytes'] / 1e6:.0f} |")


def print_starts(runners, args):
    threads = max(args.threads)
    print(f"\n**Cold start ({threads} threads, median of {args.starts}) and size**\n\n| | version | first answer after, ms | installed, MB |"
          "\n|---|---|---:|---:|")
    rows = {}
    for runner in runners:
        say(f"cold start: {runner.name}")
        try:
            seconds = statistics.median(runner.cold_start(threads) for _ in range(args.starts))
        except Skip as why:
            say(f"failed: {runner.name}: {why}")
            continue
        rows[runner.name] = {"version": runner.version, "cold_ms": 1000 * seconds, "size_bytes": runner.size()}
        print(f"| {runner.name} | {runner.version} | {1000 * seconds:.0f} | {rows[runner.name]['size_bytes'] / 1e6:.1f} |")
    return rows


def numbers(text):
    return [int(word) for word in text.split(",")]


def arguments():
    data = os.environ.get("DEEPER_TEST_DATA", os.path.join(HERE, "..", "..", "shared"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--model", default=os.path.join(data, "models", "bvlc_googlenet.caffemodel"), help="GoogLeNet, any format")
    parser.add_argument("--deeper", default=os.path.join(HERE, "..", "build", "release", "deeper"), help="the program")
    parser.add_argument("--scratch", default=os.path.join(HERE, "..", "build", "bench"), help="for environments and files")
    parser.add_argument("--peers", default=",".join(PEERS), help="which, in this order")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=PYTHON", help="use an environment that is there")
    parser.add_argument("--torch-index", metavar="URL", help="where pip finds builds of torch for the CPU alone, which are smaller")
    parser.add_argument("--batch", type=numbers, default=[1, 8, 32])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--train-batch", type=numbers, default=[32])
    parser.add_argument("--no-train", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--starts", type=int, default=10, help="cold starts")
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    args = parser.parse_args()
    unknown = [name for name in args.peers.split(",") if name not in PEERS]
    if unknown:
        parser.error(f"no such peer: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    return args


def main():
    args = arguments()
    folder = os.path.join(args.scratch, "files")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    try:
        call([args.deeper, "convert", args.model, os.path.join(folder, "model.safetensors")])
        deeper = Deeper(args.deeper, folder)
        info = metadata(deeper.model)
        make_picture(folder, json.loads(info["deeper.preprocess"]))
    except Skip as why:
        sys.exit(f"compare.py: {why}")
    peers, skipped = open_peers(args, deeper, folder, info)
    runners = [deeper] + peers
    cases = [(batch, threads, False) for batch in args.batch for threads in args.threads]
    cases += [] if args.no_train else [(batch, max(args.threads), True) for batch in args.train_batch]
    figures = measure(runners, cases, args)
    print(f"{info['deeper.architecture']}, {info['deeper.options']}; probabilities of every peer within {AGREES:g} of deeper's")
    for case in cases:
        print_case(case, figures[case])
    starts = print_starts(runners, args)
    for name, why in skipped.items():
        print(f"\nSkipped: {name}: {why}")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"cases": [{"batch": b, "threads": t, "train": train, "figures": figures[(b, t, train)]} for b, t, train in cases],
                       "starts": starts, "skipped": skipped, "differences": {peer.name: peer.difference for peer in peers}}, file, indent=1)


if __name__ == "__main__":
    main()
