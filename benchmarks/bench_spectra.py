"""Chapter 5: power-law fits beside powerlaw 1.5, and a whole ResNet-56.

    python benchmarks/bench_spectra.py

WeightWatcher is timed where it is installed (it is no dependency: its requirements are its own).
"""

import contextlib
import io
import tempfile
import time
import warnings

import numpy as np
import powerlaw
import torch
from safetensors.torch import save_file
from timing import peak_gib, seconds
from torch import nn

from netdist_utils import spectra

with tempfile.TemporaryDirectory() as folder:
    for shard in range(10):
        layers = {f"{shard}.{k}": torch.randn(1024, 2048).bfloat16() for k in range(4)}
        save_file(layers, f"{folder}/{shard}.safetensors")
    parameters = 10 * sum(tensor.numel() for tensor in layers.values())
    peak = peak_gib(lambda: dict(spectra.each_layer(spectra.open_weights(folder))))
    print(f"folder of {parameters / 1e6:.0f} million weights in bfloat16: {peak:.2f} GiB more")

sample = 1 + np.random.default_rng(0).pareto(2.5, 20_000)
peak = peak_gib(lambda: spectra.fit_power_law(sample))
print(f"fit, 20,000 values: {seconds(lambda: spectra.fit_power_law(sample)):.3f} s, "
      f"peak memory {peak:.3f} GiB more")  # fmt: skip


def quietly(call):
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(io.StringIO()):
            return call()


for n in (1000, 4000):
    few = sample[:n]
    ours = seconds(lambda few=few: spectra.fit_power_law(few), 5)
    began = time.perf_counter()
    fitted = quietly(lambda few=few: powerlaw.Fit(few, verbose=False))
    peer = time.perf_counter() - began
    gap = abs(fitted.alpha - spectra.fit_power_law(few).alpha)
    print(f"fit, {n:,} values: {1e3 * ours:.1f} ms; powerlaw 1.5 {peer:.2f} s, "
          f"{peer / ours:.0f} times as long, alpha {gap:.1e} apart")  # fmt: skip


def resnet56():
    """The weights of He et al.'s ResNet-56 for CIFAR-10, in order: 55 convolutions, one layer."""
    layers, inputs = [nn.Conv2d(3, 16, 3)], 16
    for width in (16, 32, 64):
        for _ in range(18):
            layers.append(nn.Conv2d(inputs, width, 3))
            inputs = width
    return nn.Sequential(*layers, nn.Linear(64, 10))


model = resnet56()
ours = seconds(lambda: spectra.table(model), 5)
print(f"ResNet-56, {len(spectra.layer_spectra(model))} layers: {ours:.3f} s")
try:
    import weightwatcher
except ImportError:
    print("WeightWatcher is not installed here")
else:
    import logging

    logging.disable(logging.CRITICAL)
    peer = quietly(lambda: seconds(lambda: weightwatcher.WeightWatcher(model=model).analyze(), 2))
    print(f"WeightWatcher: {peer:.2f} s, {peer / ours:.1f} times as long")
    print("(It fits slices, ours flattened matrices: layer by layer, not number by number.)")
