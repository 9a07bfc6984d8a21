import dataclasses
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import skimage.data
import trimesh
from mean_faces import mean_face
from PIL import Image, ImageCms
from scipy.io import loadmat

from uvface.core.drawing.layers import depth_map
from uvface.core.drawing.overlay import PANEL
from uvface.core.errors import InputError
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.layout import UVLayout
from uvface.core.geometry.sampling import sample_bilinear, sample_texture
from uvface.core.io import results
from uvface.core.io.exports import canonical_map, frontal_map
from uvface.core.io.images import Photo
from uvface.core.io.results import ENDINGS, OUTPUTS, write_results
from uvface.core.io.textures import photo_texture
from uvface.core.types import Face

PHOTO = Photo(image=skimage.data.astronaut().astype(np.float32) / 255)
NAME = Path("some folder/as tro.naut.jpg")


def make_face(layout: UVLayout, x: float, *, scale: float = 7.0) -> Face:
    """Return the mean face, turned a little, with its origin at (x, 240) in the astronaut."""
    face = mean_face(layout, centre=(x, 240.0), scale=scale)
    seen = sample_texture(jnp.asarray(PHOTO.image), face.position_map)
    return dataclasses.replace(face, texture=seen)


@pytest.fixture(scope="module")
def face(layout) -> Face:
    # large enough for a window of 512 pixels, which the overlay's panels compile too
    return make_face(layout, 226.0, scale=14.0)


@pytest.fixture(scope="module")
def written(tmp_path_factory, face, layout) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("results")
    save = list(OUTPUTS)
    record = write_results(folder, NAME, PHOTO, [face], layout, save=save, weights="w")
    return folder, record


def test_json_file_keeps_the_contract(written, face):
    folder, record = written
    content = json.loads((folder / "as tro.naut.json").read_text())
    assert content == record
    of_photo = ["image", "path", "width", "height"]
    assert list(content) == [*of_photo, "weights", "options", "sizes", "faces"]
    files = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert content["sizes"] | {"as tro.naut.json": files["as tro.naut.json"]} == files
    assert (content["image"], content["width"], content["height"]) == (str(NAME), 512, 512)
    (entry,) = content["faces"]
    assert {"box", "score", "landmarks", "pose", "camera_matrix"} <= set(entry)
    assert {"visible_fraction", "warnings", "files"} <= set(entry)
    assert entry["confidence"] == 1.0
    assert set(entry["pose"]) == {"yaw", "pitch", "roll", "scale", "translation"}
    angles = [entry["pose"][name] for name in ("yaw", "pitch", "roll")]
    np.testing.assert_allclose(angles, [20, -5, 8], atol=0.01)
    assert np.shape(entry["camera_matrix"]) == (3, 4)
    np.testing.assert_allclose(entry["landmarks"], face.landmarks, atol=1e-3)
    assert entry["visible_fraction"] == 1.0 and entry["warnings"] == []


def test_every_file_that_is_named_is_there_and_no_other(written):
    folder, record = written
    named = set(record["faces"][0]["files"].values())
    assert all(name.startswith("as tro.naut") for name in named)
    endings = (".json", ".mtl", "_frontal.mtl", "_canonical.mtl")
    unnamed = {f"as tro.naut{ending}" for ending in endings}
    assert named | unnamed == {p.name for p in folder.iterdir()}


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_can_be_had_alone(tmp_path, face, layout, name):
    """PRNet's ``--isDepth`` alone crashes: it needs what another option computes."""
    record = write_results(tmp_path, NAME, PHOTO, [face], layout, save=[name], weights="w")
    named = set(record["faces"][0]["files"].values())
    assert named and all((tmp_path / file).stat().st_size for file in named)


def test_landmark_file_has_68_rows(written, face):
    folder, record = written
    rows = np.loadtxt(folder / record["faces"][0]["files"]["landmarks"])
    np.testing.assert_allclose(rows, face.landmarks, atol=1e-3)


def test_depth_png_agrees_with_arrays_and_landmarks(written, face):
    folder, record = written
    entry = record["faces"][0]
    with Image.open(folder / entry["files"]["depth"]) as picture:
        values, named = np.asarray(picture), json.loads(picture.info["depth"])
    assert values.dtype == np.uint16 and named == entry["depth"]
    stored = np.load(folder / entry["files"]["depth_npz"])
    depth, valid = stored["depth"], stored["valid"]
    np.testing.assert_array_equal(values > 0, valid)
    decoded = named["offset"] + named["scale"] * values[valid]
    np.testing.assert_allclose(decoded, depth[valid], atol=named["scale"])
    x, y, z = np.asarray(face.landmarks)[30]  # tip of the nose: nothing hides it
    np.testing.assert_allclose(depth[round(float(y)), round(float(x))], z, atol=2)


def test_meshes_lie_over_the_photo(written, face, layout):
    folder, record = written
    expected = np.asarray(face.position_map)[np.asarray(layout.mask) > 0.5]
    expected[:, 1] = 511 - expected[:, 1]
    for kind in ("obj", "glb", "ply"):
        mesh = trimesh.load(folder / record["faces"][0]["files"][kind], process=False, force="mesh")
        np.testing.assert_allclose(mesh.bounds[0], expected.min(axis=0), atol=0.01)
        np.testing.assert_allclose(mesh.bounds[1], expected.max(axis=0), atol=0.01)
        assert len(mesh.faces) == len(layout.triangles)


@pytest.mark.parametrize("suffix", ["obj", "glb"])
def test_loaded_mesh_shows_the_photo_through_its_own_texture(tmp_path, face, layout, suffix):
    """Points of the front-facing triangles: the texture at their uv is the photo where they lie."""
    save = {"save": ["mesh"], "weights": "w", "texture_size": 512}
    record = write_results(tmp_path, NAME, PHOTO, [face], layout, **save)
    mesh = trimesh.load(tmp_path / record["faces"][0]["files"][suffix], process=False, force="mesh")
    rng = np.random.default_rng(0)
    front = np.flatnonzero(mesh.face_normals[:, 2] > 0.5)
    area = mesh.area_faces[front]
    triangles = mesh.faces[rng.choice(front, 20_000, p=area / area.sum())]
    weights = rng.dirichlet(np.ones(3), len(triangles))
    places = np.einsum("nk,nkd->nd", weights, mesh.vertices[triangles])[:, :2]
    places[:, 1] = PHOTO.height - 1 - places[:, 1]
    uv = np.einsum("nk,nkd->nd", weights, mesh.visual.uv[triangles])
    material = mesh.visual.material
    picture = material.image if suffix == "obj" else material.baseColorTexture
    texture = np.asarray(picture.convert("RGB"), np.float32) / 255
    texels = np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1) * texture.shape[0] - 0.5
    shown = sample_bilinear(jnp.asarray(texture), jnp.asarray(texels, jnp.float32))
    true = sample_bilinear(jnp.asarray(PHOTO.image), jnp.asarray(places, jnp.float32))
    assert -10 * np.log10(np.mean((np.asarray(shown) - np.asarray(true)) ** 2)) > 32


def test_position_map_and_pictures(written, face, layout):
    folder, record = written
    files = record["faces"][0]["files"]
    stored = np.load(folder / files["posmap"])
    np.testing.assert_array_equal(stored["position_map"], face.position_map)
    np.testing.assert_array_equal(stored["visibility"], face.visibility)
    assert str(stored["layout_digest"]) == layout.digest
    sizes = {name: Image.open(folder / files[name]) for name in ("overlay", "visibility")}
    assert sizes["overlay"].size == (3 * PANEL, 2 * PANEL)
    assert sizes["visibility"].size == (256, 256) and sizes["visibility"].mode == "L"
    for picture in sizes.values():
        picture.close()


def test_several_faces_are_numbered(tmp_path, layout):
    faces = [make_face(layout, 100.0), make_face(layout, 300.0)]
    options = {"save": ["landmarks"], "weights": "w"}
    record = write_results(tmp_path, NAME, PHOTO, faces, layout, **options)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"as tro.naut.json", "as tro.naut_0_kpt.txt", "as tro.naut_1_kpt.txt"}
    assert record["faces"][1]["files"] == {"landmarks": "as tro.naut_1_kpt.txt"}


def test_no_face_is_an_empty_list(tmp_path, layout):
    record = write_results(tmp_path, NAME, PHOTO, [], layout, save=["mesh"], weights="w")
    assert record["faces"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["as tro.naut.json"]


def test_doubtful_faces_are_warned_of(tmp_path, layout):
    small = make_face(layout, 2.0, scale=1.5)
    doubtful = dataclasses.replace(
        small, score=jnp.asarray(0.4, jnp.float32), confidence=jnp.asarray(0.1, jnp.float32)
    )
    options = {"save": [], "weights": "w"}
    record = write_results(tmp_path, NAME, PHOTO, [doubtful], layout, **options)
    words = " | ".join(record["faces"][0]["warnings"])
    assert "does not look like a face" in words
    assert "pixels wide" in words and "not sure" in words and "outside the photo" in words


def test_unknown_output_is_an_error(tmp_path, layout):
    with pytest.raises(InputError, match="cannot save 'smell'"):
        write_results(tmp_path, NAME, PHOTO, [], layout, save=["smell"], weights="w")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["frontal_obj", "frontal_glb", "canonical_obj", "canonical_glb"])
def test_mesh_without_the_pose_is_the_mean_face_again(written, layout, kind):
    """The photo's face is the mean face seen by a camera; without the pose it is that, in cm."""
    folder, record = written
    mesh = trimesh.load(folder / record["faces"][0]["files"][kind], force="mesh")
    vertices = np.asarray(mesh.vertices)
    used = np.unique(np.asarray(layout.triangles))
    expected = np.asarray(layout.canonical).reshape(-1, 3)[used] * [1, -1, 1]
    low, high = expected.min(axis=0), expected.max(axis=0)
    np.testing.assert_allclose(vertices.min(axis=0), low, atol=0.01)
    np.testing.assert_allclose(vertices.max(axis=0), high, atol=0.01)


def test_turned_meshes_are_not_sheared_and_keep_the_expression(face, layout):
    """PRNet's affine fit shears the face by whatever the mouth does; a similarity cannot."""
    jaw = np.exp(-((layout.canonical[..., 1:2] - 8.0) ** 2) / 8.0) * layout.mask[..., None]
    moved = layout.canonical + jaw * jnp.array([0.8, 1.5, -0.5])  # the chin, down and aside
    spoken = dataclasses.replace(face, position_map=face.camera.project(moved))
    is_face = np.asarray(layout.mask) > 0.5
    photo = np.asarray(spoken.position_map, np.float64)[is_face]
    for found in (frontal_map(spoken, layout), canonical_map(spoken)):
        points = np.asarray(found, np.float64)[is_face]
        ones = np.concatenate([photo, np.ones((len(photo), 1))], axis=1)
        matrix = np.linalg.lstsq(ones, points, rcond=None)[0][:3]
        stretch = np.linalg.svd(matrix)[1]
        np.testing.assert_allclose(stretch, stretch[0], rtol=1e-4)  # neither shear nor squeeze
        assert np.linalg.det(matrix) > 0
    np.testing.assert_allclose(canonical_map(spoken)[is_face], moved[is_face], atol=1e-3)
    # the one that is laid onto the mean face spreads the difference over all of it
    far = [np.abs(m - layout.canonical)[is_face] for m in (frontal_map(spoken, layout), moved)]
    assert (np.asarray(far[0]) ** 2).sum() < (np.asarray(far[1]) ** 2).sum()


def test_photo_is_written_once_as_it_was_read(tmp_path, layout):
    faces = [make_face(layout, 100.0), make_face(layout, 300.0)]
    record = write_results(tmp_path, NAME, PHOTO, faces, layout, save=["photo"], weights="w")
    assert [f["files"]["photo"] for f in record["faces"]] == ["as tro.naut_photo.png"] * 2
    with Image.open(tmp_path / "as tro.naut_photo.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), skimage.data.astronaut())


def test_matlab_file_counts_from_one(written, face):
    folder, record = written
    stored = loadmat(folder / record["faces"][0]["files"]["mat"])
    assert stored["triangles"].min() == 1
    assert stored["triangles"].max() == len(stored["vertices"]) == len(stored["colors"])
    assert len(stored["visibility"]) == len(stored["vertices"])
    np.testing.assert_allclose(stored["landmarks"], face.landmarks, atol=1e-4)
    first = stored["vertices"][stored["triangles"][:, 0] - 1]
    second = stored["vertices"][stored["triangles"][:, 1] - 1]
    assert np.linalg.norm(first - second, axis=1).max() < 60.0  # neighbours, not any two


def test_normals_and_codes_agree_with_the_surface(written, face, layout):
    folder, record = written
    files = record["faces"][0]["files"]
    normals = np.asarray(Image.open(folder / files["normals"])).astype(float) / 255 * 2 - 1
    code = np.asarray(Image.open(folder / files["pncc"])).astype(float) / 255
    valid = np.load(folder / files["depth_npz"])["valid"]
    np.testing.assert_allclose(np.linalg.norm(normals[valid], axis=-1), 1.0, atol=0.05)
    assert (np.asarray(Image.open(folder / files["normals"]))[~valid] == 0).all()
    canonical = np.asarray(layout.canonical)[np.asarray(layout.mask) > 0.5]
    low, high = canonical.min(axis=0), canonical.max(axis=0)
    for k in (30, 36, 54):  # tip of the nose, an eye's and the mouth's corner
        x, y, _ = (round(float(value)) for value in np.asarray(face.landmarks)[k])
        place = np.asarray(read_landmarks(layout.canonical, layout.landmark_uv))[k]
        np.testing.assert_allclose(code[y, x], (place - low) / (high - low), atol=0.03)
    x, y, _ = (round(float(value)) for value in np.asarray(face.landmarks)[30])
    assert normals[y, x, 2] > 0.6


def test_visibility_is_the_mask_of_the_texture_at_its_size(tmp_path, face, layout):
    options = {"save": ["texture", "visibility"], "weights": "w", "texture_size": 600}
    write_results(tmp_path, Path("a.png"), PHOTO, [face], layout, mask_hidden=True, **options)
    texture = np.asarray(Image.open(tmp_path / "a_texture.png"))
    seen = np.asarray(Image.open(tmp_path / "a_visibility.png"))
    np.testing.assert_array_equal(seen, texture[..., 3])
    assert seen.shape == (600, 600)


def test_textures_of_any_size_are_read_from_the_photo(tmp_path, face, layout):
    """The astronaut read at 600 texels, against the photo at the places of those texels."""
    options = {"save": ["texture", "mesh"], "weights": "w", "texture_size": 600}
    write_results(tmp_path, Path("a.png"), PHOTO, [face], layout, **options)
    texture = np.asarray(Image.open(tmp_path / "a_texture.png")).astype(float) / 255
    assert texture.shape == (600, 600, 3)
    row, column = np.array([330, 240, 180]), np.array([300, 241, 372])
    at = (np.stack([column, row], axis=-1) + 0.5) / 600  # u, v
    places = read_landmarks(face.position_map, jnp.asarray(at, jnp.float32))[:, :2]
    expected = np.asarray(sample_bilinear(jnp.asarray(PHOTO.image), places))
    np.testing.assert_allclose(texture[row, column], expected, atol=0.06)
    mesh = trimesh.load(tmp_path / "a.glb", force="mesh")
    assert mesh.visual.material.baseColorTexture.size == (600, 600)
    with pytest.raises(InputError, match="texture size 9999"):
        write_results(tmp_path, NAME, PHOTO, [face], layout, **(options | {"texture_size": 9999}))


@pytest.mark.parametrize(
    ("save", "ending"),
    [("mesh", ""), ("texture", ""), ("frontal", "_frontal"), ("canonical", "_canonical")],
)
def test_pictures_of_the_photo_s_colours_have_its_profile(tmp_path, face, layout, save, ending):
    """That of an OBJ file had none, unless ``texture`` was saved, too: the same name, other hues.

    A GLB has none: glTF forbids readers to heed it, and its validator warns of one.
    """
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = dataclasses.replace(PHOTO, icc=icc)
    write_results(tmp_path, Path("a.png"), photo, [face], layout, save=[save], weights="w")
    with Image.open(tmp_path / f"a{ending}_texture.png") as picture:
        assert picture.info["icc_profile"] == icc
    assert not any(b"iCCP" in path.read_bytes() for path in tmp_path.glob("*.glb"))


def test_the_texture_is_read_for_those_who_need_it_alone(tmp_path, face, layout, monkeypatch):
    """Of a large photo it takes as long as the rest; ``landmarks`` waited for it, too."""
    read = []

    def counted(*arguments):
        read.append(arguments)
        return photo_texture(*arguments)

    monkeypatch.setattr(results, "photo_texture", counted)
    shown = ("mesh", "frontal", "canonical", "texture")
    others = [name for name in OUTPUTS if name not in shown]
    options = {"weights": "w", "mask_hidden": True}
    write_results(tmp_path, NAME, PHOTO, [face], layout, save=others, **options)
    assert read == []
    write_results(tmp_path, NAME, PHOTO, [face], layout, save=shown, **options)
    assert len(read) == 1


def test_small_textures_average_the_photo(face, layout):
    """A chessboard of single pixels is grey from afar; single reads would give any pattern."""
    y, x = np.mgrid[:512, :512]
    board = np.repeat(((x + y) % 2).astype(np.float32)[..., None], 3, axis=2)
    inside = np.asarray(layout.region("cheeks"))[2::4, 2::4] > 0.9
    texture = photo_texture(board, face, 64)[inside]
    assert np.abs(texture - 0.5).mean() < 0.1
    fine = photo_texture(board, face, 1024)
    assert fine[np.asarray(layout.region("cheeks")).repeat(4, 0).repeat(4, 1) > 0.9].std() > 0.2


def test_hidden_texels_are_transparent_and_black_on_meshes(tmp_path, face, layout):
    is_right = (np.arange(layout.size) >= layout.size // 2).astype(np.float32)
    half = dataclasses.replace(face, visibility=layout.mask * jnp.asarray(is_right))
    save = ["texture", "mesh", "ply", "colors"]
    options = {"save": save, "weights": "w", "mask_hidden": True}
    write_results(tmp_path, Path("a.png"), PHOTO, [half], layout, **options)
    picture = np.asarray(Image.open(tmp_path / "a_texture.png"))
    assert picture.shape == (256, 256, 4)
    assert picture[100, :127, 3].max() == 0 and picture[100, 130:200, 3].min() == 255
    assert picture[picture[..., 3] == 0].max() == 0  # whoever passes over alpha sees black
    mesh = trimesh.load(tmp_path / "a.glb", force="mesh")
    on_mesh = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB"))
    assert on_mesh[:, :127].max() == 0 and on_mesh[:, 130:].max() > 100
    used = np.unique(np.asarray(layout.triangles))  # one colour of each
    column, is_inside = used % layout.size, np.asarray(half.visibility).ravel()[used] > 0.99
    ply = np.asarray(trimesh.load(tmp_path / "a.ply").visual.vertex_colors)[:, :3]
    lines = (tmp_path / "a_colors.obj").read_text().splitlines()
    rows = [line for line in lines if line.startswith("v ")]
    for colors in (ply, np.array([line.split()[4:] for line in rows], np.float32)):
        assert colors[column < 127].max() == 0
        assert (colors[(column >= 130) & is_inside] > 0).mean() > 0.9


def test_textures_of_photos_wider_than_opencv_can_remap(layout):
    narrow = np.random.default_rng(0).random((8, 400, 3), dtype=np.float32)
    wide = np.zeros((8, 40_000, 3), np.float32)
    wide[:, 39_000:39_400] = narrow
    expected = photo_texture(narrow, make_face(layout, 200.0), 64)
    found = photo_texture(wide, make_face(layout, 39_200.0), 64)
    assert np.abs(found - expected).mean() < 0.01  # float32 places differ in 1/256 px


def test_names_of_all_files_are_known_beforehand(written):
    folder, _ = written
    endings = {ending for name in OUTPUTS for ending in ENDINGS[name]}
    names = {f"as tro.naut{ending}" for ending in endings | {".json"}}
    assert names == {path.name for path in folder.iterdir()}


def test_a_face_far_to_the_right_of_a_panorama_has_its_depth(layout):
    near = make_face(layout, 226.0)
    far = dataclasses.replace(near, position_map=near.position_map + jnp.array([2e4, 0.0, 0.0]))
    expected, is_drawn = depth_map(near, layout, height=512, width=512)
    depth, coverage = depth_map(far, layout, height=512, width=20_512)
    assert not coverage[:, :20_000].any()
    # float32 resolves 1/512 pixel there: a few pixels at outlines may change
    same = coverage[:, 20_000:] == is_drawn
    assert is_drawn.sum() > 10_000 and same.mean() > 0.999
    np.testing.assert_allclose(depth[:, 20_000:][same], expected[same], atol=0.1)
