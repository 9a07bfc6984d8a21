import jax.numpy as jnp
import numpy as np
from toys import toy_layout

from uvface.core.geometry.texels import texel_footprint, texel_uv


def test_texels_lie_where_the_mesh_has_its_vertices():
    layout = toy_layout(16)
    uv = np.asarray(texel_uv(16))
    np.testing.assert_array_equal(uv[0, 0], [0.5 / 16, 0.5 / 16])
    np.testing.assert_array_equal(uv[3, 5], [5.5 / 16, 3.5 / 16])
    empty = jnp.zeros((16, 16, 3))
    np.testing.assert_array_equal(layout.mesh(empty, empty).uv, uv.reshape(-1, 2))


def test_a_footprint_is_the_side_of_the_square_of_the_same_area():
    wide = jnp.concatenate([texel_uv(8) * jnp.array([8.0, 32.0]), jnp.zeros((8, 8, 1))], axis=-1)
    turned = wide[..., :2] @ jnp.array([[0.0, 1.0], [-1.0, 0.0]])
    for plane in (wide, jnp.concatenate([turned, wide[..., 2:]], axis=-1)):
        np.testing.assert_allclose(texel_footprint(plane), 2.0, rtol=1e-5)
