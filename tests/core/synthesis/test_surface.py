import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from uvface.core.errors import AssetError
from uvface.core.synthesis.head import HeadModel, canonical_from_ict, head_vertices
from uvface.core.synthesis.surface import (
    FaceSurface,
    TexelBinding,
    bind_texels,
    landmark_points,
    load_surface,
    position_map,
    surface_vertices,
)

SKIN, LEFT, RIGHT, MEMBRANE = range(4)
HEAD_VERTICES = 26719
vertices_of = jax.jit(surface_vertices)


@pytest.fixture(scope="module")
def surface() -> FaceSurface:
    return load_surface()


@pytest.fixture(scope="module")
def binding(surface: FaceSurface) -> TexelBinding:
    return bind_texels(surface, 256)


def signed_areas(plane: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    corners = plane[triangles].astype(np.float64)
    return np.linalg.det(corners[:, 1:] - corners[:, :1])


def some_head(head: HeadModel, seed: int) -> jax.Array:
    """A random person with a random expression; seed 0 is the neutral head."""
    rng = np.random.default_rng(seed)
    identity = rng.normal(size=100) * 0.8 * (seed > 0)
    expression = np.clip(rng.uniform(-1, 0.6, 57), 0, 1) * (seed > 0)
    return jax.jit(head_vertices)(
        head, jnp.asarray(identity, dtype=jnp.float32), jnp.asarray(expression, dtype=jnp.float32)
    )


def test_surface_is_a_disk(surface: FaceSurface) -> None:
    triangles = np.asarray(surface.triangles)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges)  # consistently oriented manifold
    undirected = np.unique(np.sort(edges, axis=1), axis=0)
    assert len(surface.uv) - len(undirected) + len(triangles) == 1
    assert 2 * len(undirected) - len(edges) > 0


def test_no_uv_triangle_folds_over(surface: FaceSurface) -> None:
    # v points down, so that counter-clockwise from outside is negative.
    areas = signed_areas(np.asarray(surface.uv), np.asarray(surface.triangles))
    assert areas.max() < 0
    half = np.abs(areas).sum() / 2
    assert 0.9 < half < 1.0  # the domain nearly fills the square


def test_surface_mirrors_exactly(surface: FaceSurface) -> None:
    mirror, uv = np.asarray(surface.mirror), np.asarray(surface.uv)
    np.testing.assert_array_equal(mirror[mirror], np.arange(len(uv)))
    np.testing.assert_array_equal(uv[mirror], np.stack([1 - uv[:, 0], uv[:, 1]], axis=1))
    np.testing.assert_array_equal(
        np.asarray(surface.label)[mirror], np.array([SKIN, RIGHT, LEFT, MEMBRANE])[surface.label]
    )
    flipped = {tuple(sorted(t)) for t in mirror[np.asarray(surface.triangles)].tolist()}
    assert flipped == {tuple(sorted(t)) for t in np.asarray(surface.triangles).tolist()}


def test_openings_are_open(surface: FaceSurface) -> None:
    uv, label = np.asarray(surface.uv), np.asarray(surface.label)
    touched = np.asarray(surface.triangles)
    for which, width, height in ((LEFT, 24, 10), (RIGHT, 24, 10), (MEMBRANE, 30, 6)):
        patch = touched[(label[touched] == which).any(axis=1)]
        extent = np.ptp(uv[np.unique(patch)], axis=0) * 256
        assert extent[0] >= width and extent[1] >= height


def test_every_texel_has_a_position(surface: FaceSurface, binding: TexelBinding) -> None:
    weights = np.asarray(binding.barycentric)
    assert weights.min() >= -1e-6
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)
    inside = np.asarray(binding.mask) > 0
    centres = (np.indices((256, 256))[::-1].transpose(1, 2, 0) + 0.5) / 256
    reached = np.asarray(position_map(binding, surface.uv))
    np.testing.assert_allclose(reached[inside], centres[inside], atol=1e-5)
    # Outside, the nearest point of the rim: at most the corner's distance away.
    assert np.linalg.norm(reached - centres, axis=-1).max() < 0.11


def test_binding_mirrors_exactly(surface: FaceSurface, binding: TexelBinding) -> None:
    x = jnp.asarray(np.random.default_rng(0).normal(size=(len(surface.uv), 1)), dtype=jnp.float32)
    symmetric = position_map(binding, x + x[surface.mirror])
    np.testing.assert_array_equal(symmetric, symmetric[:, ::-1])


def test_surface_follows_rotation_and_scale(surface: FaceSurface) -> None:
    rng = np.random.default_rng(1)
    vertices = rng.normal(size=(HEAD_VERTICES, 3))
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    moved = 3 * vertices @ rotation.T + [5, 6, 7]
    plain = np.asarray(vertices_of(surface, jnp.asarray(vertices, dtype=jnp.float32)))
    result = vertices_of(surface, jnp.asarray(moved, dtype=jnp.float32))
    np.testing.assert_allclose(result, 3 * plain @ rotation.T + [5, 6, 7], atol=2e-3)


def test_jit_and_vmap_agree_with_plain(surface: FaceSurface, binding: TexelBinding) -> None:
    rng = np.random.default_rng(2)
    heads = jnp.asarray(rng.normal(size=(2, HEAD_VERTICES, 3)), dtype=jnp.float32)

    def make(vertices: jax.Array) -> jax.Array:
        return position_map(binding, surface_vertices(surface, vertices))

    batched = jax.jit(jax.vmap(make))(heads)
    np.testing.assert_allclose(batched[1], jax.jit(make)(heads[1]), atol=1e-5)


def test_missing_surface_is_an_asset_error(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="cannot read the face surface"):
        load_surface(tmp_path / "nothing.npz")


def test_landmarks_are_head_vertices(
    surface: FaceSurface, head: HeadModel, shared_data: Path
) -> None:
    file = shared_data / "face_model" / "landmarks68_300wlp.json"
    vertices = np.array(json.loads(file.read_text())["vertices"])
    some = some_head(head, 3)
    points = landmark_points(surface, vertices_of(surface, some))
    np.testing.assert_allclose(points, some[vertices], atol=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_round_trip_through_the_map(
    surface: FaceSurface, binding: TexelBinding, head: HeadModel, seed: int
) -> None:
    points = np.asarray(vertices_of(surface, some_head(head, seed)))
    maps = np.asarray(position_map(binding, jnp.asarray(points)))
    at = np.asarray(surface.uv)[:, ::-1].T * 256 - 0.5
    read = np.stack([map_coordinates(maps[..., c], at, order=1) for c in range(3)], axis=1)
    error = np.linalg.norm(read - points, axis=1)
    landmarks = np.asarray(surface.landmarks)
    face_width = np.ptp(points[landmarks[:17], 0])
    assert error.mean() <= 0.0015 * face_width
    assert error[landmarks].mean() <= 0.001 * face_width
    assert error[landmarks].max() <= 0.004 * face_width
    assert np.percentile(error, 99) <= 0.012 * face_width  # inside ears and nostrils


@pytest.mark.parametrize("expression", ["eyeBlink_L", "eyeLookUp_L", "eyeLookOut_L", "eyeWide_L"])
def test_eye_patch_lies_on_the_eyeball(
    surface: FaceSurface, head: HeadModel, expression: str
) -> None:
    weights = jnp.zeros(57).at[head.expression_index(expression)].set(1.0)
    vertices = jax.jit(head_vertices)(head, jnp.zeros(100), weights)
    patch = np.asarray(vertices_of(surface, vertices))[surface.eyeball_vertices[0]]
    sclera = np.asarray(vertices)[head.part_vertices("sclera_left")]
    gap = np.linalg.norm(patch[:, None] - sclera, axis=-1).min(axis=1)
    assert gap.mean() < 0.12 and gap.max() < 0.25  # cm; its vertices are about 0.2 apart


def test_front_faces_the_camera(
    surface: FaceSurface, binding: TexelBinding, head: HeadModel
) -> None:
    points = np.asarray(canonical_from_ict(vertices_of(surface, head.neutral)))
    triangles = np.asarray(surface.triangles)
    area = signed_areas(points[:, :2], triangles)
    ahead = points[triangles][:, :, 2].min(axis=1) > 8
    assert (area[ahead] < 0).mean() > 0.9  # the rest lies inside nostrils and lips
