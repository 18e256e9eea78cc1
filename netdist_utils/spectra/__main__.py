"""The table of a safetensors file: ``python -m netdist_utils.spectra model.safetensors``."""

import argparse

from netdist_utils.spectra.measures import table


def main(arguments=None):
    """The table of a safetensors file, printed or as CSV."""
    parser = argparse.ArgumentParser(
        prog="python -m netdist_utils.spectra", description="Power-law fits of a model's weights."
    )
    parser.add_argument("file", help="weights, as .safetensors")
    parser.add_argument("--csv", action="store_true", help="comma-separated, all columns")
    options = parser.parse_args(arguments)
    from safetensors.torch import load_file

    rows = table(load_file(options.file))
    print(rows.to_csv() if options.csv else rows.to_string(float_format="%.3g", na_rep=""))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
