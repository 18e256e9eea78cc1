"""Match units by optimal transport: soft, and between unequal widths.

A permutation gives each unit one partner. A transport plan moves mass between units, so that a
unit may be shared among several (Singh and Jaggi 2020, "Model Fusion via Optimal Transport").
With as many units on both sides and equal masses it is the linear assignment of `match`.
"""

import torch

from netdist_utils import models
from netdist_utils.units import read


def transport(reference, model, mass="equal"):
    """Move the units of a model onto the slots of a reference that may have more or fewer.

    A slot gets the mean of the incoming weights that arrive there, and the sum of the outgoing
    ones, each unit's outgoing weights being split as its mass is. The result computes the model's
    function where no two unlike units share a slot.

    Parameters
    ----------
    reference, model : torch.nn.Sequential
        Of Linear layers, one of them hidden, with equal inputs and outputs.
    mass : {"equal", "norms"}
        ``"norms"``: a unit weighs as much as the product of the norms of its incoming and outgoing
        weights, so that a dead one hardly counts.

    Returns
    -------
    torch.nn.Sequential
        Of the reference's widths.
    (H_reference, H_model) tensor
        The plan: mass moved between each two units, 1 in all.

    Raises
    ------
    ValueError
        If there is not one hidden layer, inputs or outputs differ, or the mass is unknown.

    Examples
    --------
    >>> moved, plan = transport(models.mlp([4, 3, 2]), models.mlp([4, 5, 2]))
    >>> moved[1].weight.shape, plan.shape
    (torch.Size([3, 4]), torch.Size([3, 5]))
    """
    import ot  # seconds to import, so only here

    one, two = read(reference), read(model)
    ends = [(w.widths[0], w.widths[-1], len(w.widths)) for w in (one, two)]
    if ends[0] != ends[1] or ends[0][2] != 3:
        raise ValueError(
            f"widths {one.widths} and {two.widths}: one hidden layer, equal inputs and outputs "
            "are needed"
        )
    a, b = _masses(reference, mass), _masses(model, mass)
    gain = one.units(0) @ two.units(0).T
    plan = torch.from_numpy(ot.emd(a, b, gain.max() - gain))  # (H_reference, H_model)
    return _moved(reference, model, plan), plan


def _masses(model, mass):
    """Mass of each unit (H,), 1 in all."""
    into, out = (model[i].weight.detach().cpu().double() for i in models.weight_layers(model))
    size = into.norm(dim=1) * out.norm(dim=0)
    size = torch.ones_like(size) if mass == "equal" else size
    if not size.sum() > 0:
        raise ValueError(f"no unit of {model} has both incoming and outgoing weights")
    return (size / size.sum()).numpy()


def _moved(reference, model, plan):
    arriving = plan / plan.sum(1, keepdim=True).clamp_min(1e-12)  # rows of 1: means
    leaving = plan / plan.sum(0, keepdim=True).clamp_min(1e-12)  # columns of 1: shares
    result = models.freeze(models.clone(reference))
    first, last = models.weight_layers(reference)
    values = {name: p.detach().cpu().double() for name, p in model.named_parameters()}
    for name, p in result.named_parameters():
        moved = arriving @ values[name] if name.startswith(f"{first}.") else values[name]
        p.data = (moved @ leaving.T if name == f"{last}.weight" else moved).to(p)
    return result
