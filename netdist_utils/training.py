"""Train one network or an ensemble of them, and keep what was trained.

Small networks waste a processor: the time goes into starting operations, not into arithmetic.
So an ensemble of small networks is one network whose parameters have a leading axis of members
(`torch.func.stack_module_state`), run by batched products or ``vmap`` and trained by one
optimizer, since SGD and Adam act on each entry alone. On a CPU, large networks and large parts of
an ensemble train side by side, each on a core of its own (`workers`).

Member ``seed`` starts from the global generator seeded with ``seed`` and shuffles with a
generator of its own, so it is the same network alone or among others, up to the order in which
floating-point sums are taken (`TOLERANCE`). So an ensemble for which memory is short is trained
in halves, and halves of these: the same networks, up to that order.
"""

import math
import operator
import re
from contextlib import closing
from dataclasses import dataclass
from threading import RLock

import torch
from joblib import parallel_config
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from netdist_utils import checks, models, settings, store, workers

# Largest difference of a logit, relative to the largest logit, between a network trained alone
# and the same in an ensemble, or on CPU and CUDA, over the short trainings of the tests.
TOLERANCE = 1e-3
# On a CPU, members with more parameters than this, or with convolutions, train one by one:
# batching them gains nothing there, or loses (benchmarks/bench_training.py).
BATCHED_PARAMETERS = 1_000_000
# Multiplications in a step of a stack from which a core of its own pays.
WORK_OF_A_CORE = 10_000_000
MEMBERS_ELSEWHERE = 16  # of one stack: so many are begun again where another process is killed
# What Python, torch on a CPU, CUDA and cuBLAS say; only the first two have classes of their own.
OUT_OF_MEMORY = re.compile("MemoryError|out of memory|(not enough|allocate) memory|ALLOC_FAIL")
_global_generator = RLock()  # which all threads share


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What determines a training, apart from the start, the data and the seed.

    Attributes
    ----------
    epochs : int from 0 on
    lr : positive float
        Learning rate, at its highest.
    batch_size : int from 1 on
        The last batch of an epoch may be smaller.
    momentum : float from 0 on
        Of SGD.
    optimizer : {"sgd", "adam"}
    weight_decay : float from 0 on
        L2 penalty, as in torch.optim.
    schedule : {"constant", "cosine"}
        ``"cosine"`` lowers the rate to zero over the run.

    Raises
    ------
    ValueError
        If a number is out of range, or an option is unknown.

    Examples
    --------
    >>> Recipe(epochs=3, lr=0.1).batch_size
    128
    """

    epochs: int
    lr: float
    batch_size: int = 128
    momentum: float = 0.9
    optimizer: str = "sgd"
    weight_decay: float = 0.0
    schedule: str = "constant"

    def __post_init__(self):
        checks.admit_fields(self)

    def rate(self, progress):
        """Learning rate when a share of the steps, 0 to 1, is done."""
        if self.schedule == "constant":
            return self.lr
        return self.lr * (1 + math.cos(math.pi * progress)) / 2


def start(make_model, seed):
    """The untrained network that `fit_ensemble` starts from.

    Parameters
    ----------
    make_model : callable
        Takes nothing, returns a Sequential; it may draw from torch's global generator.
    seed : int from 0 on

    Returns
    -------
    torch.nn.Sequential
        Untrained, in evaluation mode, without gradients. The global generator is left as it was.

    Raises
    ------
    ValueError
        If some of its weights are frozen and others are not, which would be forgotten here.

    Examples
    --------
    >>> one, two = (start(lambda: models.mlp([2, 1]), seed=0) for _ in range(2))
    >>> bool((one[1].weight == two[1].weight).all())
    True
    """
    with _global_generator, torch.random.fork_rng():
        torch.manual_seed(seed)
        model = checks.outside(make_model)
    if len({p.requires_grad for p in model.parameters()}) > 1:
        raise ValueError(f"some weights of {model} are frozen; all of them would be trained")
    return models.freeze(model)


def fit_ensemble(
    make_model,
    split,
    seeds,
    *,
    epochs,
    lr,
    batch_size=128,
    momentum=0.9,
    optimizer="sgd",
    progress=True,
    weight_decay=0.0,
    schedule="constant",
    cache=True,
):
    """Train one network a seed by minibatch descent on the cross-entropy.

    Parameters
    ----------
    make_model : callable
        Takes nothing, returns an untrained Sequential of `models.LAYERS`.
    split : data.Split of any labels
        Training data: x (N, ...), y (N,).
    seeds : sequence of int from 0 on
        One network each: its start and the order of its batches.
    epochs, lr, batch_size, momentum, optimizer, weight_decay, schedule
        The `Recipe`, which says what they are and what is refused.
    progress : bool
        Show a bar.
    cache : bool
        Look for the networks in the cache folder first, and keep them there.

    Returns
    -------
    list of torch.nn.Sequential
        On `settings.device`, in evaluation mode, without gradients, in the order of the seeds.

    Raises
    ------
    TypeError, ValueError
        If the split is empty, or has a label without an output; if layers are none of
        `models.LAYERS`, share weights, or are frozen in part; or as in `Recipe`.
    FloatingPointError
        If a network's weights are no longer finite after training.

    Examples
    --------
    >>> from netdist_utils import data
    >>> net, = fit_ensemble(lambda: models.mlp([2, 8, 2]), data.circle(50, 0), [0],
    ...                     epochs=1, lr=0.1, progress=False, cache=False)
    """
    recipe = Recipe(
        epochs=epochs,
        lr=lr,
        batch_size=batch_size,
        momentum=momentum,
        optimizer=optimizer,
        weight_decay=weight_decay,
        schedule=schedule,
    )
    snapshots = _fit(make_model, split, list(seeds), recipe, {epochs}, progress, cache)
    return [kept[epochs] for kept in snapshots]


def fit_history(make_model, split, seed, *, progress=True, cache=True, **recipe):
    """One network after each epoch of its training.

    Parameters
    ----------
    make_model, split, progress, cache
        As in `fit_ensemble`.
    seed : int from 0 on
    **recipe
        The fields of `Recipe`.

    Returns
    -------
    list of torch.nn.Sequential
        ``epochs + 1`` networks: entry e is the network after e epochs, entry 0 its start.

    Examples
    --------
    >>> from netdist_utils import data
    >>> len(fit_history(lambda: models.mlp([2, 8, 2]), data.circle(50, 0), 0,
    ...                 epochs=2, lr=0.1, progress=False, cache=False))
    3
    """
    recipe = Recipe(**recipe)
    every = range(recipe.epochs + 1)
    (kept,) = _fit(make_model, split, [seed], recipe, set(every), progress, cache)
    return [kept[epoch] for epoch in every]


@torch.no_grad()
def logits(model, x, batch_size=2048):
    """Outputs of a network, computed in batches so that memory stays small.

    Parameters
    ----------
    model : torch.nn.Sequential
    x : possibly empty (N, ...) inputs
    batch_size : int from 1 on

    Returns
    -------
    (N, K) tensor, on the model's device

    Examples
    --------
    >>> logits(models.mlp([4, 3]), torch.zeros(5, 4)).shape
    torch.Size([5, 3])
    """
    device = models.device_of(model)
    return torch.cat([model(part.to(device)) for part in x.split(batch_size)])


def accuracy(model, split):
    """Fraction of samples whose largest logit is their label's, in [0, 1].

    Parameters
    ----------
    model : torch.nn.Sequential
    split : data.Split
        x (N, ...), y (N,), N >= 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the split is empty, or the model has no output for one of its labels.

    Examples
    --------
    >>> from netdist_utils import data
    >>> 0 <= accuracy(models.mlp([2, 2]), data.circle(10, 0)) <= 1
    True
    """
    z = logits(model, split.x)
    return (z.argmax(1) == split.labels_for(z)).float().mean().item()


def cross_entropy(model, split):
    """Mean cross-entropy in nats; errors as in `accuracy`.

    Parameters
    ----------
    model, split
        As in `accuracy`.

    Examples
    --------
    >>> from netdist_utils import data
    >>> cross_entropy(models.mlp([2, 2]), data.circle(10, 0)) > 0
    True
    """
    z = logits(model, split.x)
    return nn.functional.cross_entropy(z, split.labels_for(z)).item()


def _fit(make_model, split, seeds, recipe, epochs_kept, progress, cache):
    """For each seed a dict from epoch to network, from the cache or trained now."""
    seeds = [operator.index(seed) for seed in seeds]
    starts = [start(make_model, seed) for seed in seeds]
    for model in starts:
        models.check(model)
        checks.admit(cross_entropy, given := {"model": model, "split": split})
        split = given["split"]

    def train(members):
        of_members = [starts[i] for i in members], split, [seeds[i] for i in members]
        return _train(*of_members, recipe, epochs_kept, progress)

    if not cache:
        return list(train(range(len(seeds))))
    data = split.fingerprint  # read once: it takes a tenth of a second for CIFAR-10
    files = [
        {e: store.path_of(model, data, seed, recipe, e) for e in epochs_kept}
        for model, seed in zip(starts, seeds, strict=True)
    ]
    return store.fetch(starts, files, train)


def _train(starts, split, seeds, recipe, epochs_kept, progress):
    """Train in groups, side by side on a CPU or wherever joblib is told to; yield each network."""
    if not starts:
        return
    device = settings.device()
    x, y = split.x.to(device), split.y.to(device)
    groups, here = _groups(starts, recipe, device), workers.plan(all_cores=True)[1]
    options = {"total": len(groups) * recipe.epochs, "disable": not progress, "desc": "training"}
    with settings.progress(**options) as bar:
        # The bar moves with each epoch here; elsewhere (`int` does nothing) with each group.
        common = x, y, recipe, epochs_kept, bar.update if here else int
        jobs = [([starts[i] for i in g], [seeds[i] for i in g], *common) for g in groups]
        with closing(_side_by_side(jobs, here)) as trained:  # also where a network diverges
            for (_, seeds_of_group, *_), group in zip(jobs, trained, strict=True):
                bar.update(0 if here else recipe.epochs)
                for seed, snapshots in zip(seeds_of_group, group, strict=True):
                    _check_finite(seed, snapshots, recipe)
                    yield snapshots


def _check_finite(seed, snapshots, recipe):
    for epoch, model in snapshots.items():
        if not all(torch.isfinite(p).all() for p in model.parameters()):
            raise FloatingPointError(
                f"the network of seed {seed} diverged by epoch {epoch} with lr {recipe.lr}; "
                "use a smaller lr"
            )


def _groups(starts, recipe, device):
    """Positions of the networks that are trained as one, whichever is fastest here.

    On a CPU a stack of networks is cut where each core gets enough to do in a step, and for
    other processes where not too much is lost with one of them. Two networks or more stay
    together: alone, a network's sums are taken in another order.
    """
    n, (n_jobs, here) = len(starts), workers.plan(all_cores=True)
    if len({repr(model) for model in starts}) > 1 or not _worth_batching(starts[0], device):
        return [[i] for i in range(n)]
    if here:
        work = n * sum(p.numel() for p in starts[0].parameters()) * recipe.batch_size
        chunks = min(n_jobs, work // WORK_OF_A_CORE)
    else:
        chunks = max(n_jobs, math.ceil(n / MEMBERS_ELSEWHERE))
    chunks = max(1, min(chunks, n // 2))
    return [list(range(n * k // chunks, n * (k + 1) // chunks)) for k in range(chunks)]


def _worth_batching(model, device):
    if device.type == "cuda":
        return True
    convolutional = any(isinstance(layer, nn.Conv2d) for layer in model)
    return not convolutional and sum(p.numel() for p in model.parameters()) <= BATCHED_PARAMETERS


def _side_by_side(jobs, here):
    """`_train_group` of each job; one after another where memory is short for several at once."""
    done = 0
    try:
        for group in workers.each(_train_group, jobs, all_cores=True):
            yield group
            done += 1
    except (RuntimeError, MemoryError) as error:
        if not (here and len(jobs) > 1 and OUT_OF_MEMORY.search(repr(error))):
            raise
    with parallel_config(n_jobs=1):
        yield from workers.each(_train_group, jobs[done:], all_cores=True)


def _train_group(starts, seeds, x, y, recipe, epochs_kept, tick):
    """Train together; where memory is short, in halves, from their starts again."""
    try:
        members = [models.clone(start).to(x.device).requires_grad_() for start in starts]
        orders = [torch.Generator().manual_seed(seed) for seed in seeds]
        return _descend(members, orders, x, y, recipe, epochs_kept, tick)
    except (RuntimeError, MemoryError) as error:
        if len(starts) == 1 or not OUT_OF_MEMORY.search(repr(error)):
            raise
    half, common = len(starts) // 2, (x, y, recipe, epochs_kept, tick)
    first = _train_group(starts[:half], seeds[:half], *common)
    return first + _train_group(starts[half:], seeds[half:], *common)


def _descend(members, orders, x, y, recipe, epochs_kept, tick):
    """Minibatch descent on E members at once; for one member, plain torch."""
    # Before training chooses a memory layout: a snapshot is as a file of it would be read.
    snapshots = [{0: models.freeze(models.clone(m))} if 0 in epochs_kept else {} for m in members]
    forward, parameters = _ensemble(members)
    descent = _optimizer(parameters, recipe)
    n, size = len(x), recipe.batch_size
    steps, step = recipe.epochs * math.ceil(n / size), 0
    images = x.new_empty(len(members) * min(n, size), *x.shape[1:])
    for epoch in range(1, recipe.epochs + 1):
        shuffled = torch.stack([torch.randperm(n, generator=g) for g in orders])  # (E, N)
        for batch in shuffled.to(x.device).split(size, dim=1):  # (E, B)
            descent.param_groups[0]["lr"] = recipe.rate(step / steps)
            # index_select is faster than x[batch], and again so into memory that is there already.
            rows = torch.index_select(x, 0, batch.flatten(), out=images[: batch.numel()])
            z = forward(rows.view(*batch.shape, *x.shape[1:]))  # (E, K, B)
            # A mean over each member's batch, a sum over members: nobody's gradient is mixed.
            loss = nn.functional.cross_entropy(z, y.take(batch)) * len(members)
            descent.zero_grad()
            loss.backward()
            descent.step()
            step += 1
        if epoch in epochs_kept:
            for i, kept in enumerate(snapshots):
                kept[epoch] = _member(members[i], parameters, i, len(members))
        tick()
    return snapshots


def _ensemble(members):
    """Forward pass (E, B, ...) -> (E, K, B) of all members, and the parameters to train."""
    if len(members) == 1:
        model = members[0].train()
        if any(isinstance(layer, nn.Conv2d) for layer in model):
            model.to(memory_format=torch.channels_last)  # faster on a CPU, see the benchmark
        return lambda x: model(x[0]).T[None], dict(model.named_parameters())
    stacked, _ = stack_module_state(members)
    stacked = {name: p.detach().requires_grad_() for name, p in stacked.items()}  # (E, ...)
    skeleton = members[0]
    if all(isinstance(layer, nn.Flatten | nn.Linear | nn.ReLU) for layer in skeleton):
        return lambda x: _perceptrons(skeleton, stacked, x), stacked
    run = vmap(lambda p, x: functional_call(skeleton, p, (x,)))
    return lambda x: run(stacked, x).mT, stacked


def _perceptrons(skeleton, stacked, x):
    """Forward pass of stacked MLPs in batched products, which spares vmap's cost a step.

    A batch is the last axis: products and softmax then run along memory, 1.2 times faster.
    """
    h = x.flatten(2).mT  # (E, D, B)
    for index, layer in enumerate(skeleton):
        if isinstance(layer, nn.ReLU):
            h = h.relu()
        elif isinstance(layer, nn.Linear):
            weight = stacked[f"{index}.weight"]  # (E, out, in)
            bias = stacked.get(f"{index}.bias")
            h = weight @ h if bias is None else torch.baddbmm(bias[..., None], weight, h)
    return h


def _member(model, parameters, i, n_members):
    """Network i of the ensemble as a model of its own."""
    copy = models.clone(model)
    if n_members > 1:
        copy.load_state_dict({name: p[i].detach().clone() for name, p in parameters.items()})
    return models.freeze(copy.to(memory_format=torch.contiguous_format))


def _optimizer(parameters, recipe):
    options = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters.values(), **options)
    return torch.optim.SGD(parameters.values(), momentum=recipe.momentum, **options)


checks.guard(__name__)
