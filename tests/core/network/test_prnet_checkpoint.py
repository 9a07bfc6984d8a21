"""The released PRNet weights: names, shapes, arithmetic, errors, and a weights file of them."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bundles import write_bundle
from flax import nnx
from prnet_reference import run_prnet

import uvface
from uvface.cli import main
from uvface.core.errors import AssetError, InputError
from uvface.core.geometry.layout import load_layout
from uvface.core.network.prn import PRN, PRNConfig
from uvface.core.network.prnet_checkpoint import (
    checkpoint_name,
    load_prnet,
    match_variables,
)
from uvface.core.network.tensor_bundle import read_entries, read_tensors
from uvface.core.network.weights import flat_variables, load_weights
from uvface.core.reconstruct import load

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "prnet_uv"
RELEASED = SHARED / "256_256_resfcn256_weight"


@pytest.fixture(scope="module")
def network() -> PRN:
    return nnx.eval_shape(lambda: PRN(PRNConfig(depth_center=0.0), rngs=nnx.Rngs(0)))


@pytest.fixture(scope="module")
def variables(network) -> dict[str, np.ndarray]:
    """Random variables under the checkpoint's names, scaled so that no layer dies or saturates."""
    rng = np.random.default_rng(0)
    found = {}
    for variable, leaf in flat_variables(network).items():
        name, shape = checkpoint_name(variable), leaf.get_value().shape
        if name.endswith("weights"):
            fan = np.prod(shape[:2]) * (shape[3] if "transpose" in name else shape[2])
            values = rng.normal(0.0, np.sqrt(2.0 / fan), shape)
        elif name.endswith(("gamma", "moving_variance")):
            values = rng.uniform(0.5, 1.5, shape)
        else:
            values = rng.normal(0.0, 0.3, shape)
        found[name] = values.astype(np.float32)
    return found


@pytest.fixture(scope="module")
def checkpoint(variables, tmp_path_factory) -> Path:
    prefix = tmp_path_factory.mktemp("prnet") / "weights"
    optimizer = {"beta1_power": np.float32(0.5).reshape(())}
    optimizer |= {f"{n}/Adam_1": v for n, v in variables.items() if v.size < 100}
    write_bundle(prefix, variables | optimizer)
    return prefix


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the data pack in ../shared")
def test_every_variable_of_the_release_has_its_place(network):
    names = match_variables(network, read_entries(RELEASED))
    assert len(set(names.values())) == 245
    assert names["up.3.norm.var"] == "resfcn256/Conv2d_transpose_3/BatchNorm/moving_variance"
    assert names["down.0.shortcut.kernel"] == "resfcn256/resBlock/shortcut/weights"


def test_bundle_gives_back_what_was_written(tmp_path):
    rng = np.random.default_rng(1)
    arrays = {f"scope_{k}/name": rng.normal(size=(k, 3)).astype(np.float32) for k in range(1, 99)}
    arrays["step"] = np.int64(12345678901).reshape(())
    write_bundle(tmp_path / "toy", arrays)
    entries = read_entries(tmp_path / "toy")
    found = read_tensors(tmp_path / "toy", entries)
    assert list(found) == sorted(arrays)
    for name, values in arrays.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype and found[name].shape == values.shape


def test_values_in_one_of_several_data_files_are_found(tmp_path):
    """The number of files was guessed from those that are asked for: 1 here, of 3."""
    arrays = {name: np.full(2, k, np.float32) for k, name in enumerate("abc")}
    write_bundle(tmp_path / "toy", arrays, shards=3)
    entries = read_entries(tmp_path / "toy")
    assert [entries[name].shard for name in "abc"] == [0, 1, 2]
    for name in "abc":
        found = read_tensors(tmp_path / "toy", {name: entries[name]})
        np.testing.assert_array_equal(found[name], arrays[name])
    (tmp_path / "toy.data-00002-of-00003").unlink()
    with pytest.raises(AssetError, match=r"cannot read the checkpoint's data .*00002-of-00003"):
        read_tensors(tmp_path / "toy", entries)


def test_a_size_that_is_not_that_of_its_shape_is_one_line(tmp_path):
    write_bundle(tmp_path / "toy", {"a": np.zeros(2, np.float32)})
    entries = read_entries(tmp_path / "toy")
    wrong = {"a": dataclasses.replace(entries["a"], shape=(3,))}
    with pytest.raises(AssetError, match=r"a has the shape \(3,\) and 8 bytes; get it again"):
        read_tensors(tmp_path / "toy", wrong)


def test_network_computes_what_the_released_graph_computes(checkpoint, variables):
    crop = np.random.default_rng(2).random((256, 256, 3), dtype=np.float32)
    expected = run_prnet(crop, variables)
    assert 0.05 < expected.std() and expected.min() < 0.2 < 0.8 < expected.max()
    loaded = load_prnet(checkpoint)
    graph, state = nnx.split(loaded)
    found = jax.jit(lambda state, x: nnx.merge(graph, state)(x))(state, jnp.asarray(crop)[None])[0]
    np.testing.assert_allclose(found / 281.6, expected, atol=1e-4)


def test_missing_surplus_and_misshapen_variables_are_named(network, variables):
    from uvface.core.network.tensor_bundle import TensorEntry

    entries = {
        name: TensorEntry(dtype=v.dtype, shape=v.shape, shard=0, shards=1, offset=0, size=v.nbytes)
        for name, v in variables.items()
    }
    name = "resfcn256/resBlock_4/Conv_1/weights"
    with pytest.raises(AssetError, match=rf"lacks the variable {name}"):
        match_variables(network, {n: e for n, e in entries.items() if n != name})
    with pytest.raises(AssetError, match="has not: resfcn256/extra"):
        match_variables(network, entries | {"resfcn256/extra": entries[name]})
    wrong = entries | {name: entries["resfcn256/resBlock_2/Conv_1/weights"]}
    with pytest.raises(AssetError, match=rf"{name} has the shape \(4, 4, 32, 32\)"):
        match_variables(network, wrong)


@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001"])
def test_damaged_and_missing_files_are_one_line(checkpoint, tmp_path, ending):
    for name in ("index", "data-00000-of-00001"):
        content = Path(f"{checkpoint}.{name}").read_bytes()
        cut = content[: len(content) // 2] if name == ending else content
        (tmp_path / f"cut.{name}").write_bytes(cut)
    with pytest.raises(AssetError, match=r"cut off|not a TensorFlow checkpoint"):
        load_prnet(tmp_path / "cut")
    (tmp_path / f"cut.{ending}").unlink()
    with pytest.raises(AssetError, match="cannot read the checkpoint's"):
        load_prnet(tmp_path / "cut")


def test_an_import_never_writes_over_its_checkpoint(checkpoint, capsys):
    index = Path(f"{checkpoint}.index")
    before = index.read_bytes()
    assert main(["models", "import-prnet", str(checkpoint), "PRNet", "-o", str(index)]) == 2
    assert ".safetensors" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"does not end in \.safetensors"):
        uvface.import_prnet(checkpoint, "PRNet", index)
    assert index.read_bytes() == before


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the data pack in ../shared")
def test_imported_file_carries_weights_and_layout(checkpoint, variables, tmp_path, capsys):
    output = tmp_path / "prnet.safetensors"
    assert main(["models", "import-prnet", str(checkpoint), str(SHARED), "-o", str(output)]) == 0
    assert str(output) in capsys.readouterr().out
    model = load(output)
    assert model.layout.name == "prnet" and model.layout.triangles.shape == (86906, 3)
    stored = flat_variables(load_weights(output, layout=model.layout)[0])
    for variable in ("stem.conv.kernel", "down.9.norm.var", "up.16.conv.kernel"):
        expected = variables[checkpoint_name(variable)]
        np.testing.assert_array_equal(stored[variable].get_value(), expected)
    image = np.random.default_rng(0).random((300, 280, 3), dtype=np.float32)
    face = model.reconstruct(image, boxes=[[80.0, 90.0, 200.0, 220.0]])[0]
    assert face.position_map.shape == (256, 256, 3)
    assert np.isfinite(np.asarray(face.landmarks)).all()
    with pytest.raises(AssetError, match="are for the UV layout 'prnet'"):
        load_weights(output, layout=load_layout())


def test_import_without_a_checkpoint_is_one_line(tmp_path, capsys):
    (tmp_path / "face_ind.txt").write_text("1\n")
    output = tmp_path / "prnet.safetensors"
    arguments = ["models", "import-prnet", str(tmp_path / "none"), str(tmp_path), "-o", str(output)]
    assert main(arguments) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not output.exists()
