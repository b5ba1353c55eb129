#!/usr/bin/env python3
"""training_pytorch.py - writes training_pytorch.txt, what PyTorch makes of GoogLeNet with both auxiliary heads in training.

    python3 tests/vectors/training_pytorch.py > tests/vectors/training_pytorch.txt        (any PyTorch 1.13 or later, on the CPU)

Weights, pictures and labels come from a formula (noise below), so that nothing but results is stored; dropout is off; computed in double.
Biases of some 1.5 deviations put most ReLUs clearly on or off: in a net of them at random, the last bits of two programs decide so many
near zero that gradients differ by several thousandths, in PyTorch between float and double too. Written are
    loss HEAD VALUE                     of the first step, mean over the batch; heads main, aux1, aux2
    gradient NAME DEVIATION NORM PROJECTION S...
                                        of the weighted loss main + 0.3 aux1 + 0.3 aux2 with respect to each parameter: by how
                                        much PyTorch's own float gradient differs (norm of the difference over the norm), its norm, its
                                        product with the noise of seed 7777, and SAMPLES values at (i * 7919) mod count
    step VALUE                          the weighted loss before each of STEPS updates, v = 0.9 v + rate (g + decay w), w -= v
tests/test_training_vectors.c reads it."""
import sys
import numpy as np
import torch
import torch.nn.functional as F

BATCH, CLASSES, SIZE, WAVES, SAMPLES, STEPS = 2, 1000, 224, 4, 64, 10
RATE, DECAY, MOMENTUM = 0.001, 2e-4, 0.9


def noise(seed, count):
    """uniform in [-1, 1), exact in float32: a 32-bit mix of the index and the seed, its upper 24 bits"""
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32((seed * 0x85EBCA77 + 0xC2B2AE3D) & 0xFFFFFFFF)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x2C1B3C6D)
    x ^= x >> np.uint32(12)
    return (x >> np.uint32(8)).astype(np.float64) / 8388608.0 - 1.0


def pictures():
    """smooth pictures, sums of WAVES plane triangle waves of random direction a channel: beside a pixel is a similar one"""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    draws = noise(5555, BATCH * 3 * WAVES * 3).reshape(BATCH, 3, WAVES, 3)
    result = np.zeros((BATCH, 3, SIZE, SIZE))
    for n, c, wave in np.ndindex(BATCH, 3, WAVES):
        p, q, r = draws[n, c, wave]
        phase = p * x / 16 + q * y / 16 + r
        result[n, c] += np.abs(phase - 2 * np.floor(phase / 2) - 1) * 2 - 1
    return result.astype(np.float32).astype(np.float64)


parameters = {}


def parameter(name, shape):
    """the p-th parameter made: weights in +-sqrt(1.8 / fan_in), biases near 1.2 or -1.2"""
    count = int(np.prod(shape))
    values = noise(len(parameters), count)
    values = values * np.sqrt(1.8 / (count // shape[0])) if len(shape) > 1 else np.sign(values) * 1.2 + values * 0.1
    parameters[name] = torch.tensor(values.astype(np.float32).astype(np.float64).reshape(shape), requires_grad=True)


def layer(name, outputs, inputs, window=1, fc=False):
    parameter(name + ".weight", (outputs, inputs) if fc else (outputs, inputs, window, window))
    parameter(name + ".bias", (outputs,))


ROWS = [("inception_3a", 192, 64, 96, 128, 16, 32, 32), ("inception_3b", 256, 128, 128, 192, 32, 96, 64),
        ("inception_4a", 480, 192, 96, 208, 16, 48, 64), ("inception_4b", 512, 160, 112, 224, 24, 64, 64),
        ("inception_4c", 512, 128, 128, 256, 24, 64, 64), ("inception_4d", 512, 112, 144, 288, 32, 64, 64),
        ("inception_4e", 528, 256, 160, 320, 32, 128, 128), ("inception_5a", 832, 256, 160, 320, 32, 128, 128),
        ("inception_5b", 832, 384, 192, 384, 48, 128, 128)]


def make():
    layer("conv1/7x7_s2", 64, 3, 7)
    layer("conv2/3x3_reduce", 64, 64)
    layer("conv2/3x3", 192, 64, 3)
    for name, inputs, c1, r3, c3, r5, c5, proj in ROWS:
        layer(name + "/1x1", c1, inputs)
        layer(name + "/3x3_reduce", r3, inputs)
        layer(name + "/3x3", c3, r3, 3)
        layer(name + "/5x5_reduce", r5, inputs)
        layer(name + "/5x5", c5, r5, 5)
        layer(name + "/pool_proj", proj, inputs)
        aux = {"inception_4a": "loss1", "inception_4d": "loss2"}.get(name)
        if aux:
            layer(aux + "/conv", 128, c1 + c3 + c5 + proj)
            layer(aux + "/fc", 1024, 2048, fc=True)
            layer(aux + "/classifier", CLASSES, 1024, fc=True)
    layer("loss3/classifier", CLASSES, 1024, fc=True)


def conv(name, x, stride=1):
    w = parameters[name + ".weight"]
    return F.relu(F.conv2d(x, w, parameters[name + ".bias"], stride=stride, padding=w.shape[2] // 2))


def fc(name, x):
    return F.linear(x, parameters[name + ".weight"], parameters[name + ".bias"])


def pool(x):
    return F.max_pool2d(x, 3, 2, ceil_mode=True)


def lrn(x):
    return F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0)


def losses(x, labels):
    result = {}
    x = lrn(pool(conv("conv1/7x7_s2", x, 2)))
    x = pool(lrn(conv("conv2/3x3", conv("conv2/3x3_reduce", x))))
    for name, *_ in ROWS:
        x = torch.cat([conv(name + "/1x1", x), conv(name + "/3x3", conv(name + "/3x3_reduce", x)),
                       conv(name + "/5x5", conv(name + "/5x5_reduce", x)),
                       conv(name + "/pool_proj", F.max_pool2d(x, 3, 1, padding=1))], 1)
        head = {"inception_4a": ("aux1", "loss1"), "inception_4d": ("aux2", "loss2")}.get(name)
        if head:
            a = conv(head[1] + "/conv", F.avg_pool2d(x, 5, 3))
            a = fc(head[1] + "/classifier", F.relu(fc(head[1] + "/fc", a.flatten(1))))
            result[head[0]] = F.cross_entropy(a, labels)
        if name in ("inception_3b", "inception_4e"):
            x = pool(x)
    result["main"] = F.cross_entropy(fc("loss3/classifier", x.mean((2, 3))), labels)
    return result


def weighted(parts):
    return parts["main"] + 0.3 * parts["aux1"] + 0.3 * parts["aux2"]


def gradients_of(parts):
    return dict(zip(parameters, torch.autograd.grad(weighted(parts), list(parameters.values()))))


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    make()
    x = torch.tensor(pictures())
    labels = torch.tensor([(37 * n + 11) % CLASSES for n in range(BATCH)])
    kept = dict(parameters)
    for name, p in kept.items():
        parameters[name] = p.detach().float().requires_grad_()
    floats = gradients_of(losses(x.float(), labels))
    parameters.update(kept)
    velocity = {name: torch.zeros_like(p) for name, p in parameters.items()}
    steps = []
    for step in range(STEPS):
        parts = losses(x, labels)
        gradients = gradients_of(parts)
        steps.append(weighted(parts).item())
        if step == 0:
            for head in ("main", "aux1", "aux2"):
                print("loss", head, "%.9g" % parts[head].item())
            for name, g in gradients.items():
                deviation = ((floats[name].double() - g).norm() / g.norm()).item()
                g = g.detach().numpy().reshape(-1)
                samples = [g[i * 7919 % g.size] for i in range(SAMPLES)]
                print("gradient", name, "%.3g" % deviation, "%.9g" % np.linalg.norm(g), "%.9g" % np.dot(g, noise(7777, g.size)),
                      " ".join("%.6g" % s for s in samples))
        with torch.no_grad():
            for name, p in parameters.items():
                bias = name.endswith(".bias")
                velocity[name].mul_(MOMENTUM).add_((gradients[name] + (0 if bias else DECAY) * p) * RATE * (2 if bias else 1))
                p.sub_(velocity[name])
    for value in steps:
        print("step %.9g" % value)


if __name__ == "__main__":
    sys.exit(main())
