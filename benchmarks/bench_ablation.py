"""Chapter 2: all subnetworks, beside one product over all masks and one pass a mask.

python benchmarks/bench_ablation.py

What should hold on 2 cores: all_losses under 4 s and under 1 GiB; at least 2.5 times faster than
one product and softplus, and at least 1,000 times faster a subnetwork than one forward pass each;
64-15-10 on 540 digits under 0.5 s and under 0.5 GiB, 64-20-10 under 10 s.
"""

import torch
from timing import peak_gib, seconds

from netdist_utils import ablation, data, models, training

points = data.circle(1000, 0)
(net,) = training.fit_ensemble(
    lambda: models.mlp([2, 20, 2]), points, [0], epochs=20, lr=0.1, progress=False
)
found = {}
peak = peak_gib(lambda: found.update(values=ablation.all_losses(net, points)))
ours = seconds(lambda: ablation.all_losses(net, points))
print(f"all_losses, 20 units, 1,000 points: {ours:.2f} s, peak memory {peak:.2f} GiB more")

# z(m) = sum_i m_i t_i + offset is the margin of the right class, its loss softplus(-z).
h = net[:3](points.x)
sign = (2 * points.y - 1).float()
terms = h * (net[3].weight[1] - net[3].weight[0]) * sign[:, None]  # (N, 20)
offset = (net[3].bias[1] - net[3].bias[0]) * sign
numbers = torch.arange(2**20)
bits = (numbers[:, None] >> torch.arange(20) & 1).float()


def by_product():
    parts = bits.split(2**14)
    return torch.cat(
        [torch.nn.functional.softplus(-(p @ terms.T + offset)).mean(1) for p in parts]
    )


gap = (by_product() - found["values"]).abs().max()
peer = seconds(by_product, 1)
print(f"one product and softplus over all masks: {peer:.2f} s, {peer / ours:.1f} times as long, "
      f"largest difference {gap:.1e}")  # fmt: skip


def one_pass_each(n):
    copy = models.clone(net)
    for number in range(n):
        copy[3].weight.data = net[3].weight * bits[number]
        training.cross_entropy(copy, points)


each = seconds(lambda: one_pass_each(300)) / 300
print(f"one forward pass a mask: {each * 2**20 / ours:.0f} times as long")
print(f"Walsh-Hadamard, 2^20: {seconds(lambda: ablation.walsh(found['values'])):.3f} s")
print(f"Shapley, 20 units: {seconds(lambda: ablation.shapley_values(found['values'])):.3f} s")

# Ten classes: chapter 1's network, and one of twenty units.
digits = data.digits()
for units in (15, 20):
    (many,) = training.fit_ensemble(
        lambda units=units: models.mlp([64, units, 10]),
        digits.train,
        [0],
        epochs=20,
        lr=0.1,
        progress=False,
    )
    peak = peak_gib(lambda many=many: ablation.all_losses(many, digits.test))
    took = seconds(lambda many=many: ablation.all_losses(many, digits.test), 3)
    print(f"all_losses, 64-{units}-10 on 540 digits: {took:.2f} s, {peak:.2f} GiB more")
