"""Weights in files: every format read back, the command's output, and files that are none."""

import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from netdist_utils import spectra
from netdist_utils.spectra import __main__ as command
from tests.helpers import allclose


@pytest.fixture
def state():
    """Two matrices, a convolution, and a bias that no table names."""
    torch.manual_seed(0)
    shapes = {
        "a.weight": (30, 40),
        "b.weight": (20, 3, 3, 3),
        "c.weight": (12, 30),
        "c.bias": (12,),
    }
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def written(state, path):
    """The state in a file of the format that the name asks for."""
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        np.savez(path, **{name: tensor.numpy() for name, tensor in state.items()})
    return path


def sharded(state, folder, indexed=True):
    """One tensor a shard, as Hugging Face writes them."""
    folder.mkdir(exist_ok=True)
    shard_of = {name: f"model-{k}.safetensors" for k, name in enumerate(state)}
    for name, shard in shard_of.items():
        save_file({name: state[name]}, folder / shard)
    if indexed:
        index = json.dumps({"metadata": {}, "weight_map": shard_of})
        (folder / "model.safetensors.index.json").write_text(index)
    return folder


def run(capsys, *arguments):
    """Exit code, standard output and standard error of the command."""
    code = command.main(list(map(str, arguments)))
    return code, *capsys.readouterr()


@pytest.mark.parametrize("form", ["one.safetensors", "one.npz", "folder", "plain folder"])
def test_every_format_gives_the_table_of_the_state(form, state, tmp_path, capsys):
    path = tmp_path / form
    path = sharded(state, path, form == "folder") if "." not in form else written(state, path)
    code, out, _ = run(capsys, path, "--csv")
    found, expected = pd.read_csv(io.StringIO(out), index_col="layer"), spectra.table(state)
    assert code == 0 and set(found.index) == set(expected.index) == {"a", "b", "c"}
    assert allclose(found.loc[expected.index].alpha, expected.alpha, rtol=1e-9, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_judged_as_their_own_values_in_double(dtype, state, tmp_path):
    rounded = {name: tensor.to(dtype) for name, tensor in state.items()}
    save_file(rounded, tmp_path / "half.safetensors")
    found = spectra.layer_spectra(spectra.open_weights(tmp_path / "half.safetensors"))
    for layer, name in zip(found, ("a", "b", "c"), strict=True):
        singular = torch.linalg.svdvals(rounded[f"{name}.weight"].double().flatten(1))
        assert allclose(layer.eigenvalues * max(layer.shape), singular**2, rtol=1e-9)


def test_saved_singular_values_give_the_table_again(state, tmp_path, capsys):
    kept = tmp_path / "kept.npz"
    code, *_ = run(capsys, written(state, tmp_path / "w.npz"), "--save", kept)
    assert code == 0
    again, before = spectra.table(spectra.open_weights(kept)), spectra.table(state)
    assert list(again.index) == list(before.index)
    for column in ("rows", "columns", "n_tail"):
        assert list(again[column]) == list(before[column])
    assert allclose(again.alpha, before.alpha, rtol=1e-4, atol=0)  # kept in single precision


def test_a_grouped_layer_is_saved_with_all_its_groups(tmp_path):
    model = nn.Conv1d(32, 64, 3, groups=2)
    spectra.save_spectra(model, tmp_path / "kept.npz")
    (found,) = spectra.layer_spectra(spectra.open_weights(tmp_path / "kept.npz"))
    (before,) = spectra.layer_spectra(model)
    assert (found.groups, found.shape) == (before.groups, before.shape) == (2, (32, 48))
    assert allclose(found.eigenvalues, before.eigenvalues, rtol=1e-5, atol=0)


def test_a_file_is_read_one_tensor_at_a_time(state, tmp_path, monkeypatch):
    """Layer k is judged before layer k + 1 is read."""
    weights, order = spectra.open_weights(written(state, tmp_path / "w.npz")), []
    for name, read in weights._readers.items():
        weights._readers[name] = lambda name=name, read=read: order.append(name) or read()
    for name, _ in spectra.each_layer(weights):
        order.append(f"judged {name}")
    assert order[:4] == ["a.weight", "judged a", "b.weight", "judged b"]


def test_a_large_weight_is_multiplied_in_parts(monkeypatch):
    layer = nn.Linear(30, 200)
    (whole,) = spectra.layer_spectra(layer)
    monkeypatch.setattr("netdist_utils.spectra.layers.CHUNK", 7 * 30)
    (parts,) = spectra.layer_spectra(layer)
    assert allclose(parts.eigenvalues, whole.eigenvalues, rtol=1e-12, atol=0)
    layer.weight.data[150, 2] = np.nan
    with pytest.raises(ValueError, match="1 of 6000 weights"):
        spectra.layer_spectra(layer)


def test_tensors_of_a_file_do_not_share_though_one_takes_the_place_of_another(tmp_path):
    state = {f"layer{k}.weight": torch.randn(15, 15) for k in range(20)}
    weights = spectra.open_weights(written(state, tmp_path / "w.safetensors"))
    assert spectra.unjudged_layers(weights) == {}
    shared = dict.fromkeys(("one.weight", "two.weight"), state["layer0.weight"])
    assert spectra.unjudged_layers(shared) == {"two": "shares its weight with one"}


def test_comparing_a_model_with_its_double_moves_every_logarithm_by_log_4(state, tmp_path, capsys):
    one = written(state, tmp_path / "one.safetensors")
    twice = {name: 2 * tensor for name, tensor in state.items() if name != "b.weight"}
    twice |= {"c.weight": torch.randn(9, 30), "d.weight": torch.randn(9, 9)}
    code, out, _ = run(capsys, one, "--compare", written(twice, tmp_path / "two.npz"), "--csv")
    found = pd.read_csv(io.StringIO(out), index_col="layer", keep_default_na=False)
    assert code == 0 and list(found.index) == ["a", "b", "c", "d"]
    assert float(found.log_distance["a"]) == pytest.approx(np.log(4), rel=1e-6)
    assert found.alpha["a"][:8] == found.other_alpha["a"][:8]
    assert found.reason.to_list() == [
        "", "not in both models", "shapes (12, 30) and (9, 30) differ", "not in both models"
    ]  # fmt: skip


def test_distances_are_symmetric_and_refuse_other_sizes():
    one, two = (spectra.layer_spectra(nn.Linear(30, n))[0] for n in (10, 10))
    assert spectra.log_distance(one, two) == spectra.log_distance(two, one) > 0
    with pytest.raises(ValueError, match="10 and 9 eigenvalues"):
        spectra.log_distance(one, spectra.layer_spectra(nn.Linear(30, 9))[0])
    zero = nn.Linear(30, 10)
    nn.init.zeros_(zero.weight)
    assert np.isnan(spectra.log_distance(one, spectra.layer_spectra(zero)[0]))


def test_a_plot_is_a_picture(state, tmp_path, capsys):
    path, picture = written(state, tmp_path / "w.npz"), tmp_path / "spectra.png"
    assert run(capsys, path, "--compare", path, "--plot", picture)[0] == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_torchvision_models_come_by_name(monkeypatch, capsys):
    """Downloads are not tested: the model is given in place of the one that would be fetched."""
    model = nn.Sequential(nn.Linear(30, 20))
    monkeypatch.setattr("torchvision.models.get_model", lambda name, weights: model)
    code, out, _ = run(capsys, "torchvision:any", "--csv")
    assert code == 0 and "\n0,matrix,20,30" in out


def bad_files(folder):
    """Files that are none, damaged or hostile: name and bytes."""
    np.savez(folder / "good.npz", w=np.ones((3, 3)))
    good = (folder / "good.npz").read_bytes()
    header = json.dumps({"w": {"dtype": "F32", "shape": [9**9, 9**9], "data_offsets": [0, 4]}})
    bomb, claims = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:
        np.lib.format.write_array_header_1_0(
            claims, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)}
        )
        archive.writestr("w.npy", claims.getvalue())
    pickled = io.BytesIO()
    np.savez(pickled, w=np.array([{}], dtype=object))
    words = io.BytesIO()
    np.savez(words, w=np.array([["a", "b"]]))
    spectra_of_none = io.BytesIO()
    np.savez(spectra_of_none, **{"w": np.ones(3), "w/shape": np.array([4, 4])})
    return {
        "text.txt": b"no weights",
        "model.pt": pickle.dumps({"w": 1}),
        "empty.safetensors": b"",
        "text.safetensors": b"no weights at all",
        "long.safetensors": struct.pack("<Q", 2**62) + b"{}",
        "huge.safetensors": struct.pack("<Q", len(header)) + header.encode() + b"\0" * 4,
        "text.npz": b"no archive",
        "cut.npz": good[: len(good) // 2],
        "flipped.npz": good.replace(b"\xf0?", b"\xf1?"),
        "huge.npz": bomb.getvalue(),
        "pickled.npz": pickled.getvalue(),
        "words.npz": words.getvalue(),
        "wrong.npz": spectra_of_none.getvalue(),
    }


NAMES = [
    *("text.txt", "model.pt", "missing.npz", "missing.safetensors", "empty_folder"),
    *(f"{fault}.safetensors" for fault in ("empty", "text", "long", "huge")),
    *(f"{fault}.npz" for fault in ("text", "cut", "flipped", "huge", "pickled", "words", "wrong")),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_cannot_be_judged_gets_one_line_and_exit_code_2(name, tmp_path, capsys):
    (tmp_path / "empty_folder").mkdir()
    if content := bad_files(tmp_path).get(name):
        (tmp_path / name).write_bytes(content)
    elif name == "empty.safetensors":
        (tmp_path / name).touch()
    code, out, err = run(capsys, tmp_path / name)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert name in err and "Traceback" not in err


class Trace:
    """Whoever unpickles it makes a folder."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("form", ["a pickle", "an array of objects"])
def test_nothing_in_a_file_is_run(form, tmp_path):
    path, folder = tmp_path / "weights.npz", tmp_path / "made"
    if form == "a pickle":
        path.write_bytes(pickle.dumps(Trace(folder)))
    else:
        np.savez(path, w=np.array([Trace(folder)], dtype=object))
    with pytest.raises(ValueError, match="weights.npz.* cannot be read"):
        dict(spectra.open_weights(path))
    assert not folder.exists()
    with path.open("rb") as file:  # the control: the file is as bad as it looks
        dict(np.load(file, allow_pickle=True) or {})
    assert folder.exists()


def test_numbers_may_be_stored_in_the_other_byte_order(tmp_path):
    weight = np.random.default_rng(0).normal(size=(3, 4))
    for kind in (">f8", "<f8", ">f4"):
        np.savez(tmp_path / "w.npz", w=weight.astype(kind))
        found = spectra.open_weights(tmp_path / "w.npz")["w"]
        assert allclose(found, weight, rtol=1e-6, atol=0)


def test_what_holds_no_tensors_is_no_weights(tmp_path):
    (tmp_path / "folder").mkdir()
    np.savez(tmp_path / "empty.npz")
    save_file({}, tmp_path / "empty.safetensors")
    for name in ("folder", "empty.npz", "empty.safetensors"):
        with pytest.raises(ValueError, match=f"{name} holds no tensors"):
            spectra.open_weights(tmp_path / name)


@pytest.mark.parametrize(
    "index, words",
    [
        ({"weight_map": {"w": "../outside.safetensors"}}, "not in the folder"),
        ({"weight_map": {"w": "/etc/passwd"}}, "not in the folder"),
        ({"weight_map": {"w": "absent.safetensors"}}, "absent"),
        ({"weight_map": {"v": "model-0.safetensors"}}, "'v'"),
        ({"weight_map": [1]}, "cannot be read"),
        ({}, "weight_map"),
    ],
)
def test_an_index_may_name_only_what_is_there(index, words, tmp_path, capsys):
    save_file({"w": torch.ones(3, 3)}, tmp_path / "outside.safetensors")
    folder = sharded({"w": torch.ones(3, 3)}, tmp_path / "folder")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    code, _, err = run(capsys, folder)
    assert (code, err.count("\n")) == (2, 1) and words in err


def test_an_entry_that_is_too_large_is_refused_before_it_is_unpacked(
    tmp_path, capsys, monkeypatch
):
    np.savez_compressed(tmp_path / "bomb.npz", w=np.zeros((500, 500)))
    monkeypatch.setattr("netdist_utils.spectra.files.LARGEST", 10**6)
    code, _, err = run(capsys, tmp_path / "bomb.npz")
    assert code == 2 and "2,000,128 bytes are more" in err


def test_nan_and_files_without_matrices_are_named(tmp_path, capsys):
    save_file({"w": torch.full((3, 3), np.nan)}, tmp_path / "nan.safetensors")
    assert "9 of 9 weights are NaN" in run(capsys, tmp_path / "nan.safetensors")[2]
    save_file({"bias": torch.ones(3)}, tmp_path / "bias.safetensors")
    assert "no weight of two axes" in run(capsys, tmp_path / "bias.safetensors")[2]


@given(st.integers(0, 10**6), st.integers(0, 255))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.parametrize("name", ["w.safetensors", "w.npz"])
def test_one_changed_byte_gives_a_table_or_one_line(name, tmp_path, capsys, position, byte):
    path = tmp_path / name
    if not path.exists():
        written({"w": torch.eye(4)}, path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = byte
    (tmp_path / f"changed.{name}").write_bytes(content)
    code, _, err = run(capsys, tmp_path / f"changed.{name}")
    assert code == 0 or (code == 2 and err.count("\n") == 1)
