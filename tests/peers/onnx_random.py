"""onnx_random.py - random ONNX graphs, in ours and in ONNX Runtime: from a seed, a chain of operators that deeper lists, with attributes,
branches and layouts as exporters and people make them, ending in one value a class.

    onnx_random.py DEEPER [--graphs 3000] [--seed 1] [--keep FOLDER]

DEEPER is the program. Needs numpy, onnx, onnxruntime. A graph is the same or different (the answer, the file's own output with its softmax
where it ends in scores, relative to its largest value, 1e-4) or refused with an error; refusals are counted by operator. --keep leaves the
graphs that differ. Exit code 1 if one differs, or deeper ends otherwise than with an answer or an error."""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Nodes so far, and a value under way: its name and its shape, N first. last: N x H x W x C."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.constants, self.count = [], [], 0
        side, channels = int(self.random.integers(6, 13)), int(self.random.choice([1, 3]))
        self.last = self.random.random() < 0.15
        self.shape = [1, side, side, channels] if self.last else [1, channels, side, side]
        self.input_shape, self.value = list(self.shape), "input"

    def choose(self, *options):
        return options[int(self.random.integers(len(options)))]

    def constant(self, array):
        name = f"k{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def normal(self, *shape, scale=0.5):
        return self.constant((self.random.standard_normal(shape) * scale).astype(np.float32))

    def add(self, op, *inputs, outputs=1, **attributes):
        names = [f"v{self.count + i}" for i in range(outputs)]
        self.count += outputs
        self.nodes.append(helper.make_node(op, list(inputs), names, name=f"n{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names


def channel_axis(g):
    return len(g.shape) - 1 if g.last else 1


def conv(g):
    if g.last:
        return transpose(g)
    c, (h, w) = g.shape[1], g.shape[2:]
    groups = g.choose(1, 1, 1, c)
    out, size = int(g.random.integers(1, 7)) * groups, g.choose(1, 2, 3)
    stride, dilation = g.choose(1, 1, 2), g.choose(1, 1, 2)
    pads = [int(p) for p in g.random.integers(0, 2, 4)]
    if dilation * (size - 1) + 1 > min(h + pads[0] + pads[2], w + pads[1] + pads[3]):
        return False
    inputs = [g.value, g.normal(out, c // groups, size, size)] + ([g.normal(out)] if g.choose(0, 1) else [])
    g.value = g.add("Conv", *inputs, strides=[stride] * 2, pads=pads, group=groups, dilations=[dilation] * 2)
    g.shape = [1, out] + [(side + a + b - dilation * (size - 1) - 1) // stride + 1
                          for side, a, b in ((h, pads[0], pads[2]), (w, pads[1], pads[3]))]


def pool(g):
    if g.last or min(g.shape[2:]) < 3:
        return False
    size, stride, pad = g.choose(2, 3), g.choose(1, 2), g.choose(0, 1)
    g.value = g.add(g.choose("MaxPool", "AveragePool"), g.value, kernel_shape=[size] * 2, strides=[stride] * 2, pads=[pad] * 4)
    g.shape[2:] = [(side + 2 * pad - size) // stride + 1 for side in g.shape[2:]]


def function(g):
    op = g.choose("Relu", "Sigmoid", "Tanh", "Erf", "LeakyRelu", "HardSigmoid", "HardSwish", "Neg", "Identity", "Gelu", "Clip", "PRelu")
    attributes, inputs = {}, [g.value]
    if op in ("LeakyRelu", "HardSigmoid"):
        attributes["alpha"] = float(g.random.uniform(0.05, 0.4))
    if op == "Gelu":
        attributes["approximate"] = g.choose("none", "tanh")
    if op == "Clip":
        inputs += [g.constant(np.float32(-g.random.uniform(0, 2))), g.constant(np.float32(g.random.uniform(0.1, 2)))]
    if op == "PRelu":
        inputs.append(g.normal(*[side if i == channel_axis(g) else 1 for i, side in enumerate(g.shape)]))
    g.value = g.add(op, *inputs, **attributes)


def affine(g):
    shape = [side if i == channel_axis(g) else 1 for i, side in enumerate(g.shape)]
    if g.choose(0, 1):
        shape = []
    constant = g.constant((g.random.standard_normal(shape) + g.choose(1.5, -1.5)).astype(np.float32))
    op = g.choose("Add", "Sub", "Mul", "Div")
    inputs = [g.value, constant] if op == "Div" or g.choose(0, 1) else [constant, g.value]
    g.value = g.add(op, *inputs)


def computed_weights(g):
    if g.last:
        return transpose(g)
    c, out = g.shape[1], int(g.random.integers(1, 6))
    w = g.normal(out, c, 1, 1)
    mean = g.add("ReduceMean", w, g.constant(np.int64([1, 2, 3])))
    off = g.add("Sub", w, mean)
    deviation = g.add("Sqrt", g.add("Add", g.add("ReduceMean", g.add("Mul", off, off), g.constant(np.int64([1, 2, 3]))),
                                    g.constant(np.float32(0.01))))
    g.value = g.add("Conv", g.value, g.add("Mul", g.add("Div", off, deviation), g.normal(out, 1, 1, 1)))
    g.shape[1] = out


def norm(g):
    c, axis = g.shape[channel_axis(g)], channel_axis(g)
    if g.last:
        g.value = g.add("LayerNormalization", g.value, g.normal(c), g.normal(c), axis=-1, epsilon=1e-3)
        return None
    kind = g.choose("BatchNormalization", "InstanceNormalization", "GroupNormalization", "LRN")
    if kind == "BatchNormalization":
        variance = g.constant(g.random.uniform(0.3, 2, c).astype(np.float32))
        g.value = g.add(kind, g.value, g.normal(c), g.normal(c), g.normal(c), variance)
    elif kind == "LRN":
        g.value = g.add(kind, g.value, size=g.choose(3, 5), alpha=0.1)
    elif g.shape[2] * g.shape[3] < 4:
        return False
    elif kind == "InstanceNormalization":
        g.value = g.add(kind, g.value, g.normal(c), g.normal(c), epsilon=1e-3)
    else:
        groups = g.choose(*[k for k in range(1, c + 1) if c % k == 0])
        rows = g.add("Reshape", g.value, g.constant(np.int64([0, groups, -1])))
        rows = g.add("InstanceNormalization", rows, g.constant(np.ones(groups, np.float32)), g.constant(np.zeros(groups, np.float32)),
                     epsilon=1e-3)
        g.value = g.add("Reshape", rows, g.constant(np.int64(g.shape)))
    return None


def branch(g):
    axis, value = channel_axis(g), g.value
    function(g)
    other = g.value
    op = g.choose("Add", "Mul", "Sub", "Sum", "Concat", "Gate")
    if op == "Concat":
        g.value = g.add(op, value, other, axis=axis)
        g.shape[axis] *= 2
    elif op == "Sum":
        g.value = g.add(op, value, other, value)
    elif op == "Gate":
        axes = [1, 2] if g.last else [2, 3]
        gate = g.add("Sigmoid", g.add("ReduceMean", other, g.constant(np.int64(axes)), keepdims=1))
        g.value = g.add("Mul", value, gate) if g.choose(0, 1) else g.add("Mul", gate, value)
    else:
        g.value = g.add(op, value, other)


def split(g):
    axis = channel_axis(g)
    c = g.shape[axis]
    if c < 2:
        return False
    first = int(g.random.integers(1, c))
    a, b = g.add("Split", g.value, g.constant(np.int64([first, c - first])), outputs=2, axis=axis)
    if g.choose(0, 1):
        g.value, g.shape[axis] = (a, first) if g.choose(0, 1) else (b, c - first)
    else:
        g.value = g.add("Concat", b, a, axis=axis)
    return None


def cut(g):
    axis = channel_axis(g)
    c = g.shape[axis]
    if g.choose(0, 1):
        at = g.random.integers(-c, c, int(g.random.integers(1, 4)))
        g.value = g.add("Gather", g.value, g.constant(np.int64(at)), axis=axis)
        g.shape[axis] = len(at)
        return
    begin = int(g.random.integers(0, c))
    g.value = g.add("Slice", g.value, g.constant(np.int64([begin])), g.constant(np.int64([2**62])), g.constant(np.int64([axis])))
    g.shape[axis] = c - begin


def pad(g):
    axes = (1, 2) if g.last else (2, 3)
    mode = g.choose("constant", "reflect")
    if mode == "reflect" and min(g.shape[a] for a in axes) < 3:
        return False
    pads = np.zeros(8, np.int64)
    for axis in axes:
        pads[axis], pads[axis + 4] = g.random.integers(0, 3, 2)
        g.shape[axis] += int(pads[axis] + pads[axis + 4])
    g.value = g.add("Pad", g.value, g.constant(pads), mode=mode)
    return None


def resize(g):
    axes = (1, 2) if g.last else (2, 3)
    if max(g.shape[a] for a in axes) > 14:
        return False
    scales = np.ones(4, np.float32)
    for axis in axes:
        scales[axis] = 2
        g.shape[axis] *= 2
    g.value = g.add("Resize", g.value, "", g.constant(scales), mode="nearest", nearest_mode="floor",
                    coordinate_transformation_mode=g.choose(*["asymmetric"] * 5, "half_pixel"))
    return None


def transpose(g):
    if not g.last and g.choose(0, 1):
        return False
    perm = [0, 3, 1, 2] if g.last else [0, 2, 3, 1]
    g.value = g.add("Transpose", g.value, perm=perm)
    g.shape, g.last = [g.shape[i] for i in perm], not g.last
    return None


def shuffle(g):
    c = g.shape[1]
    if g.last or c < 4 or c % 2:
        return False
    value = g.add("Reshape", g.value, g.constant(np.int64([0, 2, c // 2] + g.shape[2:])))
    g.value = g.add("Reshape", g.add("Transpose", value, perm=[0, 2, 1, 3, 4]), g.constant(np.int64([0, -1] + g.shape[2:])))
    return None


def quantize(g):
    kind, low = g.choose((np.int16, -32768), (np.uint16, 0))  # the rounding to 8 bits, which is not kept, is above the tolerance
    zero = low + int(g.random.integers(20000, 45000))
    typed = helper.make_tensor(f"k{len(g.constants)}", helper.np_dtype_to_tensor_dtype(np.dtype(kind)), [], [zero])
    g.constants.append(typed)
    scale = g.constant(np.float32(2e-5))
    g.value = g.add("DequantizeLinear", g.add("QuantizeLinear", g.value, scale, typed.name), scale, typed.name)


STEPS = [conv, conv, conv, computed_weights, pool, function, function, affine, affine, norm, branch, branch, split, cut, pad, resize,
         transpose, shuffle]


def finish(g, classes):
    """The classifier, and one of the ends; whether the file ends in scores."""
    axes = [1, 2] if g.last else [2, 3]
    kind = g.choose("pool", "mean", "flatten")
    if kind == "pool" and not g.last:
        flat, width = g.add("Flatten", g.add("GlobalAveragePool", g.value)), g.shape[1]
    elif kind == "mean":
        flat, width = g.add("ReduceMean", g.value, g.constant(np.int64(axes)), keepdims=0), g.shape[channel_axis(g)]
    else:
        flat, width = g.add("Flatten", g.value), int(np.prod(g.shape[1:]))
    if g.choose(0, 1):
        value = g.add("Add", g.add("MatMul", flat, g.normal(width, classes, scale=width**-0.5)), g.normal(classes))
    else:
        value = g.add("Gemm", flat, g.normal(classes, width, scale=width**-0.5), g.normal(classes), transB=1)
    end = g.choose("scores", "softmax", "log", "sigmoid", "clip", "mean")
    if end == "log":
        value = g.add("LogSoftmax", value, axis=1)
    if end in ("softmax", "clip", "mean"):
        first, value = value, g.add("Softmax", value, axis=1)
    if end == "sigmoid":
        value = g.add("Sigmoid", value)
    if end == "clip":
        value = g.add("Clip", value, g.constant(np.float32(0)), g.constant(np.float32(1)))
    if end == "mean":
        other = g.add("Softmax", g.add("Neg", first), axis=1)
        value = g.add("Mul", g.add("Add", value, other), g.constant(np.float32(0.5)))
    g.value = value
    return end in ("scores", "log")


def make(seed):
    g = Graph(seed)
    for _ in range(int(g.random.integers(2, 9))):
        before = list(g.shape)
        if min(before[1:]) < 1:
            break
        STEPS[int(g.random.integers(len(STEPS)))](g)
    if g.random.random() < 0.1:
        quantize(g)
    scores = finish(g, int(g.random.integers(2, 8)))
    graph = helper.make_graph(g.nodes, "random", [helper.make_tensor_value_info("input", TensorProto.FLOAT, g.input_shape)],
                              [helper.make_tensor_value_info(g.value, TensorProto.FLOAT, None)], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    model.ir_version = 10
    x = g.random.standard_normal(g.input_shape).astype(np.float32)
    return model, x, scores, g.input_shape[3] < 4 and g.input_shape[1] > 4


def check(deeper, seed, folder, keep):
    """(same, different, refused or broken, and a reason)."""
    model, x, scores, last = make(seed)
    path = os.path.join(folder, f"{seed}")
    onnx.save(model, path + ".onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        answer = onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, {"input": x})[0].astype(np.float64)
    except Exception as error:
        return "none", str(error).splitlines()[0][:100]
    if scores:
        answer = np.exp(answer - answer.max())
        answer /= answer.sum()
    np.savez(path + ".npz", input=x.transpose(0, 3, 1, 2) if last else x, prob=answer.astype(np.float32))
    done = subprocess.run([deeper, "verify", "--threads", "1", "--json", path + ".onnx", "--against", path + ".npz"], capture_output=True,
                          text=True)
    outcome, text = "broken", f"exit {done.returncode}: {done.stderr[-200:]}"
    if done.returncode in (0, 4):
        outcome, text = ("same" if done.returncode == 0 else "different"), json.loads(done.stdout)["worst"]["relative"]
    elif done.returncode == 1 and done.stderr.startswith("deeper: "):
        match = re.search(r"\((\w+)\): (.*)", done.stderr)
        outcome, text = "refused", f"{match.group(1)}: {re.sub('v[0-9]+|k[0-9]+|[0-9]+', '#', match.group(2))}" if match else done.stderr[-150:]
    if keep and outcome in ("different", "broken"):
        os.makedirs(keep, exist_ok=True)
        for ending in (".onnx", ".npz"):
            os.replace(path + ending, os.path.join(keep, f"{seed}{ending}"))
    else:
        for ending in (".onnx", ".npz"):
            os.remove(path + ending)
    return outcome, text


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("deeper")
    arguments.add_argument("--graphs", type=int, default=3000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep")
    options = arguments.parse_args()
    counts, refusals = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        seeds = range(options.seed, options.seed + options.graphs)
        for seed, (outcome, text) in zip(seeds, pool.map(lambda s: check(options.deeper, s, folder, options.keep), seeds)):
            counts[outcome] += 1
            if outcome in ("different", "broken"):
                print(f"seed {seed}: {outcome}: {text}", flush=True)
            if outcome in ("refused", "none"):
                refusals[f"{outcome}: {text}"] += 1
    print(", ".join(f"{counts[k]} {k}" for k in ("same", "different", "refused", "broken")) + f"; {counts['none']} are no ONNX for the peer")
    for text, count in refusals.most_common(25):
        print(f"{count:5d}  {text}")
    return 1 if counts["different"] or counts["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
