"""A figure with a handle: one pair of networks through all lenses, beside its nulls."""

import numpy as np

from netdist_utils import interactive


def pair_chooser(pairs, nulls, wanted):
    """An interactive figure: choose a setting and two networks, see what each lens says of them.

    Parameters
    ----------
    pairs : dict of str to pandas.DataFrame
        For each setting, its pairs as `measure_pairs` gives them.
    nulls : possibly empty dict of str to dict of str to pandas.DataFrame
        For each null its name and, for the settings to which it applies, pairs that show what
        likeness it has.
    wanted : dict of str to str
        Columns to show, one row of the figure each, and their names in the figure.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        If settings have different pairs.

    Examples
    --------
    >>> import pandas as pd
    >>> one = pd.DataFrame({"x": [0.5]}, index=pd.MultiIndex.from_tuples([(0, 1)]))
    >>> "base" in pair_chooser({"base": one}, {"untrained": {"base": one}}, {"x": "matching"}).data
    True
    """
    indices = {tuple(frame.index) for frame in pairs.values()}
    if len(indices) != 1:
        raise ValueError(f"settings have {len(indices)} different sets of pairs; one is needed")
    (index,) = indices
    columns = list(wanted)
    values = np.stack([frame[columns].to_numpy().T for frame in pairs.values()])  # (S, L, P)
    means = [
        [
            frames[name][columns].mean().round(4).to_list() if name in frames else None
            for name in pairs
        ]
        for frames in nulls.values()
    ]  # (nulls, S, L)
    data = {
        "settings": list(pairs),
        "lenses": list(wanted.values()),
        "nulls": list(nulls),
        "pairs": [list(map(int, pair)) for pair in index],
        "values": np.round(values, 4).tolist(),
        "means": means,
    }
    return interactive.figure("lenses", data, title="One pair of networks through all lenses")
