import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from toy_network import TinyConfig

from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.spline import evaluate_control, finer_control, fit_control
from uvface.core.network.prn_lite import PRNLite
from uvface.core.network.registry import make_network
from uvface.core.network.weights import flat_variables

LIMIT_BYTES, LIMIT_FLOP = 6.0e6, 1.2e9


@pytest.fixture(scope="module")
def tiny():
    return PRNLite(TinyConfig(), rngs=nnx.Rngs(0))


def test_default_network_keeps_its_budget():
    network = make_network("prn-lite", is_abstract=True)
    shapes = [variable.shape for variable in flat_variables(network).values()]
    stored = sum((2 if len(shape) > 1 else 4) * int(np.prod(shape)) for shape in shapes)
    assert stored < LIMIT_BYTES - 40_000  # names and header take their share, too
    graph, state = nnx.split(network)
    crops = jax.ShapeDtypeStruct((1, 256, 256, 3), jnp.float32)
    lowered = jax.jit(lambda state, crops: nnx.merge(graph, state).read(crops)).lower(state, crops)
    assert 0.2e9 < lowered.cost_analysis()["flops"] < LIMIT_FLOP


def test_basis_holds_the_mean_face_to_a_quarter_of_a_percent():
    layout = load_layout()
    full = fit_control(9.0 * layout.canonical)
    matrix = finer_control(32, 64)
    coarse = fit_control(evaluate_control(full, 256), 32)
    found = jnp.einsum("ri,sj,ijc->rsc", matrix, matrix, coarse)
    gap = jnp.linalg.norm(evaluate_control(found, 256) - evaluate_control(full, 256), axis=-1)
    weights = layout.texel_weights * layout.mask
    assert float((gap * weights).sum() / weights.sum()) < 0.0025 * 160.0


def test_finer_control_points_keep_planes():
    matrix = finer_control(32, 64)
    plane = fit_control(jnp.asarray(np.mgrid[:256, :256].transpose(1, 2, 0), jnp.float32), 32)
    found = jnp.einsum("ri,sj,ijc->rsc", matrix, matrix, plane)
    gap = evaluate_control(found, 256) - evaluate_control(plane, 256)
    assert float(jnp.abs(gap).max()) < 2e-3


def test_first_map_is_the_mean_that_was_set(tiny):
    mean = fit_control(9.0 * load_layout().canonical)
    tiny.set_basis(np.asarray(mean), np.zeros((12, 64, 64, 3), np.float32))
    crops = jnp.asarray(np.random.default_rng(0).random((2, 256, 256, 3), dtype=np.float32))
    maps, heads, confidence = nnx.jit(lambda network, crops: network.read(crops))(tiny, crops)
    expected = evaluate_control(mean, 256) + jnp.array([127.5, 127.5, 0.0])
    middle = np.asarray(load_layout().mask) > 0.5
    gap = np.abs(np.asarray(maps[1]) - np.asarray(expected))[middle]
    assert gap.mean() < 0.6
    assert heads.shape == (2, 128, 128) and float(jnp.abs(heads - 0.5).max()) < 0.5
    assert confidence.shape == (2,) and float(jnp.abs(confidence - 0.5).max()) < 0.5
