"""What a run begins with: weights of its own kind, and of their own shape when it goes on."""

import json
import shutil

import cv2
import numpy as np
import pytest
from flax import nnx
from toy_network import STILL, TinyConfig

from uvface.core.errors import InputError
from uvface.core.network.prn import PRN, PRNConfig
from uvface.core.network.prn_lite import PRNLite
from uvface.core.network.weights import save_weights
from uvface.core.network.weights_file import WeightsHeader
from uvface.core.training.checkpoint import save_checkpoint
from uvface.core.training.config import TrainConfig
from uvface.core.training.loop import _Run, train_on_pool
from uvface.core.training.start import describe_network

TOYS = {"data": "toys", "licences": {"toys": "CC0-1.0"}}


def _saved(path, network, kind, layout, *, training=TOYS):
    header = WeightsHeader(
        network=kind, layout=layout.name, layout_digest=layout.digest, training=training
    )
    save_weights(path, network, header)
    return str(path)


def _config(pool, output, **changes):
    settings = {"minutes": None, "steps": 1, "batch": 2, "validation": 2, "augment": STILL}
    return TrainConfig(pool=pool, output=output, workers=1, prefetch=1, **(settings | changes))


@pytest.mark.parametrize(("kind", "other"), [("prn", "prn-lite"), ("prn-lite", "prn")])
def test_first_weights_of_another_kind_are_refused(tiny, toy_pool, layout, tmp_path, kind, other):
    """A run said that it trained the one, trained the other, and its weights could not be read."""
    rngs = nnx.Rngs(0)
    network = (
        PRN(PRNConfig(size=2), rngs=rngs) if kind == "prn" else PRNLite(TinyConfig(), rngs=rngs)
    )
    initial = _saved(tmp_path / "first.safetensors", network, kind, layout)
    with pytest.raises(InputError, match=f"of the kind {kind}, not {other}; give --network {kind}"):
        train_on_pool(
            _config(toy_pool, tmp_path / "run", network=other, initial=initial), layout=layout
        )
    assert not (tmp_path / "run").exists()


def test_a_run_of_a_larger_network_is_resumed_in_its_shape(tiny, toy_pool, layout, tmp_path):
    large = TinyConfig(hidden=80)
    network = PRNLite(large, rngs=nnx.Rngs(0))
    initial = _saved(tmp_path / "large.safetensors", network, "prn-lite", layout)
    run = tmp_path / "run"
    train_on_pool(_config(toy_pool, run, initial=initial), layout=layout)
    again = _Run(_config(toy_pool, run, steps=2), layout, resume=True)
    resumed = nnx.merge(again.graph, again.state.params, again.state.rest)
    assert resumed.config == large and int(again.state.step) == 1
    found = again._header(1, {}).training  # also of what the first weights learnt from
    assert found["data"] == "toys; pictures of unknown origin"
    assert found["licences"] == {"toys": "CC0-1.0"}
    with pytest.raises(InputError, match="of the kind prn-lite, not prn"):
        train_on_pool(_config(toy_pool, run, network="prn"), layout=layout, resume=True)


@pytest.fixture
def known_pool(toy_pool, tmp_path):
    """Return a copy of the pool whose header says what it is made of."""
    shutil.copytree(toy_pool, tmp_path / "pool")
    path = tmp_path / "pool" / "pool.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | TOYS))
    return path.parent


def test_weights_that_do_not_say_what_they_learnt_from_are_of_unknown_origin(
    tiny, known_pool, layout, tmp_path
):
    """They were taken for fresh ones, and the pool for all that there was."""
    fresh = _Run(_config(known_pool, tmp_path / "fresh"), layout, resume=False)
    assert fresh.made_of == TOYS
    network = PRNLite(TinyConfig(), rngs=nnx.Rngs(0))
    path = tmp_path / "first.safetensors"
    initial = _saved(path, network, "prn-lite", layout, training={})
    run = _Run(_config(known_pool, tmp_path / "run", initial=initial), layout, resume=False)
    unknown = TOYS | {"data": "pictures of unknown origin; toys"}
    assert run.made_of == unknown
    record = {
        "network": describe_network(fresh.config, fresh.graph, fresh.state),
        "shards": fresh.pool.names, "order": fresh.order.state, "seconds": 0.0, "best": 1.0,
    }  # fmt: skip
    save_checkpoint(tmp_path / "fresh" / "last.checkpoint", fresh.state, record)  # an older one
    assert _Run(fresh.config, layout, resume=True).made_of == unknown


def test_pictures_without_faces_are_named(tiny, known_pool, layout, tmp_path):
    """They were trained on, and neither data nor licences said so."""
    (tmp_path / "walls").mkdir()
    cv2.imwrite(str(tmp_path / "walls" / "a.jpg"), np.zeros((300, 300, 3), np.uint8))
    config = _config(known_pool, tmp_path / "run", negatives=tmp_path / "walls")
    found = _Run(config, layout, resume=False).made_of
    assert found["data"] == "toys; pictures without faces"
    assert sorted(found["licences"].values()) == ["CC0-1.0", "not stated"]
