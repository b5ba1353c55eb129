"""onnx_in.py - other people's networks in ours: exports torchvision's classifiers with PyTorch's two exporters, seeded random weights
and statistics, and has deeper compare its logits for two random pictures with PyTorch's.

    onnx_in.py DEEPER [NETWORK ...]

DEEPER is the program. Needs torch, torchvision, onnx, onnxscript, numpy. Exit code 1 if a network is refused or its logits differ by more
than 1e-4 of the largest one."""
import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
import torchvision

NETWORKS = ("googlenet inception_v3 resnet18 resnext50_32x4d regnet_y_400mf densenet121 squeezenet1_1 mobilenet_v2 mobilenet_v3_small "
            "mobilenet_v3_large mnasnet0_5 shufflenet_v2_x0_5 efficientnet_b0 efficientnet_v2_s alexnet vgg11").split()


def make(name):
    """The network at inference, with statistics and factors of its batch norms that differ from neutral ones."""
    torch.manual_seed(1)
    network = getattr(torchvision.models, name)(weights=None).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
    return network


def compare(deeper, path, recorded):
    """What deeper says of the two: a figure, or its refusal."""
    done = subprocess.run([deeper, "verify", "--json", path, "--against", recorded], capture_output=True, text=True)
    if done.returncode not in (0, 4):
        return done.stderr.strip(), False
    result = json.loads(done.stdout)
    return f"{result['worst']['relative']:.2g}", result["agree"]


def main():
    warnings.filterwarnings("ignore")
    torch.set_num_threads(2)
    deeper, names = sys.argv[1], sys.argv[2:] or NETWORKS
    whole = True
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        recorded, path = os.path.join(folder, "recorded.npz"), os.path.join(folder, "network.onnx")
        for name in names:
            network = make(name)
            pictures = torch.randn(2, 3, 224, 224)
            np.savez(recorded, input=pictures.numpy(), logits=network(pictures).numpy())
            for exporter, newer in (("TorchScript", False), ("dynamo", True)):
                torch.onnx.export(network, pictures, path, dynamo=newer, **({"external_data": False} if newer else {}))
                text, agrees = compare(deeper, path, recorded)
                whole &= agrees
                print(f"{name} ({exporter}): {text}", flush=True)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
