"""The paper's network in other runtimes: the same function, and a clear word where one lacks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from uvface.cli import main
from uvface.core.errors import InputError
from uvface.core.network import peers
from uvface.core.network.peers import PEERS, make_peer, parse_peers
from uvface.core.network.prn import OUTPUT_SCALE, PRN, PRNConfig
from uvface.core.network.registry import make_network


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_computes_the_same(name):
    for package in PEERS[name]:
        pytest.importorskip(package)
    network = PRN(PRNConfig(depth_center=0.0), rngs=nnx.Rngs(3))
    rng = np.random.default_rng(0)
    for layer in [network.stem, *network.up]:
        for variable in (layer.norm.bias, layer.norm.mean):
            values = rng.normal(0.0, 0.3, variable[...].shape)
            variable.set_value(jnp.asarray(values, jnp.float32))
    network.eval()
    crops = rng.random((1, 256, 256, 3), np.float32)
    graph, state = nnx.split(network)
    plain = jax.jit(lambda state, crops: nnx.merge(graph, state)(crops))
    found = make_peer(name, network)(np.ascontiguousarray(crops.transpose(0, 3, 1, 2)))
    expected = plain(state, crops) / OUTPUT_SCALE
    assert expected.std() > 0.01
    np.testing.assert_allclose(found.transpose(0, 2, 3, 1), expected, atol=1e-4)


def test_a_peer_that_is_not_installed_is_named(monkeypatch, capsys):
    monkeypatch.setattr(peers, "find_spec", lambda package: None)
    arguments = ["benchmark", "a.png", "b.png", "--against", "onnxruntime,torch"]
    assert main(arguments) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "onnx and onnxruntime not installed; run: pip install onnx onnxruntime" in message


def test_peers_are_named_as_a_list_or_a_text():
    for given in ("onnxruntime, torch", ["onnxruntime", "torch"]):
        assert parse_peers(given) == ("onnxruntime", "torch")
    assert parse_peers("none") == parse_peers([]) == ()


def test_an_unknown_peer_is_an_error():
    with pytest.raises(InputError, match="'caffe'; choose from onnxruntime, torch, or none"):
        parse_peers(["torch", "caffe"])


def test_other_networks_are_not_compared():
    with pytest.raises(InputError, match="only prn runs in torch"):
        make_peer("torch", make_network("prn-lite", is_abstract=True))
