"""A layout at fewer texels is the same face; masks interpolated between blocks stay inside."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face
from toy_faces import layout as toy_layout

from uvface.core.geometry import visibility as visibility_module
from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.prnet_layout import read_prnet_layout
from uvface.core.geometry.rasterize import interpolate, rasterize
from uvface.core.geometry.scales import pool
from uvface.core.geometry.visibility import normals, visibility

LAYOUT = load_layout("uvface")
coarse = jax.jit(coarse_layout, static_argnames="texels")


def test_a_layout_that_is_no_finer_is_returned():
    assert coarse_layout(toy_layout(), 64) is toy_layout()
    assert coarse_layout(toy_layout(), 128) is toy_layout()


@pytest.mark.parametrize("texels", [128, 64])
def test_blocks_are_averages_of_their_texels(texels):
    small, step = coarse(LAYOUT, texels=texels), 256 // texels
    blocks = np.asarray(LAYOUT.canonical).reshape(texels, step, texels, step, 3)
    np.testing.assert_allclose(small.canonical, blocks.mean(axis=(1, 3)), atol=1e-4)
    inside = np.asarray(LAYOUT.mask).reshape(texels, step, texels, step).min(axis=(1, 3))
    np.testing.assert_array_equal(small.mask, inside)
    lips = small.region("lips")
    assert float(lips.sum()) * step**2 == pytest.approx(float(LAYOUT.region("lips").sum()), 1e-4)


def test_mirroring_blocks_is_mirroring_texels():
    small = coarse(LAYOUT, texels=128)
    image = LAYOUT.canonical
    np.testing.assert_allclose(
        small.mirror(pool(image, 128)), pool(LAYOUT.mirror(image), 128), atol=1e-5
    )


def test_the_coarse_surface_is_the_fine_one():
    """Drawn frontally, both cover the same pixels and say the same of them, up to the rim."""
    camera = mean_face(LAYOUT, centre=(64.0, 64.0), scale=5.0, pose=(20.0, 0.0, 0.0)).camera
    drawn = []
    for layout in (LAYOUT, coarse(LAYOUT, texels=128)):
        vertices = camera.project(layout.canonical).reshape(-1, 3)
        fragments = rasterize(vertices, layout.triangles, height=128, width=128)
        values = interpolate(fragments, layout.triangles, layout.canonical.reshape(-1, 3))
        drawn.append((np.asarray(fragments.is_covered), np.asarray(values)))
    (fine, fine_values), (rough, rough_values) = drawn
    assert (fine & ~rough).sum() < 0.02 * fine.sum()
    assert not (rough & ~fine).any()
    off = np.linalg.norm(fine_values - rough_values, axis=-1)[rough]
    assert np.quantile(off, 0.99) < 0.1  # cm: half a pixel, where the surface is seen from the side


@pytest.mark.parametrize("yaw", [0.0, 40.0, 75.0])
def test_what_hides_may_be_coarse(yaw, monkeypatch):
    """Visibility is as if every texel could hide others."""
    face = mean_face(LAYOUT, centre=(128.0, 128.0), scale=10.0, pose=(yaw, 10.0, 0.0))
    found = np.asarray(visibility(face.position_map, LAYOUT))
    monkeypatch.setattr(visibility_module, "_HIDING_TEXELS", 256)
    exact = np.asarray(visibility(face.position_map, LAYOUT))
    off = np.abs(found - exact)[np.asarray(LAYOUT.region("face")) > 0.5]
    assert 0.0 < off.mean() < 0.002
    assert (off > 0.5).mean() < 0.001


@pytest.mark.parametrize(
    ("size", "left"), [(64, 64), (192, 192), (300, 150), (386, 193), (512, 128)]
)
def test_blocks_divide_the_image(size, left):
    image = jnp.arange(size, dtype=jnp.float32)[:, None, None] * jnp.ones((1, size, 1))
    small = pool(image, 128)
    assert small.shape == (left, left, 1)
    step = size // left
    np.testing.assert_allclose(small[:, 0, 0], np.arange(size).reshape(left, step).mean(axis=1))


def test_triangles_are_mirrored_too():
    """But for the cells in the middle, which are their own mirror images."""
    small = coarse(LAYOUT, texels=128)
    corners = np.sort(np.asarray(small.triangles), axis=1)
    corners = corners[
        (corners[:, 0] != corners[:, 2]) & ~np.isin(corners % 128, (63, 64)).all(axis=1)
    ]
    mirrored = np.sort(np.asarray(small.mirror_texel)[corners], axis=1)
    assert {tuple(row) for row in corners.tolist()} == {tuple(row) for row in mirrored.tolist()}


def test_the_layout_of_prnet_keeps_its_shape(shared_data):
    prnet = read_prnet_layout(shared_data / "prnet_uv")
    small = coarse(prnet, texels=128)
    assert 0.97 < 4 * float(small.mask.sum()) / float(prnet.mask.sum()) <= 1.0
    facing = normals(small.canonical, small)[..., 2] * small.region("face")
    assert (np.asarray(facing)[np.asarray(small.mask) > 0.5] > -0.2).mean() > 0.95
