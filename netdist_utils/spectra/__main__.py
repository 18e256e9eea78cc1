"""The table of a model in a file: ``python -m netdist_utils.spectra model.safetensors``."""

import argparse
import sys

from netdist_utils import settings
from netdist_utils.spectra.figure import rank_plot
from netdist_utils.spectra.files import open_weights, save_spectra
from netdist_utils.spectra.layers import each_layer
from netdist_utils.spectra.measures import compare, table

SOURCE = "a .safetensors or .npz file, a folder of shards, or torchvision:NAME"


def main(arguments=None):
    """Print the table; 2, with one line, where a file cannot be judged."""
    parser = argparse.ArgumentParser(
        prog="python -m netdist_utils.spectra", description="Power-law fits of a model's weights."
    )
    parser.add_argument("source", help=SOURCE)
    parser.add_argument("--compare", metavar="OTHER", help="another one, layer by layer")
    parser.add_argument("--csv", action="store_true", help="comma-separated, all columns")
    parser.add_argument("--plot", metavar="PNG", help="draw the spectra into this file")
    parser.add_argument("--save", metavar="NPZ", help="keep the singular values in this file")
    options = parser.parse_args(arguments)
    try:
        _report(options)
    except (ValueError, OSError, MemoryError) as error:
        print(f"{' '.join(str(error).split()) or 'out of memory'}", file=sys.stderr)
        return 2
    return 0


def _report(options):
    sources = [options.source, *([options.compare] if options.compare else [])]
    models = [_spectra_of(source) for source in sources]
    rows = compare(*models) if options.compare else table(models[0])
    print(rows.to_csv() if options.csv else rows.to_string(float_format="%.3g", na_rep=""))
    if options.save:
        save_spectra(models[0], options.save)
    if options.plot:
        rank_plot(dict(zip(sources, models, strict=True))).savefig(options.plot)


def _spectra_of(source):
    """Spectra of all layers; the weights themselves are forgotten one by one."""
    weights = open_weights(source)
    bar = {"desc": source, "total": len(weights), "disable": None}  # shown in a terminal only
    found = dict(settings.progress(each_layer(weights), **bar))
    if not found:
        raise ValueError(f"{source} holds no weight of two axes or more")
    return found


if __name__ == "__main__":
    raise SystemExit(main())
