#!/usr/bin/env python3
"""opencv_caffemodel.py - does OpenCV's DNN compute from our caffemodel what deeper computes? Not a part of ./check: it needs
opencv-python-headless below version 5 (which reads no Caffe files any more), numpy, and a built deeper.

    opencv_caffemodel.py DEEPER MODEL FOLDER [COUNT [LAYER ...]]

Converts MODEL to a caffemodel and its prototxt, lets OpenCV compute LAYERs (default: what the softmax reads) from both files for COUNT
(50) pictures of FOLDER, spread evenly, and gives input and outputs to `deeper verify`, which says how far they differ from its own:
1e-4 of a tensor's largest value at most. The pictures' numbers are BGR less 104 117 123 whatever MODEL says: both get the same."""
import json
import os
import subprocess
import sys
import tempfile

import cv2
import numpy as np


def pictures(folder, count):
    found = sorted(os.path.join(base, name) for base, _, names in os.walk(folder) for name in names
                   if name.lower().endswith((".jpg", ".jpeg", ".png", ".ppm")))
    count = min(count, len(found))
    return [found[i * len(found) // count] for i in range(count)]


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    deeper, model, folder = sys.argv[1:4]
    chosen = pictures(folder, int(sys.argv[4]) if len(sys.argv) > 4 else 50)
    described = json.loads(subprocess.run([deeper, "summary", "--layers", "--json", "--model", model], check=True,
                                          capture_output=True, text=True).stdout)
    names = [layer["name"] for layer in described["layers"]]
    layers = sys.argv[5:] or [names[names.index("prob") - 1]]
    channels, size = described["channels"], described["image_size"]
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, "out")
        subprocess.run([deeper, "convert", "--quiet", model, out + ".caffemodel"], check=True, stdout=subprocess.DEVNULL)
        net = cv2.dnn.readNetFromCaffe(out + ".prototxt", out + ".caffemodel")
        recorded = {"input": [], **{layer: [] for layer in layers}}
        for path in chosen:
            image = cv2.imread(path, cv2.IMREAD_COLOR if channels == 3 else cv2.IMREAD_GRAYSCALE)
            blob = cv2.dnn.blobFromImage(image, 1.0, (size, size), (104, 117, 123) if channels == 3 else 117)
            net.setInput(blob)
            recorded["input"].append(blob[0])
            for layer in layers:
                recorded[layer].append(net.forward(layer)[0].copy())
        np.savez(out + ".npz", **{name: np.stack(values) for name, values in recorded.items()})
        print(f"OpenCV {cv2.__version__}, {len(chosen)} pictures")
        sys.stdout.flush()
        sys.exit(subprocess.run([deeper, "verify", "--quiet", model, "--against", out + ".npz"]).returncode)


if __name__ == "__main__":
    main()
