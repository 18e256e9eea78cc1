"""A figure with a handle: one pair of networks through all lenses, beside its nulls."""

import numpy as np

from netdist_utils import interactive


def pair_chooser(pairs, nulls, wanted):
    """An interactive figure: choose a setting and two networks, see what each lens says of them.

    Parameters
    ----------
    pairs : dict of str to pandas.DataFrame
        For each setting, its pairs as `measure_pairs` gives them.
    nulls : dict of str to (dict of str to pandas.DataFrame)
        For each null its name and, for each setting, pairs that show what likeness it has.
    wanted : dict of str to str
        Columns to show, one row of the figure each, and their names in the figure.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        If a null lacks a setting, or settings have other pairs.

    Examples
    --------
    >>> import pandas as pd
    >>> one = pd.DataFrame({"x": [0.5]}, index=pd.MultiIndex.from_tuples([(0, 1)]))
    >>> "base" in pair_chooser({"base": one}, {"untrained": {"base": one}}, {"x": "matching"}).data
    True
    """
    indices = {tuple(frame.index) for frame in pairs.values()}
    lacking = [name for name, frames in nulls.items() if set(pairs) - set(frames)]
    if len(indices) != 1 or lacking:
        raise ValueError(
            f"settings have {len(indices)} different sets of pairs, one is needed; nulls without "
            f"some setting: {lacking}"
        )
    (index,) = indices
    columns = list(wanted)
    values = np.stack([frame[columns].to_numpy().T for frame in pairs.values()])  # (S, L, P)
    means = np.stack(
        [[frames[name][columns].mean().to_numpy() for name in pairs] for frames in nulls.values()]
    )  # (nulls, S, L)
    data = {
        "settings": list(pairs),
        "lenses": list(wanted.values()),
        "nulls": list(nulls),
        "pairs": [list(map(int, pair)) for pair in index],
        "values": np.round(values, 4).tolist(),
        "means": np.round(means, 4).tolist(),
    }
    return interactive.figure("lenses", data, title="One pair of networks through all lenses")
