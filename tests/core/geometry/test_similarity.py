import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry import similarity
from uvface.core.types import Similarity

estimate_similarity = jax.jit(similarity.estimate_similarity)


def known(angle, scale=2.5):
    c, s = np.cos(angle), np.sin(angle)
    return Similarity(
        scale=jnp.float32(scale),
        rotation=jnp.array([[c, -s], [s, c]], dtype=jnp.float32),
        translation=jnp.array([30.0, -7.0]),
    )


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0, np.pi])
def test_recovers_a_known_similarity(angle):
    source = jax.random.uniform(jax.random.key(0), (20, 2), maxval=50.0)
    truth = known(angle)
    found = estimate_similarity(source, truth.apply(source))
    np.testing.assert_allclose(found.matrix(), truth.matrix(), atol=1e-4)


def test_inverse_undoes_and_compose_applies_in_order():
    points = jax.random.normal(jax.random.key(1), (9, 3))
    first, second = known(0.3), known(-1.0, 0.5)
    np.testing.assert_allclose(first.inverse().apply(first.apply(points)), points, atol=1e-4)
    both = second.compose(first).apply(points)
    np.testing.assert_allclose(both, second.apply(first.apply(points)), atol=1e-4)


def test_estimate_never_returns_a_reflection():
    source = jax.random.normal(jax.random.key(2), (30, 2))
    found = estimate_similarity(source, source * jnp.array([-1.0, 1.0]))
    assert jnp.linalg.det(found.rotation) == pytest.approx(1.0, abs=1e-5)


def test_coinciding_points_give_a_translation():
    found = estimate_similarity(jnp.ones((5, 2)), jnp.full((5, 2), 4.0))
    np.testing.assert_allclose(found.matrix(), [[1, 0, 3], [0, 1, 3]], atol=1e-6)


def test_vmap_agrees_with_loop():
    source = jax.random.normal(jax.random.key(4), (3, 12, 2))
    target = jax.random.normal(jax.random.key(5), (3, 12, 2))
    batch = jax.jit(jax.vmap(estimate_similarity))(source, target)
    for k in range(3):
        single = estimate_similarity(source[k], target[k])
        np.testing.assert_allclose(batch.rotation[k], single.rotation, atol=1e-5)
