"""Pictures of what each pixel shows of a face, against the mesh itself."""

import jax.numpy as jnp
import numpy as np
import toy_faces

from uvface.core.drawing.layers import canonical_code, pncc_map
from uvface.core.geometry.rasterize import interpolate
from uvface.core.geometry.render import rasterize_layout


def test_the_code_of_a_pixel_is_that_of_the_mesh_there():
    """Half a texel beside it passed all tests."""
    layout, (_, face) = toy_faces.layout(), toy_faces.toy_photo(3, yaw=20.0)
    size = toy_faces.SIZE
    drawn = rasterize_layout(face.position_map, layout, height=size, width=size)
    code = jnp.asarray(canonical_code(layout)).reshape(-1, 3)
    expected = np.asarray(interpolate(drawn, layout.triangles, code))
    found = pncc_map(face, layout, height=size, width=size)
    covered = np.asarray(drawn.is_covered)
    assert covered.sum() > 2000 and np.ptp(expected[covered], axis=0).min() > 0.5
    # A cell of the map is no plane; half a texel is 1e-2.
    np.testing.assert_allclose(found[covered], expected[covered], atol=3e-3)
    assert not found[~covered].any()
