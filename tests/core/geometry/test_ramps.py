import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.ramps import ramp, smooth_step


@pytest.mark.parametrize("library", [np, jnp])
def test_a_smooth_step_rises_from_0_to_1_without_a_slope_at_its_ends(library):
    x = library.asarray([-3.0, 0.0, 1e-3, 0.25, 0.5, 1 - 1e-3, 1.0, 7.0])
    found = smooth_step(x)
    assert type(found) is type(x) and found.dtype == x.dtype
    np.testing.assert_allclose(found, [0, 0, 3e-6, 0.15625, 0.5, 1 - 3e-6, 1, 1], atol=1e-6)


def test_a_ramp_may_fall():
    x = jnp.asarray([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(ramp(x, (2.0, 4.0)), [0.0, 0.0, 0.5, 1.0])
    np.testing.assert_allclose(ramp(x, (4.0, 2.0)), [1.0, 1.0, 0.5, 0.0])
