#!/usr/bin/env python3
"""torchvision_googlenet.py - writes torchvision_googlenet.txt, what torchvision's own googlenet computes from weights of a formula.

    python3 tests/vectors/torchvision_googlenet.py > tests/vectors/torchvision_googlenet.txt       (torch and torchvision, on the CPU)
    python3 tests/vectors/torchvision_googlenet.py weights.pth                  writes the same weights as torch.save does, 48 MB

Weights are the noise of training_pytorch.py, seeded by a tensor's place in the state dict, and so are the pictures: only results are
stored. Computed in double, dropout off. Written are
    tensor NAME SIZE ...                of the state dict, in its order
    eval IMAGE VALUE ...                logits in inference mode
    main|aux1|aux2 IMAGE VALUE ...      logits of the three heads in training mode, where batch norms use the batch of two
tests/test_torch.c reads it."""
import sys
import numpy as np
import torch
from training_pytorch import BATCH, noise, pictures

CLASSES = 20


def torchvision_googlenet():
    """a torchvision wheel whose compiled operators do not fit the torch that is there will do: googlenet uses none of them"""
    try:
        from torchvision.models import googlenet
    except RuntimeError:
        for module in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[module]
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        from torchvision.models import googlenet
    return googlenet(num_classes=CLASSES, aux_logits=True, init_weights=False, transform_input=False)


def value(name, seed, shape):
    """convolutions and linear layers in +-sqrt(6 / fan in); of batch norms (and biases) 1 + 0.2 x, 0.2 x, 0.1 x, 1 + 0.5 x"""
    x = noise(seed, int(np.prod(shape)))
    kind = name.rsplit(".", 1)[1]
    if len(shape) > 1:
        x = x * np.sqrt(6.0 / (x.size // shape[0]))
    else:
        x = {"weight": 1 + 0.2 * x, "bias": 0.2 * x, "running_mean": 0.1 * x, "running_var": 1 + 0.5 * x}[kind]
    return torch.tensor(x.astype(np.float32).reshape(shape))


def main():
    torch.set_num_threads(1)
    model = torchvision_googlenet()
    state = model.state_dict()
    for seed, name in enumerate(list(state)):
        if state[name].is_floating_point():
            state[name] = value(name, seed, tuple(state[name].shape))
    if len(sys.argv) > 1:
        torch.save(state, sys.argv[1])
        return
    model.load_state_dict(state)
    model.double()
    for name in state:
        print("tensor", name, *state[name].shape)
    x = torch.tensor(pictures())
    with torch.no_grad():
        model.eval()
        results = {"eval": model(x)}
        model.train()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.eval()
        heads = model(x)
        results.update(main=heads.logits, aux1=heads.aux_logits1, aux2=heads.aux_logits2)
    for name, logits in results.items():
        for image in range(BATCH):
            print(name, image, *("%.9g" % v for v in logits[image].tolist()))


if __name__ == "__main__":
    sys.exit(main())
