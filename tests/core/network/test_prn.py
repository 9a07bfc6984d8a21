import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from uvface.core.network.cells import depth_to_space, read_cells, space_to_depth, spatial_softmax
from uvface.core.network.prn_lite import PRNLite, PRNLiteConfig
from uvface.core.network.registry import make_network


def _count(network):
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(network, nnx.Param)))


def _flops(network):
    """Twice the multiplications of convolutions and dense layers, from the traced program."""
    graph, state = nnx.split(network)

    def call(state, crops):
        return nnx.merge(graph, state)(crops)

    crops = jax.ShapeDtypeStruct((1, 256, 256, 3), jnp.float32)
    jaxpr = jax.make_jaxpr(call)(state, crops)
    assert jaxpr.out_avals[0].shape == (1, 256, 256, 3)
    return _flops_of(jaxpr.jaxpr)


def _taps(eqn, axis):
    """Pairs of output place and kernel tap that meet a pixel, not padding or a gap."""
    size, kernel = eqn.invars[0].aval.shape[1 + axis], eqn.invars[1].aval.shape[axis]
    gap, stride = eqn.params["lhs_dilation"][axis], eqn.params["window_strides"][axis]
    out = eqn.outvars[0].aval.shape[1 + axis]
    place = stride * np.arange(out)[:, None] + np.arange(kernel) - eqn.params["padding"][axis][0]
    return int(((place >= 0) & (place <= gap * (size - 1)) & (place % gap == 0)).sum())


def _flops_of(jaxpr):
    total = 0
    for eqn in jaxpr.eqns:
        for value in eqn.params.values():
            inner = getattr(value, "jaxpr", None)
            if inner is not None:
                total += _flops_of(inner)
        if eqn.primitive.name == "conv_general_dilated":
            kernel = eqn.invars[1].aval.shape
            total += 2 * kernel[2] * kernel[3] * _taps(eqn, 0) * _taps(eqn, 1)
        elif eqn.primitive.name == "dot_general":
            (contract, _), _ = eqn.params["dimension_numbers"]
            depth = np.prod([eqn.invars[0].aval.shape[i] for i in contract])
            total += 2 * depth * np.prod(eqn.outvars[0].aval.shape)
    return total


def _abstract(name):
    network = make_network(name, is_abstract=True)
    network.eval()
    return network


def test_paper_network_has_the_parameters_of_the_released_checkpoint():
    assert _count(_abstract("prn")) == 13_353_618


def test_paper_network_has_the_operations_of_the_paper():
    assert _flops(_abstract("prn")) == pytest.approx(7.79e9, rel=0.01)


def test_paper_network_has_the_layers_of_the_released_checkpoint():
    network = _abstract("prn")
    assert len(network.down) == 10 and len(network.up) == 17
    shapes = [up.conv.kernel.get_value().shape for up in network.up]
    assert shapes[0] == (4, 4, 512, 512) and shapes[1] == (4, 4, 256, 512)  # [h, w, out, in]
    assert shapes[12] == (4, 4, 16, 32) and shapes[-1] == (4, 4, 3, 3)
    assert network.down[0].conv.conv.kernel.get_value().shape == (4, 4, 16, 16)
    assert network.down[8].shortcut.kernel.get_value().shape == (1, 1, 256, 512)
    assert network.down[9].shortcut is None


TINY = PRNLiteConfig(
    widths=(16, 16, 16), blocks=(0, 0, 0), hidden=8, coefficients=4, anchors=(3, 3), refined=8
)


def test_depth_to_space_undoes_space_to_depth():
    image = jax.random.uniform(jax.random.key(0), (2, 8, 12, 3))
    np.testing.assert_array_equal(depth_to_space(space_to_depth(image, 4), 4), image)


def test_space_to_depth_keeps_neighbours_together():
    image = jnp.arange(1 * 4 * 4 * 1, dtype=jnp.float32).reshape(1, 4, 4, 1)
    folded = space_to_depth(image, 2)
    assert folded.shape == (1, 2, 2, 4)
    np.testing.assert_array_equal(folded[0, 0, 1], [2, 3, 6, 7])


def test_spatial_softmax_finds_a_peak():
    scores = jnp.zeros((1, 5, 5, 1)).at[0, 4, 0, 0].set(50.0)
    np.testing.assert_allclose(spatial_softmax(scores)[0], [-1.0, 1.0], atol=1e-5)


def test_cells_are_read_where_crop_pixels_say():
    """A map that holds its cells' own middles gives back the points, clamped at the border."""
    line = jnp.arange(32, dtype=jnp.float32) * 8.0 + 3.5
    cells = jnp.stack(jnp.meshgrid(line, line), axis=-1)[None]
    points = jax.random.uniform(jax.random.key(0), (1, 50, 2), minval=-20.0, maxval=280.0)
    expected = np.clip(np.asarray(points), 3.5, 251.5)
    np.testing.assert_allclose(read_cells(cells, points), expected, atol=1e-3)


def test_corrections_look_where_the_map_lies():
    """A change of the picture far from the face does not reach a correction's local numbers."""
    cells = jax.random.normal(jax.random.key(0), (1, 32, 32, 4))
    points = jnp.array([[[40.0, 60.0], [200.0, 30.0]]])
    elsewhere = cells.at[:, 20:, :, :].set(9.0)
    here = cells.at[:, 7, 5, :].add(1.0)
    np.testing.assert_array_equal(read_cells(cells, points), read_cells(elsewhere, points))
    changed = np.abs(np.asarray(read_cells(here, points) - read_cells(cells, points))).max(-1)[0]
    assert changed[0] > 0.3 and changed[1] == 0.0


def test_an_untrained_correction_changes_next_to_nothing():
    network = PRNLite(TINY, rngs=nnx.Rngs(1))
    network.set_basis(np.zeros((64, 64, 3), np.float32), np.ones((4, 64, 64, 3), np.float32))
    crops = jax.random.uniform(jax.random.key(2), (2, 256, 256, 3))
    first, *others = nnx.jit(lambda network, crops: network.look(crops).controls)(network, crops)
    assert len(others) == 2
    for other in others:
        np.testing.assert_allclose(other, first, atol=0.02)
