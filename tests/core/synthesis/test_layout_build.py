from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.core.synthesis import build_layout as build
from uvface.core.synthesis.head import HeadModel
from uvface.core.synthesis.parameterise import flatten_disk, jacobians, superellipse, tutte
from uvface.core.synthesis.patches import boundary_loops
from uvface.core.synthesis.surface import load_surface


def hemisphere(rings: int = 6, sectors: int = 16) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points, triangles (counter-clockwise from outside) and the boundary loop."""
    turn = np.arange(sectors) * 2 * np.pi / sectors
    points, triangles = [np.array([[0.0, 0.0, 1.0]])], []
    for ring in range(1, rings + 1):
        slope = ring / rings * np.pi / 2
        circle = [np.cos(turn) * np.sin(slope), np.sin(turn) * np.sin(slope)]
        points.append(np.stack([*circle, np.full(sectors, np.cos(slope))], axis=1))
    for k in range(sectors):
        following = (k + 1) % sectors
        triangles.append([0, 1 + k, 1 + following])
        for ring in range(rings - 1):
            a, b = 1 + ring * sectors + k, 1 + ring * sectors + following
            triangles += [[a, a + sectors, b + sectors], [a, b + sectors, b]]
    return (
        np.concatenate(points),
        np.array(triangles),
        1 + (rings - 1) * sectors + np.arange(sectors),
    )


def test_flattening_lowers_the_energy_and_never_folds() -> None:
    points, triangles, boundary = hemisphere()
    angle = np.arange(len(boundary)) * 2 * np.pi / len(boundary)
    rim = superellipse(angle, half_width=0.5, exponent=4.0)
    start = tutte(triangles, boundary, rim)
    rest = build._target_shapes(points, triangles, np.ones(len(points)))
    rest *= np.sqrt(build._area(start[triangles]).sum() / build._area(rest).sum())

    def energy(plane: np.ndarray) -> float:
        jacobian = jacobians(rest, triangles, plane)
        determinant = np.linalg.det(jacobian)
        assert (determinant > 0).all()
        squared = (jacobian**2).sum(axis=(1, 2))
        return float((build._area(rest) * squared * (1 + determinant**-2)).sum())

    flat = flatten_disk(rest, triangles, boundary, start, iterations=10)
    assert energy(flat) < 0.9 * energy(start)
    np.testing.assert_array_equal(flat[boundary], rim)


def test_jacobian_of_a_known_map() -> None:
    rest = np.array([[[0.0, 0.0], [2.0, 0.0], [1.0, 3.0]]])
    linear = np.array([[1.0, 0.5], [-0.2, 2.0]])
    plane = rest[0] @ linear.T + 7
    np.testing.assert_allclose(jacobians(rest, np.array([[0, 1, 2]]), plane)[0], linear)


def test_superellipse_is_strictly_convex_and_inside_the_square() -> None:
    points = superellipse(np.linspace(0, 2 * np.pi, 201)[:-1], half_width=0.494, exponent=4.5)
    assert np.abs(points).max() <= 0.494
    first, second = np.roll(points, -1, axis=0) - points, np.roll(points, -2, axis=0) - points
    assert (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).min() > 0


@pytest.mark.parametrize("size", [8, 9])
def test_grid_triangles_tile_the_mask(size: int) -> None:
    mask = np.ones((size, size))
    mask[0, 0] = mask[0, -1] = 0
    triangles = build.grid_triangles(mask)
    row, column = np.divmod(triangles, size)
    du, dv = np.diff(column, axis=1), np.diff(row, axis=1)
    area = du[:, 0] * (dv[:, 0] + dv[:, 1]) - dv[:, 0] * (du[:, 0] + du[:, 1])
    assert (area == -1).all()  # v points down: counter-clockwise from outside
    assert len(triangles) == 2 * (size - 1) ** 2 - 2  # a cell without a corner keeps one
    assert mask.ravel()[triangles].all()


def test_grid_diagonals_mirror() -> None:
    size = 9  # an even number of cells, so that none lies on the midline
    triangles = build.grid_triangles(np.ones((size, size)))
    row, column = np.divmod(triangles, size)
    flipped = {tuple(sorted(t)) for t in (row * size + size - 1 - column).tolist()}
    assert flipped == {tuple(sorted(t)) for t in triangles.tolist()}


def test_boundary_loops_follow_the_faces() -> None:
    loops = boundary_loops(np.array([[0, 1, 2, 3], [1, 4, 5, 2]]))
    assert loops == [[0, 1, 4, 5, 2, 3]]


def test_odd_sizes_are_refused(head: HeadModel) -> None:
    with pytest.raises(InputError, match="even number"):
        build.build_layout(head, load_surface(), 129)


def test_shipped_layout_is_the_built_one(head: HeadModel) -> None:
    built, shipped = build.build_layout(head, load_surface(), 256), load_layout("uvface")
    assert built.digest == shipped.digest
    np.testing.assert_allclose(built.canonical, shipped.canonical, atol=1e-5)
    np.testing.assert_allclose(built.texel_weights, shipped.texel_weights, atol=1e-3)
    for name, region in shipped.regions.items():
        np.testing.assert_allclose(built.regions[name], region, atol=0.01, err_msg=name)


def test_other_sizes_agree_with_the_shipped_one(head: HeadModel) -> None:
    small, shipped = build.build_layout(head, load_surface(), 128), load_layout("uvface")
    np.testing.assert_array_equal(small.landmark_uv, shipped.landmark_uv)
    assert abs(float(small.mask.mean() - shipped.mask.mean())) < 0.01
    for name in ("lips", "eyes_left", "brows", "nose", "neck"):
        ours, theirs = small.regions[name].mean(), shipped.regions[name].mean()
        assert abs(float(ours / theirs) - 1) < 0.06, name


def test_surface_is_rebuilt_from_the_model(
    head: HeadModel, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "SLIM_STEPS", 1)  # the full flattening takes 15 s
    model = shared_data / "face_model"
    landmarks = model / "landmarks68_300wlp.json"
    build.main(
        ["--model", str(model), "--landmarks", str(landmarks), "--size", "64", "-o", str(tmp_path)]
    )
    rebuilt, shipped = load_surface(tmp_path / "uvface_surface.npz"), load_surface()
    for name in ("ends", "triangles", "mirror", "label", "landmarks", "eyeball_equator"):
        np.testing.assert_array_equal(getattr(rebuilt, name), getattr(shipped, name), err_msg=name)
    corners = np.asarray(rebuilt.uv, np.float64)[np.asarray(rebuilt.triangles)]
    assert np.linalg.det(corners[:, 1:] - corners[:, :1]).max() < 0
    assert (tmp_path / "uvface_64.npz").is_file()


def test_landmarks_off_the_surface_are_refused(head: HeadModel) -> None:
    nape = int(jnp.argmin(head.neutral[9409:11248, 2])) + 9409
    landmarks = np.asarray(load_surface().ends)[np.asarray(load_surface().landmarks), 0].copy()
    landmarks[5] = nape
    with pytest.raises(InputError, match=r"landmarks \[5\]"):
        build.landmark_vertices(build.build_mesh(head), landmarks)


def test_layout_is_a_pytree() -> None:
    layout = load_layout("uvface")
    doubled = jax.tree.map(lambda array: array, layout)
    assert doubled.digest == layout.digest and doubled.size == 256
