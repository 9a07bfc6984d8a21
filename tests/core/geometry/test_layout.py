from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.errors import AssetError, InputError
from uvface.core.geometry import layout as layout_module
from uvface.core.geometry.layout import UVLayout, load_layout, save_layout

ONE_SIDED = ("brows", "cheeks", "ears", "eyeballs", "eyes", "lids_upper")
REGIONS = {
    *("brows", "cheeks", "chin", "ears", "eyeballs", "eyes", "face", "forehead", "jaw", "lips"),
    *("lids_upper", "lips_lower", "lips_upper", "mouth_interior", "neck", "nose", "rigid"),
    *("scalp", "skin"),
    *(f"{name}_{side}" for name in ONE_SIDED for side in ("left", "right")),
}


@pytest.fixture(scope="module")
def layout() -> UVLayout:
    return load_layout("uvface")


def at_landmarks(layout: UVLayout, region: str) -> np.ndarray:
    column, row = np.floor(np.asarray(layout.landmark_uv) * layout.size).astype(int).T
    return np.asarray(layout.region(region))[row, column]


def test_it_has_all_regions(layout: UVLayout) -> None:
    assert set(layout.regions) == REGIONS
    for name, region in layout.regions.items():
        values = np.asarray(region)
        assert values.min() >= 0 and 0.9 < values.max() <= 1, name
        assert (values[np.asarray(layout.mask) == 0] == 0).all(), name


def test_regions_mirror(layout: UVLayout) -> None:
    for name in REGIONS:
        other = name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
        mirrored = np.asarray(layout.region(other))[:, ::-1]
        np.testing.assert_array_equal(layout.region(name), mirrored, err_msg=name)


def test_left_is_the_subjects_left(layout: UVLayout) -> None:
    assert float(layout.region("eyes_left")[:, :128].max()) == 0
    assert (at_landmarks(layout, "eyes_left")[42:48] > 0.4).all()  # iBUG 43-48: left eye
    x = np.asarray(layout.canonical)[..., 0]
    assert x[np.asarray(layout.region("eyes_left")) > 0.5].min() > 0


@pytest.mark.parametrize(
    ("region", "landmarks"),
    [
        ("brows", range(17, 27)),
        ("nose", range(27, 36)),
        ("eyes", range(36, 48)),
        ("lips", range(61, 64)),
        ("lips", range(65, 68)),
        ("chin", range(8, 9)),
        ("jaw", range(3, 14)),
        ("face", range(17, 68)),
        ("face", range(1, 16)),
    ],
)
def test_landmarks_lie_in_their_regions(layout: UVLayout, region: str, landmarks: range) -> None:
    assert (at_landmarks(layout, region)[list(landmarks)] > 0.4).all()


def test_parts_of_the_face_do_not_overlap(layout: UVLayout) -> None:
    apart = ("brows", "eyes", "nose", "lips", "mouth_interior", "chin", "ears", "neck", "scalp")
    total = sum(np.asarray(layout.region(name)) for name in apart)
    assert total.max() < 1.15
    parts = sum(np.asarray(layout.region(name)) for name in ("face", "ears", "neck", "scalp"))
    inside = np.asarray(layout.mask) > 0
    np.testing.assert_allclose(parts[inside], 1, atol=0.3)


def test_upper_lids_lie_between_eyeballs_and_brows_and_fade(layout: UVLayout) -> None:
    lids, eyeballs, brows = (
        np.asarray(layout.region(name)) for name in ("lids_upper", "eyeballs", "brows")
    )
    assert lids[eyeballs > 0.9].max() < 0.1 and lids[brows > 0.9].max() < 0.1
    column = round(float(layout.landmark_uv[43:45, 0].mean()) * layout.size)
    edge = int(np.argmax(eyeballs[:, column] > 0.5))  # the first row of the eye below its lid
    brow = edge - int(np.argmax(brows[edge::-1, column] > 0.5))  # the last of the brow above
    assert edge - brow > 8
    going_up = lids[edge - 4 : brow + 1 : -1, column]
    assert going_up[0] > 0.95 and going_up[-1] < 0.15
    steps = np.diff(going_up)
    assert -0.2 < steps.min() and steps.max() < 0.02
    below = edge + int(np.argmin(eyeballs[edge:, column] > 0.1))
    assert lids[below:, column].max() == 0.0


def test_triangles_face_outwards(layout: UVLayout) -> None:
    corners = np.asarray(layout.canonical).reshape(-1, 3)[np.asarray(layout.triangles)]
    sides = corners[:, 1:] - corners[:, :1]
    area = sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]
    front = corners[..., 2].min(axis=1) > 8
    assert (area[front] < 0).mean() > 0.95
    assert np.asarray(layout.mask).ravel()[np.asarray(layout.triangles)].all()


def test_mirror_is_exact_and_its_own_inverse(layout: UVLayout) -> None:
    flip = jnp.array([-1.0, 1.0, 1.0])
    np.testing.assert_array_equal(layout.mirror(layout.canonical) * flip, layout.canonical)
    mirror = np.asarray(layout.mirror_texel)
    np.testing.assert_array_equal(mirror[mirror], np.arange(layout.size**2))
    np.testing.assert_allclose(
        layout.landmark_uv[8], [0.5, float(layout.landmark_uv[8, 1])], atol=1e-6
    )


def test_texel_weights_emphasise_the_features(layout: UVLayout) -> None:
    weights, inside = np.asarray(layout.texel_weights), np.asarray(layout.mask) > 0
    assert abs(weights[inside].mean() - 1) < 1e-4 and (weights[~inside] == 0).all()
    order = [weights[np.asarray(layout.region(n)) > 0.99].mean() for n in ("neck", "face", "nose")]
    assert order == sorted(order)
    column, row = np.floor(np.asarray(layout.landmark_uv) * layout.size).astype(int).T
    assert weights[row, column].min() > 3 * np.median(weights[inside])


def test_mesh_has_texels_as_vertices(layout: UVLayout) -> None:
    mesh = layout.mesh(layout.canonical, layout.canonical)
    assert mesh.vertices.shape == (256 * 256, 3)
    np.testing.assert_allclose(mesh.uv[257], [1.5 / 256, 1.5 / 256])


def test_saving_keeps_the_layout(layout: UVLayout, tmp_path: Path) -> None:
    save_layout(tmp_path / "copy.npz", layout)
    copy = layout_module._read_layout(tmp_path / "copy.npz")
    assert copy.digest == layout.digest and copy.name == "uvface"
    np.testing.assert_array_equal(copy.canonical, layout.canonical)
    np.testing.assert_array_equal(copy.region("lips"), layout.region("lips"))


def test_errors_say_what_to_do(layout: UVLayout, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown region 'teeth'"):
        layout.region("teeth")
    with pytest.raises(AssetError, match=r"no UV layout uvface_77\.npz"):
        load_layout("uvface", size=77)
    (tmp_path / "bad.npz").write_bytes(b"not a layout")
    with pytest.raises(AssetError, match="cannot read the UV layout"):
        layout_module._read_layout(tmp_path / "bad.npz")


def test_canonical_landmarks_lie_where_their_texels_do(layout: UVLayout) -> None:
    points = np.asarray(layout.landmarks())
    assert points.shape == (68, 3)
    column, row = np.floor(np.asarray(layout.landmark_uv) * layout.size).astype(int).T
    nearest = np.asarray(layout.canonical)[row, column]
    assert np.linalg.norm(points - nearest, axis=1).max() < 0.2  # cm
    np.testing.assert_array_equal(points[:17, 1].argmax(), 8)  # the chin is the lowest of the jaw


def test_the_digest_is_that_of_mask_triangles_and_landmarks(layout: UVLayout) -> None:
    arrays = layout_module.pack_layout(layout)
    for name in arrays:
        if name not in ("header", "region_masks"):
            digest = layout_module.layout_digest(arrays | {name: arrays[name][::-1]})
            is_defining = name in ("mask", "triangles", "landmark_uv")
            assert (digest != layout.digest) == is_defining, name
