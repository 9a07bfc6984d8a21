import dataclasses
import errno
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors import safe_open
from safetensors.numpy import save_file

import uvface
from uvface.core import whole_files
from uvface.core.errors import AssetError, InputError
from uvface.core.geometry.layout import load_layout
from uvface.core.network import registry, weights_file
from uvface.core.network.inference import Network
from uvface.core.network.prn_lite import PRNLite, PRNLiteConfig
from uvface.core.network.registry import make_network
from uvface.core.network.weights import load_weights, save_weights
from uvface.core.network.weights_file import WeightsHeader

SMALL = PRNLiteConfig(widths=(16, 16, 16), blocks=(0, 0, 0), coefficients=8, hidden=16)
HEADER = WeightsHeader(
    network="prn-lite",
    layout="uvface",
    layout_digest="0" * 64,
    training={"data": "toy", "licences": {"toy": "CC0"}},
    evaluation={"mean": 4.2},
)


@pytest.fixture
def stored(tmp_path):
    network = PRNLite(SMALL, rngs=nnx.Rngs(3))
    path = tmp_path / "toy.safetensors"
    save_weights(path, network, HEADER)
    return path, network


def test_round_trip_gives_the_same_maps_up_to_float16(stored):
    path, network = stored
    loaded, header = load_weights(path)
    crops = jnp.asarray(np.random.default_rng(0).random((1, 256, 256, 3), dtype=np.float32))
    call = nnx.jit(lambda network, crops: network(crops))
    np.testing.assert_allclose(call(loaded, crops), call(network, crops), atol=0.05)
    assert isinstance(loaded, Network)
    assert header.config["coefficients"] == 8
    assert header.training["licences"] == {"toy": "CC0"}


def test_storing_what_was_loaded_changes_nothing(stored, tmp_path):
    path, _ = stored
    loaded, header = load_weights(path)
    again = tmp_path / "again.safetensors"
    save_weights(again, loaded, header)
    assert again.read_bytes() == path.read_bytes()


def test_matrices_are_stored_as_float16(stored):
    with safe_open(stored[0], framework="numpy") as file:
        kinds = {file.get_tensor(name).dtype for name in file.keys() if "kernel" in name}
    assert kinds == {np.dtype(np.float16)}


def test_nothing_half_written_stays(stored):
    assert [p.name for p in stored[0].parent.iterdir()] == ["toy.safetensors"]


def test_failed_write_leaves_the_old_file_and_nothing_else(stored, monkeypatch, tmp_path):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path, network = stored
    before = path.read_bytes()
    monkeypatch.setattr(whole_files.os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        save_weights(path, network, HEADER)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    monkeypatch.undo()
    with pytest.raises(InputError, match="cannot write"):
        save_weights(path / "w.safetensors", network, HEADER)


def test_weights_may_be_read_by_whom_the_umask_lets(stored, tmp_path):
    """safetensors makes files that only their owner may read."""
    (tmp_path / "plain").touch()
    assert stored[0].stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_another_layout_is_refused(stored):
    class Other:
        name, digest = "other", "1" * 64

    with pytest.raises(AssetError, match="for the UV layout"):
        weights_file.check_layout(stored[0], HEADER, Other.name, Other.digest)


@pytest.mark.parametrize("keep", [0, 5, 100, 5000])
def test_truncated_file_is_an_asset_error(stored, keep):
    path, _ = stored
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(AssetError, match="damaged"):
        load_weights(path)


def test_foreign_safetensors_are_refused(tmp_path):
    path = tmp_path / "foreign.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, path)
    with pytest.raises(AssetError, match="header is missing"):
        load_weights(path)


def test_newer_format_is_refused(tmp_path):
    path = tmp_path / "new.safetensors"
    save_file({"a": np.zeros(3)}, path, metadata={"uvface": json.dumps({"format_version": 99})})
    with pytest.raises(AssetError, match="format 99"):
        load_weights(path)


def test_arrays_of_another_shape_are_refused(stored, tmp_path):
    path, _ = stored
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    wrong = tmp_path / "wrong.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, wrong, metadata=metadata)
    with pytest.raises(AssetError, match="do not fit"):
        load_weights(wrong)


def test_missing_file_says_what_to_name():
    with pytest.raises(AssetError, match="no weights file nowhere"):
        load_weights("nowhere.safetensors")


def test_unknown_network_is_an_input_error():
    with pytest.raises(InputError, match="unknown network"):
        make_network("resnet")


def test_older_prn_lite_says_what_to_do(stored, tmp_path):
    with safe_open(stored[0], framework="numpy") as file:
        metadata = file.metadata()
    older = tmp_path / "older.safetensors"
    save_file({"head.out.kernel": np.zeros((24, 4), np.float16)}, older, metadata=metadata)
    with pytest.raises(AssetError, match="older prn-lite"):
        load_weights(older)


def test_a_foreign_file_that_does_not_fit_is_found_before_a_photo_is(stored, tmp_path):
    path, _ = stored
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["uvface"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}
    header["layout_digest"] = load_layout().digest
    for name, change in (("shape", {}), ("settings", {"config": {"colour": 1}})):
        wrong = tmp_path / f"{name}.safetensors"
        kept = dict(list(arrays.items())[1:])
        save_file(kept, wrong, metadata={"uvface": json.dumps(header | change)})
        with pytest.raises(AssetError, match=f"{name}.safetensors"):
            uvface.load(wrong)


def test_a_name_that_is_too_long_is_told_of_before_anything_is_written(tmp_path):
    weights_file.check_weights_name(tmp_path / ("a" * 243 + ".safetensors"))
    with pytest.raises(InputError, match="too long for a file; choose a shorter one"):
        weights_file.check_weights_name(tmp_path / ("a" * 244 + ".safetensors"))


def test_names_of_networks_stand_in_two_places():
    assert set(weights_file.NETWORKS) == set(registry._NETWORKS)


def test_a_header_that_is_no_object_is_an_asset_error(tmp_path):
    path = tmp_path / "odd.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, path, metadata={"uvface": "[]"})
    with pytest.raises(AssetError, match="its header must be an object, not list"):
        load_weights(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"training": {"licences": ["MIT"]}}, "its licences are no object of sources"),
        ({"training": {"licences": "MIT"}}, "its licences are no object of sources"),
        ({"training": ["toys"]}, "its training must be an object, not list"),
        ({"training": None}, "its training must be an object, not NoneType"),
        ({"config": 5}, "its config must be an object, not int"),
        ({"layout_digest": 5}, "its layout_digest must be a text, not int"),
    ],
)
def test_a_header_of_other_kinds_is_an_asset_error(stored, tmp_path, change, said):
    """Licences in a list were read, and ended training from such weights in a traceback."""
    path, _ = stored
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["uvface"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}
    odd = tmp_path / "odd.safetensors"
    save_file(arrays, odd, metadata={"uvface": json.dumps(header | change)})
    with pytest.raises(AssetError, match=rf"cannot read the weights .*odd\.safetensors \({said}"):
        load_weights(odd)


def test_a_header_may_leave_its_licences_out(stored, tmp_path):
    for training in ({}, {"data": "toys"}, {"licences": None}):
        path = tmp_path / "few.safetensors"
        save_weights(path, stored[1], dataclasses.replace(HEADER, training=training))
        assert load_weights(path)[1].training == training


@pytest.mark.parametrize("name", ["prn-lite", "prn"])
def test_embedded_weights_find_an_example_and_reject_noise(name):
    model = uvface.load(name)
    photos = Path(__file__).resolve().parents[3] / "examples" / "photos"
    face = model.reconstruct(photos / "target.jpg")[0]
    other = uvface.load("prn-lite").reconstruct(photos / "target.jpg")[0]
    points, others = (np.asarray(f.landmarks)[:, :2] for f in (face, other))
    size = np.sqrt(np.prod(np.ptp(others, axis=0)))
    assert np.linalg.norm(points - others, axis=1).mean() < 0.025 * size
    network, header = load_weights(name, layout=load_layout())
    assert header.evaluation["photos, boxes given"]["mean"] < 3.4
    noise = np.random.default_rng(0).random((1, 256, 256, 3), np.float32)
    assert float(network.read(jnp.asarray(noise))[2][0]) < 0.2
