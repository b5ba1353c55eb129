"""peers.py - one peer, one measurement, one process: compare.py starts it with the Python of the peer's own environment.

    PYTHON peers.py PEER FOLDER --batch B --threads T --seconds S [--train] [--output FILE.npy]

FOLDER holds input.npy (1 x C x H x W, as the network takes it) and the network as model.onnx, as model.npz, and for ncnn as
model.ncnn.param and model.ncnn.bin. Prints one line of JSON: version, median_ms, runs, peak_rss_bytes, and answered, the seconds since 1970
when the first answer was there. --output keeps the first image's outputs."""
import argparse
import json
import os
import statistics
import time

import numpy as np

TRAIN_CLASSES = 5


def time_runs(run, seconds):
    """Median of calls of run() over `seconds`, five at least, the first of all not counted; and when the first was done."""
    result = run()
    answered = time.time()
    run()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return result, answered, 1000 * statistics.median(times), len(times)


# ---------------------------------------------------------------------------------------------------------------
# runtimes Each returns (version, run): run() takes the batch through the network and returns the
# outputs of its first image.


def onnxruntime(folder, batch, threads):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(os.path.join(folder, "model.onnx"), options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: batch}
    return ort.__version__, lambda: session.run(None, feed)[0][0]


def openvino(folder, batch, threads):
    import openvino as ov
    core = ov.Core()
    model = core.read_model(os.path.join(folder, "model.onnx"))
    model.reshape(list(batch.shape))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                                                 "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    return ov.__version__, lambda: request.infer({0: batch})[compiled.output(0)][0]


def ncnn(folder, batch, threads):
    """ncnn has no batch: its images go one after the other."""
    import ncnn as library
    net = library.Net()
    net.opt.num_threads = threads
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_bf16_storage = False
    net.load_param(os.path.join(folder, "model.ncnn.param"))
    net.load_model(os.path.join(folder, "model.ncnn.bin"))
    images = [library.Mat(np.ascontiguousarray(image)) for image in batch]
    into, out = net.input_names()[0], net.output_names()[0]

    def run():
        first = None
        for image in images:
            extractor = net.create_extractor()
            extractor.input(into, image)
            outputs = np.array(extractor.extract(out)[1])
            first = outputs if first is None else first
        return first

    return library.__version__, run


# ----------------------------------------------------------------------------------------------------------------
# PyTorch

MODULES = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]
POOL_AFTER = {"3b", "4e"}
HEADS = {"4a": "loss1", "4d": "loss2"}
HEAD_SHAPES = {"conv": (128, None, 1, 1), "fc": (1024, 2048), "classifier": (None, 1024)}  # None: what it reads, and the classes


def torch_net(weights):
    """GoogLeNet in Caffe's form over a dict of arrays by Caffe's names; in training with both heads, which are made if they are not
    there."""
    import torch
    import torch.nn.functional as F

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.values = torch.nn.ParameterDict({self.key(name): torch.nn.Parameter(torch.from_numpy(value.copy()))
                                                  for name, value in weights.items()})

        @staticmethod
        def key(name):
            return name.replace("/", "_").replace(".", "_")

        def conv(self, name, x, stride=1):
            weight = self.values[self.key(name + ".weight")]
            return F.relu(F.conv2d(x, weight, self.values[self.key(name + ".bias")], stride=stride, padding=weight.shape[2] // 2))

        def fc(self, name, x):
            return F.linear(x, self.values[self.key(name + ".weight")], self.values[self.key(name + ".bias")])

        def head(self, name, x):
            x = self.conv(name + "/conv", F.avg_pool2d(x, 5, 3, ceil_mode=True)).flatten(1)
            return self.fc(name + "/classifier", F.dropout(F.relu(self.fc(name + "/fc", x)), 0.7))

        def forward(self, x):
            def pool(y):
                return F.max_pool2d(y, 3, 2, ceil_mode=True)

            def lrn(y):
                return F.local_response_norm(y, 5, alpha=1e-4, beta=0.75, k=1.0)

            heads = []
            x = lrn(pool(self.conv("conv1/7x7_s2", x, 2)))
            x = pool(lrn(self.conv("conv2/3x3", self.conv("conv2/3x3_reduce", x))))
            for module in MODULES:
                name = "inception_" + module
                x = torch.cat([self.conv(name + "/1x1", x), self.conv(name + "/3x3", self.conv(name + "/3x3_reduce", x)),
                               self.conv(name + "/5x5", self.conv(name + "/5x5_reduce", x)),
                               self.conv(name + "/pool_proj", F.max_pool2d(x, 3, 1, padding=1))], 1)
                if self.training and module in HEADS:
                    heads.append(self.head(HEADS[module], x))
                if module in POOL_AFTER:
                    x = pool(x)
            x = F.dropout(x.mean((2, 3)), 0.4, self.training)
            return [self.fc("loss3/classifier", x)] + heads

    return Net()


def with_heads(weights):
    """Random values for auxiliary heads that the file leaves out: their speed is that of any."""
    classes, random = weights["loss3/classifier.bias"].shape[0], np.random.default_rng(1)
    for module, head in HEADS.items():
        width = sum(weights[f"inception_{module}/{layer}.bias"].shape[0] for layer in ("1x1", "3x3", "5x5", "pool_proj"))
        for layer, shape in HEAD_SHAPES.items():
            shape = tuple(side or (width if layer == "conv" else classes) for side in shape)
            name = f"{head}/{layer}"
            if name + ".weight" not in weights:
                deviation = np.sqrt(2 / np.prod(shape[1:]))
                weights[name + ".weight"] = (random.standard_normal(shape) * deviation).astype(np.float32)
                weights[name + ".bias"] = np.zeros(shape[0], np.float32)
    return weights


def torch(form):
    def make(folder, batch, threads, train=False):
        import torch as library
        library.set_num_threads(threads)
        arrays = np.load(os.path.join(folder, "model.npz"))
        weights = {name: arrays[name] for name in arrays.files if name.endswith((".weight", ".bias"))}
        net = torch_net(with_heads(weights) if train else {n: w for n, w in weights.items() if not n.startswith(("loss1", "loss2"))})
        x = library.from_numpy(batch)
        if form == "channels-last":
            net, x = net.to(memory_format=library.channels_last), x.to(memory_format=library.channels_last)
        forward = library.compile(net) if form == "compiled" else net
        if not train:
            net.eval()

            def run():
                with library.inference_mode():
                    return library.softmax(forward(x)[0], 1)[0].numpy()

            return library.__version__, run
        labels = library.arange(len(batch)) % TRAIN_CLASSES
        optimiser = library.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, weight_decay=2e-4)
        entropy = library.nn.functional.cross_entropy

        def step():
            optimiser.zero_grad(set_to_none=True)
            main, aux1, aux2 = (entropy(logits, labels) for logits in forward(x))
            (main + 0.3 * aux1 + 0.3 * aux2).backward()
            optimiser.step()

        return library.__version__, step

    return make


PEERS = {"onnxruntime": onnxruntime, "openvino": openvino, "ncnn": ncnn, "torch-eager": torch("eager"),
         "torch-channels-last": torch("channels-last"), "torch-compiled": torch("compiled")}


def peak_rss_bytes():
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("folder")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--output")
    args = parser.parse_args()
    picture = np.load(os.path.join(args.folder, "input.npy"))
    batch = np.ascontiguousarray(np.repeat(picture, args.batch, 0))
    more = {"train": True} if args.train else {}
    version, run = PEERS[args.peer](args.folder, batch, args.threads, **more)
    result, answered, median, runs = time_runs(run, args.seconds)
    if args.output:
        np.save(args.output, np.asarray(result, np.float32).reshape(-1))
    print(json.dumps({"version": version, "median_ms": median, "runs": runs, "answered": answered,
                      "peak_rss_bytes": peak_rss_bytes()}))


if __name__ == "__main__":
    main()
