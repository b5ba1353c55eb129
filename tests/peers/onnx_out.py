"""onnx_out.py - our ONNX files in other people's programs: converts a model, has onnx.checker look at it, runs photos through ONNX
Runtime and OpenCV's DNN and compares their logits with deeper's; then reads the file back and compares every parameter bit for bit.

    onnx_out.py DEEPER [MODEL] [LOGITS-LAYER] [PHOTOS]

DEEPER is the program; MODEL is the recorded BVLC GoogLeNet where it is left out. Needs onnx, onnxruntime, opencv-python-headless, numpy,
Pillow. Exit code 1 if the logits differ by more than 1e-4 of the largest one."""
import os
import subprocess
import sys
import tempfile

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from PIL import Image

from library import DATA, Model, photos, relative

LIMIT = 1e-4


def with_output(path, layer, to):
    """The same file ending in the logits instead of the probabilities."""
    model = onnx.load(path)
    model.graph.output[0].name = layer
    kept, wanted = [], {layer}
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(node.input)
    del model.graph.node[:]
    model.graph.node.extend(reversed(kept))
    onnx.save(model, to)


def tensors(path):
    """Name, shape and bytes of every tensor of a safetensors file."""
    import json
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: (tuple(t["shape"]), data[slice(*t["data_offsets"])]) for name, t in header.items()}


def main():
    program = sys.argv[1]
    source = sys.argv[2] if len(sys.argv) > 2 else os.path.join(DATA, "models", "bvlc_googlenet.caffemodel")
    layer = sys.argv[3] if len(sys.argv) > 3 else "loss3/classifier"
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 50
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)

        def convert(*words):
            subprocess.run([program, "convert", "-q", *words], check=True, stdout=subprocess.DEVNULL)

        convert(source, path("a.onnx"))
        convert("--with-preprocessing", source, path("b.onnx"))
        for name in ("a.onnx", "b.onnx"):
            onnx.checker.check_model(path(name), full_check=True)
        print("onnx.checker accepts both files (full_check)")
        with_output(path("a.onnx"), layer, path("logits.onnx"))
        with_output(path("b.onnx"), layer, path("inside.onnx"))
        ours = Model(path("a.onnx"), layer)
        runtime = onnxruntime.InferenceSession(path("logits.onnx"), providers=["CPUExecutionProvider"])
        inside = onnxruntime.InferenceSession(path("inside.onnx"), providers=["CPUExecutionProvider"])
        opencv = cv2.dnn.readNetFromONNX(path("logits.onnx"))
        worst = {"ONNX Runtime": 0.0, "OpenCV": 0.0, "ONNX Runtime, preprocessing inside": 0.0}
        for photo in photos(count):
            x = ours.prepare(photo)
            y = ours.run(x)
            worst["ONNX Runtime"] = max(worst["ONNX Runtime"], relative(runtime.run(None, {runtime.get_inputs()[0].name: x})[0], y))
            opencv.setInput(x)
            worst["OpenCV"] = max(worst["OpenCV"], relative(opencv.forward(), y))
            # RGB 0..255 of the same crop: what the preprocessing was, undone.
            weights = {t.name: numpy_helper.to_array(t) for t in onnx.load(path("b.onnx")).graph.initializer}
            w, b = weights["preprocess.weight"][:, :, 0, 0], weights["preprocess.bias"]
            rgb = np.einsum("ij,njhw->nihw", np.linalg.inv(w), x - b[None, :, None, None]).astype(np.float32)
            key = "ONNX Runtime, preprocessing inside"
            worst[key] = max(worst[key], relative(inside.run(None, {inside.get_inputs()[0].name: rgb})[0], y))
        batch = np.concatenate([ours.prepare(photo) for photo in photos(3)])
        print("a batch of 3:", runtime.run(None, {runtime.get_inputs()[0].name: batch})[0].shape)
        for name, value in worst.items():
            print(f"{name}: logits differ by at most {value:.2e} of the largest, {count} photos")
            bad = bad or not value <= LIMIT
        convert(source, path("first.safetensors"))
        first = tensors(path("first.safetensors"))
        for name in ("a", "b"):
            convert(path(name + ".onnx"), path("again.safetensors"))
            again = tensors(path("again.safetensors"))
            heads = [n for n in first if n not in again]
            same = all(first[n] == again[n] for n in again) and all(n.startswith(("loss1/", "loss2/")) for n in heads)
            print(f"{name}.onnx read back: {len(again)} parameters {'bit-equal' if same else 'DIFFER'}, {len(heads)} of auxiliary heads left out")
            bad = bad or not same
    return bad


sys.exit(main())
