"""Chapter 3: clipping, moments and data, beside the source's ways.

python benchmarks/bench_covariance.py
"""

import numpy as np
import torch
from PIL import Image
from timing import peak_gib, seconds
from torchvision import transforms

from netdist_utils import covariance, data, models, training

generator = torch.Generator().manual_seed(0)
split = data.Split(
    torch.randn(10_000, 1, 32, 32, generator=generator),
    torch.randint(10, (10_000,), generator=generator),
)
net = training.start(lambda: models.mlp([1024, 512, 256, 10], bias=False), 0)
basis = torch.linalg.qr(torch.randn(1024, 1024, generator=generator))[0]
found = {}
peak = peak_gib(lambda: found.update(curve=covariance.clip_curve(net, 1, basis, split)))
ours = seconds(lambda: covariance.clip_curve(net, 1, basis, split), 2)
print(f"clip_curve, 1,024 ranks, 10,000 images: {ours:.1f} s, peak memory {peak:.2f} GiB more")


def copied(ranks):
    accuracies = []
    for rank in ranks:
        copy = models.clone(net)
        kept = basis[:rank]
        copy[1].weight.data = net[1].weight @ kept.T @ kept
        accuracies.append(training.accuracy(copy, split))
    return torch.tensor(accuracies)


ranks = list(range(1, 1025, 64))
peer = seconds(lambda: copied(ranks), 2) / len(ranks) * 1024
gap = (copied(ranks) - found["curve"][[r - 1 for r in ranks]].cpu()).abs().max()
print(f"a copied model for each rank: {peer / ours:.1f} times as long, accuracies {gap:.4f} apart")

pair = [training.start(lambda: models.mlp([1024, 512, 256, 10]), seed) for seed in (0, 1)]
layers = [2, 4]


def layer_by_layer():
    """Every activation is kept, and every product has a pass of its own."""
    for layer in layers:
        acts = [models.outputs(m, split.x, [layer])[layer].double() for m in pair]
        for a in acts:
            for b in acts:
                a.T @ b / len(a)


one_pass = seconds(lambda: covariance.moments(pair, split.x, layers))
peer = seconds(layer_by_layer)
print(f"moments in one pass: {one_pass:.2f} s; layer by layer {peer / one_pass:.1f} times as long")

pixels = np.random.default_rng(0).integers(0, 256, (2000, 32, 32, 3), dtype=np.uint8)
pipeline = transforms.Compose(
    [transforms.Grayscale(), transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
)
by_image = seconds(lambda: [pipeline(Image.fromarray(p)) for p in pixels]) / 2000 * 50_000
tensors = torch.randn(50_000, 1, 32, 32)


def epoch():
    for batch in torch.randperm(len(tensors)).split(128):
        tensors[batch]


ready = seconds(epoch)
print(f"an epoch's data: {ready:.2f} s; through per-image transforms {by_image:.1f} s, "
      f"{by_image / ready:.0f} times as long")  # fmt: skip
