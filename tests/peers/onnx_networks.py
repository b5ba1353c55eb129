"""onnx_networks.py - the networks that people have: 86 classifiers of torchvision and timm, exported with PyTorch's two exporters as they
come, random weights and statistics, one random picture; deeper's answer beside ONNX Runtime's.

    onnx_networks.py DEEPER [--keep FOLDER] [NETWORK ...]

DEEPER is the program. A network is tv/NAME or timm/NAME. --keep leaves the exported files in FOLDER and takes what is there. Needs torch,
torchvision, timm, onnx, onnxscript, onnxruntime, numpy. Prints a line a file, then how many networks agree within 1e-4 of the largest logit
from both exporters, and what the others are refused for. Exit code 1 if an answer differs, or fewer than WANTED agree."""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

NETWORKS = """
tv/alexnet tv/vgg11 tv/vgg11_bn tv/resnet18 tv/resnext50_32x4d tv/wide_resnet50_2 tv/densenet121 tv/inception_v3 tv/googlenet tv/squeezenet1_0
tv/squeezenet1_1 tv/mobilenet_v2 tv/mobilenet_v3_small tv/mobilenet_v3_large tv/mnasnet0_5 tv/shufflenet_v2_x0_5 tv/regnet_x_400mf
tv/regnet_y_400mf tv/efficientnet_b0 tv/efficientnet_v2_s tv/convnext_tiny tv/vit_b_16 tv/swin_t
timm/resnet26d timm/resnetv2_50 timm/resnetblur50 timm/resnetv2_50x1_bit timm/seresnext26d_32x4d timm/ecaresnet26t timm/skresnet18
timm/res2net50_26w_4s timm/resnest14d timm/gcresnet33ts timm/cspresnet50 timm/cspdarknet53 timm/darknet53 timm/cs3darknet_s timm/dla34 timm/dpn68
timm/tf_efficientnet_b0 timm/tf_efficientnetv2_b0 timm/efficientnet_lite0 timm/efficientnet_es timm/mixnet_s timm/mobilenetv4_conv_small
timm/mobileone_s0 timm/spnasnet_100 timm/fbnetc_100 timm/fbnetv3_b timm/lcnet_050 timm/tinynet_e timm/ghostnet_100 timm/ghostnetv2_100
timm/repghostnet_050 timm/hrnet_w18_small timm/inception_v4 timm/inception_resnet_v2 timm/inception_next_atto timm/xception41
timm/legacy_xception timm/nf_resnet50 timm/nfnet_l0 timm/nf_regnet_b1 timm/convnext_atto timm/convnextv2_atto timm/convmixer_768_32 timm/fastvit_t8
timm/gernet_s timm/repvgg_a0 timm/regnetz_b16 timm/rexnet_100 timm/rdnet_tiny timm/poolformer_s12 timm/poolformerv2_s12 timm/starnet_s1
timm/selecsls42b timm/semnasnet_075 timm/tresnet_m timm/ese_vovnet19b_dw timm/hgnet_tiny timm/hgnetv2_b0 timm/mambaout_femto timm/repvit_m0_9
timm/edgenext_xx_small timm/mobilevitv2_050 timm/mixer_s32_224
""".split()
WANTED = 75
EXPORTERS = (("TorchScript", False), ("dynamo", True))


def spread(network, torch):
    """Statistics, factors and gammas that differ from the neutral ones that networks begin with."""
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    for parameter in network.parameters():
        if parameter.numel() > 1 and float(parameter.max()) == float(parameter.min()):
            level = float(parameter.max())
            if level == 0:
                parameter.data.normal_(0, 0.05)
            else:
                parameter.data.uniform_(0.5, 1.5)
                parameter.data.mul_(max(abs(level), 0.1))


def make(name):
    import timm
    import torch
    import torchvision
    torch.manual_seed(1)
    family, short = name.split("/")
    if family == "tv":
        network, side = getattr(torchvision.models, short)(weights=None), 299 if short == "inception_v3" else 224
    else:
        network = timm.create_model(short, pretrained=False)
        side = network.default_cfg["input_size"][-1]
    network = network.eval()
    spread(network, torch)
    return network, torch.randn(1, 3, side, side)


def export(name, folder):
    """The files of a network: (exporter, path of the .onnx, path of what ONNX Runtime answers, or why there is none)."""
    import numpy as np
    import onnxruntime
    import torch
    files, network = [], None
    for exporter, newer in EXPORTERS:
        path = os.path.join(folder, f"{name.replace('/', '_')}_{exporter}")
        if not os.path.exists(path + ".npz") and not os.path.exists(path + ".failed"):
            try:
                if network is None:
                    network, picture = make(name)
                torch.onnx.export(network, (picture,), path + ".onnx", dynamo=newer, input_names=["input"], output_names=["y"],
                                  **({"external_data": False, "verbose": False} if newer else {}))
                options = onnxruntime.SessionOptions()
                options.log_severity_level = 4
                options.intra_op_num_threads = 1
                session = onnxruntime.InferenceSession(path + ".onnx", options, providers=["CPUExecutionProvider"])
                answer = session.run(None, {session.get_inputs()[0].name: picture.numpy()})[0]
                np.savez(path + ".npz", input=picture.numpy(), logits=answer)
            except Exception as error:
                with open(path + ".failed", "w") as out:
                    out.write(f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else ''}")
        failed = open(path + ".failed").read() if os.path.exists(path + ".failed") else None
        files.append((exporter, path + ".onnx", failed or path + ".npz", failed is None))
    return files


def compare(deeper, path, recorded):
    """(agrees, relative difference or None, text)."""
    done = subprocess.run([deeper, "verify", "--json", path, "--against", recorded], capture_output=True, text=True)
    if done.returncode not in (0, 4):
        text = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"
        return False, None, text.replace(path, "")
    worst = json.loads(done.stdout)["worst"]["relative"]
    return done.returncode == 0, worst, f"{worst:.2g}"


def reason(text):
    """An operator's name and what of it is refused."""
    match = re.search(r"\((\w+)\): (.*)$", text)
    return f"{match.group(1)}: {match.group(2)[:90]}" if match else text[:110]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("deeper")
    arguments.add_argument("networks", nargs="*")
    arguments.add_argument("--keep")
    options = arguments.parse_args()
    warnings.filterwarnings("ignore")
    import torch
    torch.set_num_threads(1)
    refusals, agreed, differ, each = collections.Counter(), 0, 0, collections.Counter()
    names = options.networks or NETWORKS
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        folder = options.keep or scratch
        os.makedirs(folder, exist_ok=True)
        for name in names:
            results = []
            for exporter, path, recorded, exported in export(name, folder):
                agrees, worst, text = compare(options.deeper, path, recorded) if exported else (None, None, "not exported: " + recorded)
                results.append(agrees)
                print(f"{name} ({exporter}): {text}", flush=True)
                each[exporter] += bool(agrees)
                differ += worst is not None and not agrees
                if agrees is False and worst is None:
                    refusals[reason(text)] += 1
                if not options.keep and os.path.exists(path):
                    os.remove(path)
            agreed += all(agrees is not False for agrees in results) and any(results)
    print(f"\n{agreed} of {len(names)} networks agree from every exporter that takes them; "
          + ", ".join(f"{exporter} {each[exporter]}" for exporter, _ in EXPORTERS) + f"; {differ} files differ")
    for text, count in refusals.most_common():
        print(f"{count:4d}  {text}")
    return 1 if differ or (not options.networks and agreed < WANTED) else 0


if __name__ == "__main__":
    sys.exit(main())
