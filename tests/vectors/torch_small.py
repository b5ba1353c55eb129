#!/usr/bin/env python3
"""torch_small.py - writes torch_small.txt, small files of PyTorch's own making in hexadecimal, a line each: NAME BYTES.

    python3 tests/vectors/torch_small.py > tests/vectors/torch_small.txt        (any PyTorch 2, on the CPU)

zip, older and protocol4 hold one state dict: views with strides and an offset, each element type, a parameter; nested holds it in a
checkpoint. module is a whole module, which only its class could make. tests/test_torch.c reads them."""
import io
import torch

base = torch.arange(24, dtype=torch.float32)
state = {
    "plain": base[:6].reshape(2, 3).clone(),
    "turned": base.reshape(4, 6)[1:3, 1:4].t(),
    "parameter": torch.nn.Parameter(torch.tensor([0.5, -1.0])),
    "half": torch.tensor([1.5, -2.0], dtype=torch.float16),
    "brain": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "double": torch.tensor([0.1], dtype=torch.float64),
    "count": torch.tensor(7),
    "flag": torch.tensor([True, False]),
}


def saved(what, **options):
    file = io.BytesIO()
    torch.save(what, file, **options)
    return file.getvalue().hex()


print("zip", saved(state))
print("older", saved(state, _use_new_zipfile_serialization=False))
print("protocol4", saved(state, pickle_protocol=4))
print("nested", saved({"epoch": 3, "best": 0.5, "optimizer": {"lr": [0.1], "t": (1, 2.5, None, False)},
                       "model": {"plain": state["plain"]}}))
print("module", saved(torch.nn.Linear(2, 1)))
