"""Pictures of what each pixel shows of a face, against the mesh itself."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
import toy_faces
from mean_faces import mean_face

from uvface.core.drawing import layers
from uvface.core.drawing.layers import (
    canonical_code,
    depth_map,
    draw_surface,
    normal_map,
    pncc_map,
)
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


def _mean(layout, x, scale=7.0):
    return mean_face(layout, centre=(x, 240.0), scale=scale)


def test_codes_are_cut_at_the_photo_s_border(layout):
    outside = _mean(layout, 20.0)
    whole = normal_map(outside, layout, height=512, width=512)
    wide = normal_map(_mean(layout, 120.0), layout, height=512, width=612)
    np.testing.assert_allclose(whole[:, :400], wide[:, 100:500], atol=0.02)


@pytest.mark.parametrize("draw", [depth_map, normal_map, pncc_map])
@pytest.mark.parametrize("place", [(20.0, 240.0), (10.0, 5.0), (290.0, 395.0)])
def test_large_faces_are_drawn_tile_by_tile_without_seams(layout, monkeypatch, draw, place):
    """Faces cut at the left, the left and top, the right and bottom: tiles lie wholly outside."""
    wide = _mean(layout, place[0])
    moved = wide.position_map + jnp.array([0.0, place[1] - 240.0, 0.0])
    wide, size = dataclasses.replace(wide, position_map=moved), {"height": 400, "width": 300}
    whole = draw(wide, layout, **size)
    monkeypatch.setattr(layers, "_TILE", 48)
    np.testing.assert_allclose(draw(wide, layout, **size), whole, atol=1e-4)


def test_no_tile_outside_the_photo_is_drawn(layout, monkeypatch):
    """Of a face far larger than the photo nearly all were."""
    drawn = []

    def counted(position_map, layout, origin, *, side):
        drawn.append((*origin.tolist(), side))
        return draw_surface(position_map, layout, origin, side=side)

    monkeypatch.setattr(layers, "draw_surface", counted)
    monkeypatch.setattr(layers, "_TILE", 64)
    depth_map(_mean(layout, 240.0, scale=28.0), layout, height=90, width=70)
    assert 0 < len(drawn) <= 9
    assert all(-side < x < 70 and -side < y < 90 for x, y, side in drawn)
