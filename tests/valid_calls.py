"""A small valid call of every public function and class, from which the others are derived.

Each entry is a function that makes the arguments anew, by name. What is given as `None` is made by
the package itself and handed over: its methods are called, not its constructor.
"""

from functools import cache

import numpy as np
import pandas as pd
import torch
from sklearn.neural_network import MLPClassifier

from netdist_utils import convergence, data, models, spectra, training
from netdist_utils.moments import moments
from tests.helpers import gaussian, generator, net

X = gaussian(24, 4)
IMAGES = gaussian(24, 1, 8, 8)


def one(seed=0):
    return net(4, 3, 2, seed=seed)


def cnn(seed=0):
    return training.start(lambda: models.convnet((1, 8, 8), [3], kernel_size=3, classes=2), seed)


def split(x=X):
    return data.Split(x.clone(), (torch.arange(len(x)) % 2))


@cache
def images():
    """A data set of a few digits."""
    return data.digits().first(40, 40)


def pair(**more):
    return {"model_a": one(), "model_b": one(1), **more}


def found():
    """Moments of two networks."""
    return moments([one(), one(1)], X, [2])[2]


def statistics(**more):
    return {"statistics": found(), "i": 0, "j": 1, **more}


def table(n=4):
    return gaussian(2**n).abs() + 0.1


def squares(n=4):
    found = gaussian(3, n, n).double()
    return found + found.mT


def pareto(n=40, seed=0):
    return 1 + np.random.default_rng(seed).pareto(2.0, n)


def layer(n=12):
    return spectra.layer_spectra(torch.nn.Linear(30, n, dtype=torch.double))[0]


def frame(offset=0.0):
    index = pd.MultiIndex.from_tuples([(0, 1), (0, 2)])
    return pd.DataFrame({"x": [0.5, 0.25 + offset]}, index=index)


@cache
def fitted():
    return MLPClassifier((3,), solver="lbfgs").fit([[0.0], [1.0], [2.0]], [0, 1, 2])


PLACES = convergence.most_exciting(cnn(), 0, IMAGES, n=2)  # (3 channels, 2 images, 3)


SHORT = {"epochs": 1, "lr": 0.1, "batch_size": 12, "progress": False, "cache": False}


def gradient():
    return {"model": cnn(), "layer": 0, "x": IMAGES.clone()}


def maps():
    return {"fitted": found(), "i": 0, "j": 1}


CALLS = {
    # ground floor
    "models.check": lambda: {"model": one()},
    "models.clone": lambda: {"model": one()},
    "models.convnet": lambda: {"shape": (1, 8, 8), "channels": [3, 4], "kernel_size": 3,
                               "stride": [1, 1], "padding": 1, "pool": 2, "dense": [5],
                               "classes": 2, "bias": True},
    "models.device_of": lambda: {"model": one()},
    "models.freeze": lambda: {"model": one().requires_grad_()},
    "models.from_sklearn": lambda: {"estimator": fitted()},
    "models.hidden_layers": lambda: {"model": one()},
    "models.mlp": lambda: {"widths": [4, 3, 2], "bias": True},
    "models.outputs": lambda: {"model": one(), "x": X.clone(), "layers": [-1, 2]},
    "models.weight_layers": lambda: {"model": one()},
    "units.Axis": None,
    "units.Weights": None,
    "units.along": lambda: {"values": gaussian(3), "parameter": gaussian(3, 2), "axis": 0,
                            "block": 1},
    "units.axes": lambda: {"model": one()},
    "units.canonical": lambda: {"model": one()},
    "units.permute": lambda: {"model": one(), "permutations": [torch.tensor([2, 0, 1])]},
    "units.positions": lambda: {"order": torch.tensor([2, 0, 1]), "block": 2},
    "units.read": lambda: {"model": one()},
    "units.read_alike": lambda: {"networks": [one(), one(1)]},
    "units.widths": lambda: {"model": one()},
    "moments.LayerMoments": None,
    "moments.Moments": None,
    "moments.as_samples": lambda: {"activations": gaussian(2, 3, 4, 4)},
    "moments.moments": lambda: {"networks": [one(), one(1)], "x": X.clone(), "layers": [-1, 2],
                                "batch_size": 10},
    "alignment.alignment_cosine": lambda: statistics(alignment=gaussian(3, 3), centered=True),
    "alignment.best_maps": lambda: {**maps(), "ridge": 0.1},
    "alignment.bipartite_match": lambda: {"scores": gaussian(3, 4)},
    "alignment.greedy_match": lambda: {"scores": gaussian(3, 4)},
    "alignment.matched": lambda: {"scores": gaussian(3, 4), "match": torch.tensor([2, -1, 0])},
    "alignment.matrix_cosine": lambda: {"one": squares()[0], "two": squares()[1]},
    "alignment.procrustes": lambda: {"cross_moment": gaussian(3, 4)},
    "alignment.share_explained": lambda: statistics(matrix=gaussian(3, 3)),
    "alignment.soft_match": lambda: {"scores": gaussian(3, 4)},
    "training.Recipe": lambda: {"epochs": 2, "lr": 0.1, "batch_size": 8, "momentum": 0.9,
                                "optimizer": "sgd", "weight_decay": 0.1, "schedule": "cosine"},
    "training.accuracy": lambda: {"model": one(), "split": split()},
    "training.cross_entropy": lambda: {"model": one(), "split": split()},
    "training.fit_ensemble": lambda: {"make_model": lambda: models.mlp([4, 3, 2]),
                                      "split": split(), "seeds": [0, 1], **SHORT},
    "training.fit_history": lambda: {"make_model": lambda: models.mlp([4, 3, 2]),
                                     "split": split(), "seed": 0, **SHORT},
    "training.logits": lambda: {"model": one(), "x": X.clone(), "batch_size": 10},
    "training.start": lambda: {"make_model": lambda: models.mlp([4, 3, 2]), "seed": 1},
    "random_matrices.bulk_variance": lambda: {"eigenvalues": pareto(), "aspect_ratio": 2.0},
    "random_matrices.largest_noise_eigenvalue": lambda: {"shape": (30, 20), "variance": 2.0,
                                                         "quantile": 0.95},
    "random_matrices.marchenko_pastur_density": lambda: {"values": pareto(), "aspect_ratio": 2.0,
                                                         "variance": 1.5},
    "random_matrices.marchenko_pastur_edges": lambda: {"aspect_ratio": 2.0, "variance": 1.5},
    "random_matrices.random_rotation": lambda: {"size": 3, "generator": generator()},
    "words.listed": lambda: {"items": [1, 2, 3], "form": str},
    "words.minus": lambda: {"text": "-1"},
    "words.number": lambda: {"value": 0.25, "digits": 1},
    "words.percent": lambda: {"share": 0.25, "digits": 1},
    "zoo.gray_cnn": lambda: {"images": images()},
    "zoo.gray_mlp": lambda: {"images": images()},
    "zoo.recipe": lambda: {"images": images()},
    "zoo.setting": lambda: {"images": images(), "size": 0.1, "width": 0.5, "wrong": 0.2,
                            "decay": 0.1, "faster": 2.0, "whitened": True},
    "zoo.sizes": dict,
    "data.ImageData": lambda: {"train": split(), "test": split(), "classes": ["a", "b"],
                               "name": "digits"},
    "data.Split": lambda: {"x": X.clone(), "y": torch.arange(24) % 2},
    "data.cifar10": None,  # reads and downloads files: tests/test_data.py, tests/test_cifar.py
    "data.circle": lambda: {"n": 5, "seed": 1},
    "data.digits": lambda: {"seed": 1},
    "data.fingerprint": lambda: {"tensors": [X.clone()]},
    "data.images": lambda: {"name": "digits", "grayscale": True},
    "data.notice": lambda: {"images": images()},
    "data.pixels": lambda: {"x": gaussian(2, 1, 8, 8)},
    "plotting.css_variables": lambda: {"colors": {"ink": "#222222"}},
    "plotting.density": lambda: {"values": pareto(), "width": 0.5, "grid": np.linspace(0, 5, 6),
                                 "weights": np.full(40, 1 / 40)},
    "plotting.heatmap": lambda: {"matrix": gaussian(3, 4), "title": "t", "center": 0.0,
                                 "label": "l"},
    "plotting.picture_grid": lambda: {"rows": [[np.eye(3), np.eye(3)]]},
    "plotting.table": lambda: {"frame": frame(), "digits": 2},
    "plotting.tidy": lambda: {"samples": np.eye(3), "x": [1, 2, 3]},
    "plotting.use_style": dict,
    "interactive.figure": lambda: {"folder": "matching", "data": {"a": 1}, "title": "t"},
    "interactive.pack": lambda: {"array": np.eye(3)},
    "interactive.theme_css": dict,
    # chapter 1
    "matching.Barrier": None,
    "matching.adjacency": lambda: {"model": one()},
    "matching.align": lambda: {"reference": one(), "model": one(1), "method": "weights",
                               "x": X.clone(), "rng": 0},
    "matching.average": lambda: {"networks": [one(), one(1)]},
    "matching.barrier": lambda: pair(split=split(), steps=3),
    "matching.consensus": lambda: {"networks": [one(), one(1)], "max_sweeps": 50},
    "matching.cycle_consistent": lambda: {"one": one(), "two": one(1), "three": one(2),
                                          "method": "activations", "x": X.clone()},
    "matching.elbow": lambda: {"values": np.array([3.0, 2.9, 0.2, 0.1])},
    "matching.match": lambda: {"reference": one(), "model": one(1), "method": "activations",
                               "x": X.clone(), "rng": 0},
    "matching.match_by_loss": lambda: {"reference": one(), "model": one(1), "split": split(),
                                       "start": [torch.tensor([2, 0, 1])]},
    "matching.objective": lambda: {"reference": one(), "model": one(1)},
    "matching.path_slider": lambda: pair(split=split(), shape=(2, 2), steps=3),
    "matching.repair": lambda: {"model": one(), "parents": [one(1), one(2)], "x": X.clone()},
    "matching.sample_gaussian": lambda: {"networks": [one(), one(1)], "generator": generator(),
                                         "covariance": "units"},
    "matching.sample_slots": lambda: {"networks": [one(), one(1)], "generator": generator()},
    "matching.transport": lambda: {"reference": one(), "model": net(4, 5, 2), "mass": "norms"},
    # chapter 2
    "ablation.all_losses": lambda: {"model": one(), "split": split(), "fill": gaussian(3),
                                    "groups": torch.tensor([0, 1, 1])},
    "ablation.banzhaf_values": lambda: {"values": table()},
    "ablation.best_subsets": lambda: {"values": table()},
    "ablation.distribution_moments": lambda: {"values": table(), "p": 0.3},
    "ablation.energy_by_degree": lambda: {"coefficients": table()},
    "ablation.explorer": lambda: {"model": net(2, 3, 2), "split": data.circle(9, 0),
                                  "values": table(3), "radius": 0.8},
    "ablation.flip_path_covariance": lambda: {"coefficients": table()},
    "ablation.flip_paths": lambda: {"values": table(), "n_paths": 3, "generator": generator()},
    "ablation.greedy_subsets": lambda: {"values": table(), "beam": 2},
    "ablation.interactions": lambda: {"values": table(), "weights": "banzhaf"},
    "ablation.inverse_walsh": lambda: {"coefficients": table()},
    "ablation.keep_probabilities": lambda: {"n": 3, "p": 0.3},
    "ablation.losses": lambda: {"model": one(), "split": split(), "masks": torch.ones(2, 3)},
    "ablation.mask_gradients": lambda: {"model": one(), "split": split(),
                                        "masks": torch.ones(2, 3)},
    "ablation.n_units": lambda: {"model": one()},
    "ablation.russo_margulis": lambda: {"values": table(), "p": 0.3},
    "ablation.shapley_values": lambda: {"values": table()},
    "ablation.subset_sizes": lambda: {"n": 3},
    "ablation.subset_sums": lambda: {"terms": gaussian(2, 3)},
    "ablation.walsh": lambda: {"values": table(), "p": 0.3},
    # chapter 3
    "covariance.clip_curve": lambda: {"model": one(), "layer": 1, "basis": torch.eye(4),
                                      "split": split(), "ranks": [0, 2, 4], "batch_size": 10},
    "covariance.rainbow": lambda: {"reference": one(), "split": split(),
                                   "generator": generator(), "widths": [4], "sampled": [1],
                                   "pool": [one(1)], "images": 20, "rows": "covariance",
                                   "directions": [2]},
    "covariance.rank_slider": lambda: {"model": net(64, 2), "layer": 1, "split": split(IMAGES),
                                       "shape": (8, 8), "labels": ["a", "b"], "directions": 3,
                                       "n_images": 2, "basis": torch.eye(64)[:5], "share": 0.9},
    "covariance.ridge_readout": lambda: {"model": one(), "layer": 2, "split": split(),
                                         "penalty": 0.1},
    "covariance.spectrum": lambda: {"matrix": squares()[0]},
    "covariance.weight_spectrum": lambda: {"weight": gaussian(3, 4)},
    # chapter 4
    "convergence.cluster_units": lambda: {"weights": gaussian(3, 4)},
    "convergence.contrast": lambda: {"signed": gaussian(2, 1, 3, 3)},
    "convergence.correlations": lambda: pair(x=X.clone(), layer=1),
    "convergence.crops": lambda: {"model": cnn(), "layer": 0, "images": IMAGES.clone(),
                                  "places": PLACES[1].clone()},
    "convergence.gradients": lambda: {**gradient(), "unit": 1,
                                      "places": PLACES[1].clone()},
    "convergence.held_out_error": lambda: {"maps": gaussian(3, 3), "fitted": found(),
                                           "held_out": found(), "i": 0, "j": 1},
    "convergence.linear_cka": lambda: {"acts_a": gaussian(9, 4), "acts_b": gaussian(9, 3, seed=1)},
    "convergence.match_browser": lambda: {
        "networks": [cnn(), cnn(1)],
        "statistics": moments([cnn(), cnn(1)], IMAGES, [0])[0],
    },
    "convergence.mosaic": lambda: {"patches": gaussian(5, 1, 3, 3).sigmoid(), "gap": 1},
    "convergence.most_exciting": lambda: {**gradient(), "n": 2, "batch_size": 7},
    "convergence.mutual_information": lambda: {"acts_a": gaussian(99, 2),
                                               "acts_b": gaussian(99, 3, seed=1), "bins": 4},
    "convergence.preactivation_rotation_test": lambda: {
        "acts_i": gaussian(99, 3), "acts_j": gaussian(99, 4, seed=1), "generator": generator(),
        "rotations": 2,
    },
    "convergence.random_axes": lambda: {"statistics": found(), "j": 1, "generator": generator()},
    "convergence.receptive_field": lambda: {"model": cnn(), "layer": 0},
    "convergence.rotation_test": lambda: statistics(generator=generator(), rotations=2),
    "convergence.sheet": lambda: {**gradient(), "unit": 1, "pixels": IMAGES.sigmoid(),
                                  "places": PLACES.clone()},
    "convergence.sparse_map": lambda: {"acts_a": gaussian(30, 3), "penalty": 0.1,
                                       "acts_b": gaussian(30, 2, seed=1)},
    "convergence.sparse_path": lambda: {"gram": torch.eye(3), "cross": gaussian(3, 2),
                                        "penalties": [0.1, 0.0]},
    "convergence.stitch": lambda: {"front": one(), "back": one(1), "layer": 2, **statistics(),
                                   "matrix": gaussian(3, 3)},
    "convergence.turned": lambda: {"statistics": found(), "j": 1, "axes": torch.eye(3)},
    "convergence.unit_linkage": lambda: {"weights": gaussian(3, 4)},
    "convergence.with_zeros_of": lambda: {"model": one(), "reference": one(1), "x": X.clone()},
    # chapter 5
    "spectra.LayerSpectrum": None,
    "spectra.LikelihoodRatio": None,
    "spectra.PowerLawFit": None,
    "spectra.alpha_hat": lambda: {"model": net(30, 20, 12), "convention": "log10",
                                  "min_eigenvalues": 5},
    "spectra.bootstrap_interval": lambda: {"values": pareto(), "draws": 3, "level": 0.9,
                                           "seed": 1},
    "spectra.compare": lambda: {"one": net(30, 20), "two": net(30, 20, seed=1)},
    "spectra.convolution_spectra": lambda: {"weight": gaussian(2, 3, 3, 3), "side": 5},
    "spectra.each_layer": lambda: {"model": net(30, 20, 12)},
    "spectra.fit_power_law": lambda: {"values": pareto()},
    "spectra.goodness_of_fit": lambda: {"values": pareto(), "draws": 3, "seed": 1},
    "spectra.kendall_tau": lambda: {"values": pareto(24).reshape(8, 3), "target": pareto(8, 1),
                                    "groups": [np.array([0, 1, 2]), np.array([3, 4, 5])]},
    "spectra.layer_spectra": lambda: {"model": net(30, 20, 12)},
    "spectra.likelihood_ratio": lambda: {"values": pareto(), "rival": "exponential",
                                         "fit": spectra.fit_power_law(pareto())},
    "spectra.log_distance": lambda: {"one": layer(), "two": layer()},
    "spectra.open_weights": None,  # reads files: tests/test_spectra_files.py
    "spectra.phase": lambda: {"alpha": 2.5, "convention": "weightwatcher"},
    "spectra.published": dict,
    "spectra.rank_correlation": lambda: {"x": pareto(9), "y": pareto(9, 1),
                                         "controls": [pareto(9, 2)], "draws": 3, "seed": 1},
    "spectra.rank_plot": lambda: {"models": {"mine": net(30, 20)}},
    "spectra.save_spectra": None,  # writes files: tests/test_spectra_files.py
    "spectra.spikes": lambda: {"spectrum": layer(), "quantile": 0.95},
    "spectra.table": lambda: {"model": net(30, 20, 12)},
    "spectra.tail_slider": lambda: {"samples": {"planted": pareto()}, "ends": {"planted": 2.0}},
    "spectra.unjudged_layers": lambda: {"model": net(30, 20, 12)},
    # chapter 6
    "lenses.agreement": lambda: {"table": gaussian(5, 3), "draws": 9, "seed": 1, "level": 0.9},
    "lenses.aligned_share": lambda: {"fitted": found(), "held_out": found(), "i": 0, "j": 1},
    "lenses.by_size": lambda: {"values": table()},
    "lenses.compare": lambda: {**pair(split=split()), "draws": 1, "seed": 1},
    "lenses.degree_shares": lambda: {"losses": table(), "beyond_size": True},
    "lenses.disjoint_pairs": lambda: {"n": 6},
    "lenses.effect_correlation": lambda: {
        "statistics": moments([net(4, 8, 2), net(4, 8, 2, seed=1)], X, [2])[2],
        "effects": (gaussian(8), gaussian(8, seed=1)),
        "sizes": (gaussian(8, seed=2).abs(), gaussian(8, seed=3).abs()), "i": 0, "j": 1,
    },
    "lenses.error_consistency": lambda: {"right_a": X[:, 0] > 0, "right_b": X[:, 1] > 0},
    "lenses.from_spectrum": lambda: {"model": one(), "generator": generator()},
    "lenses.intraclass": lambda: {"groups": gaussian(4, 3), "level": 0.9, "blocks": True},
    "lenses.intraclass_of_pairs": lambda: {"matrices": squares(), "level": 0.9},
    "lenses.largest_by_chance": lambda: {"correlations": np.corrcoef,
                                         "shuffled": lambda rng: rng.normal(size=(3, 9)),
                                         "draws": 5, "seed": 1, "level": 0.9},
    "lenses.mantel": lambda: {"measures": {"a": squares(), "b": squares() ** 2}, "draws": 5,
                              "seed": 1, "level": 0.9},
    "lenses.measure_answers": lambda: {"networks": [one(), one(1)], "split": split()},
    "lenses.measure_network": lambda: {"model": net(4, 12, 2), "split": split(), "n_groups": 4,
                                       "seed": 1},
    "lenses.measure_pairs": lambda: {"networks": [net(4, 12, 2), net(4, 12, 2, seed=1)],
                                     "split": split(), "seed": 1, "rotations": 1},
    "lenses.pair_chooser": lambda: {"pairs": {"base": frame()}, "nulls": {"n": {"base": frame()}},
                                    "wanted": {"x": "matching"}},
    "lenses.random_groups": lambda: {"n_units": 6, "n_groups": 3, "seed": 1},
    "lenses.removal_effects": lambda: {"model": one(), "split": split(), "hidden": 0},
    "lenses.rotated_units": lambda: {"model": one(), "generator": generator()},
    "lenses.spectral_distance": lambda: {"model_a": net(30, 20), "model_b": net(30, 20, seed=1),
                                         "least": 5},
    "lenses.unit_sizes": lambda: {"model": one(), "hidden": 0},
    "lenses.weight_correlation": lambda: pair(),
    "lenses.weight_covariance_cosine": lambda: pair(),
    "lenses.without_networks": lambda: {"matrices": squares()},
    "workers.each": lambda: {"function": pow, "jobs": [(2, 3), (3, 2)], "all_cores": True},
    "workers.plan": lambda: {"all_cores": True},
}  # fmt: skip

# Methods of what the package makes.
METHODS = {
    "data.ImageData.first": lambda: {"self": images(), "n_train": 5, "n_test": 5},
    "data.Split.first": lambda: {"self": split(), "n": 5},
    "moments.LayerMoments.correlation": lambda: {"self": found(), "i": 0, "j": 1},
    "moments.LayerMoments.mean": lambda: {"self": found(), "i": 1},
    "moments.LayerMoments.second": lambda: {"self": found(), "i": 0, "j": 1},
    "moments.Moments.second": lambda: {"self": moments([one()], X, [2]), "layer": 2, "i": 0},
}
