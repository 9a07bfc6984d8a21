"""The form of the paper's network for inference equals the plain one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from uvface.core.geometry.layout import load_layout
from uvface.core.network import inference
from uvface.core.network.inference import Network, fold_network
from uvface.core.network.prn import OUTPUT_SCALE, PRN, PRNConfig
from uvface.core.network.prn_fast import FastPRN, fold_prn
from uvface.core.network.registry import make_network
from uvface.core.network.weights import flat_variables, save_weights
from uvface.core.network.weights_file import WeightsHeader
from uvface.core.reconstruct import load


@pytest.fixture(scope="module")
def network() -> PRN:
    """Random weights and statistics of norms, so that no layer dies and the output spreads."""
    rng = np.random.default_rng(0)
    network = PRN(PRNConfig(depth_center=0.3), rngs=nnx.Rngs(0))
    for name, variable in flat_variables(network).items():
        shape = variable.get_value().shape
        if len(shape) == 4:
            fan = shape[0] * shape[1] * shape[3 if name.startswith("up.") else 2]
            values = rng.normal(0.0, np.sqrt(2.0 / fan), shape)
        elif name.endswith(("scale", "var")):
            values = rng.uniform(0.5, 1.5, shape)
        else:
            values = rng.normal(0.0, 0.3, shape)
        variable.set_value(jnp.asarray(values, jnp.float32))
    network.eval()
    return network


def _plain(network: PRN, crops: jax.Array) -> jax.Array:
    graph, state = nnx.split(network)
    return jax.jit(lambda state, crops: nnx.merge(graph, state)(crops))(state, crops)


@pytest.mark.parametrize("batch", [1, 3])
def test_equals_the_plain_form(network, batch):
    crops = jax.random.uniform(jax.random.key(batch), (batch, 256, 256, 3))
    expected = _plain(network, crops) / OUTPUT_SCALE
    assert 0.05 < expected.std() and expected.min() < 0.0 and expected.max() > 0.7
    found = jax.jit(lambda fast, crops: fast(crops))(fold_prn(network), crops) / OUTPUT_SCALE
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_is_a_network_that_says_of_nothing_that_it_is_covered(network):
    fast = fold_network(network)
    assert isinstance(fast, FastPRN) and isinstance(fast, Network)
    crops = jax.random.uniform(jax.random.key(0), (1, 256, 256, 3))
    maps, head, confidence = jax.jit(lambda fast, crops: fast.read(crops))(fast, crops)
    assert maps.shape == (1, 256, 256, 3)
    assert head.shape == (1, 128, 128) and (head == 1.0).all()
    assert confidence.tolist() == [1.0]


def test_other_networks_stay_as_they_are():
    lite = make_network("prn-lite", is_abstract=True)
    assert fold_network(lite) is lite


def test_a_weights_file_is_read_in_this_form(network, tmp_path, monkeypatch):
    layout = load_layout()
    header = WeightsHeader(network="prn", layout=layout.name, layout_digest=layout.digest)
    save_weights(tmp_path / "prn.safetensors", network, header=header, is_exact=True)
    # Nothing traced by an earlier run: then nobody would call the network.
    monkeypatch.setenv("UVFACE_CACHE", str(tmp_path / "cache"))
    called = []
    forward = FastPRN.__call__
    monkeypatch.setattr(
        FastPRN, "__call__", lambda self, crops: called.append(1) or forward(self, crops)
    )
    monkeypatch.setattr(PRN, "__call__", lambda self, crops: pytest.fail("the plain form ran"))
    model = load(tmp_path / "prn.safetensors")
    maps = model.predict(jnp.full((1, 256, 256, 3), 0.4))
    assert maps.shape == (1, 256, 256, 3) and len(called) == 1
    photo = np.random.default_rng(0).random((300, 280, 3), dtype=np.float32)
    face = model.reconstruct(photo, boxes=[[80.0, 90.0, 200.0, 220.0]])[0]
    assert np.isfinite(np.asarray(face.landmarks)).all() and len(called) > 1


def test_gpus_get_the_plain_form(network, tmp_path, monkeypatch):
    layout = load_layout()
    header = WeightsHeader(network="prn", layout=layout.name, layout_digest=layout.digest)
    save_weights(tmp_path / "prn.safetensors", network, header=header, is_exact=True)
    monkeypatch.setattr(inference.jax, "default_backend", lambda: "gpu")
    runnable, _ = inference.load_runnable(tmp_path / "prn.safetensors", layout=layout)
    assert isinstance(runnable.build(runnable.state), PRN)
