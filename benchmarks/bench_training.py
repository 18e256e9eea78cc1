"""When does training an ensemble at once pay? Ratios of times in one run; prints a table.

    python benchmarks/bench_training.py

Rows: one network after another, divided by all at once (above 1: at once is faster), for growing
networks; then a convolutional network in contiguous and in channels-last memory.
"""

import torch
from timing import seconds

from netdist_utils import data, models, training


def fit(make_model, split, n_networks, at_once):
    training._worth_batching = lambda model, device: at_once
    training.fit_ensemble(
        make_model, split, range(n_networks), epochs=2, lr=0.01, progress=False, cache=False
    )


def ratio_at_once(make_model, split, n_networks):
    one_by_one = seconds(lambda: fit(make_model, split, n_networks, False))
    return one_by_one / seconds(lambda: fit(make_model, split, n_networks, True))


def ratio_channels_last(make_model, x):
    """Forward and backward of one batch, contiguous over channels-last."""
    times = {}
    for layout in (torch.contiguous_format, torch.channels_last):
        model = make_model().to(memory_format=layout)

        def steps(model=model):
            for _ in range(10):
                model(x).sum().backward()

        times[layout] = seconds(steps)
    return times[torch.contiguous_format] / times[torch.channels_last]


if __name__ == "__main__":
    digits = data.digits().train
    for widths in ([64, 15, 10], [64, 64, 10], [64, 256, 10], [64, 512, 256, 10]):
        size = sum(p.numel() for p in models.mlp(widths).parameters())
        ratio = ratio_at_once(lambda widths=widths: models.mlp(widths), digits, 8)
        print(f"mlp {widths}, {size:,} parameters, 8 networks: {ratio:.2f}")
    gray = data.Split(torch.randn(2000, 1024), torch.arange(2000) % 10)
    for widths in ([1024, 256, 10], [1024, 512, 10], [1024, 512, 256, 10]):
        size = sum(p.numel() for p in models.mlp(widths).parameters())
        ratio = ratio_at_once(lambda widths=widths: models.mlp(widths), gray, 4)
        print(f"mlp {widths}, {size:,} parameters, 4 networks: {ratio:.2f}")
    x = torch.randn(1000, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    split = data.Split(x, torch.arange(1000) % 10)

    def small_convnet():
        return models.convnet((3, 32, 32), [16, 32], kernel_size=3, padding=1, pool=2)

    ratio = ratio_at_once(small_convnet, split, 4)
    print(f"convnet 3-16-32, 4 networks: {ratio:.2f}")
    print(f"channels last: {ratio_channels_last(small_convnet, x[:128]):.2f}")
