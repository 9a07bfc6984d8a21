"""Toy faces, turned: the picture at no turn is the photo, and the labels are the turned mesh."""

import dataclasses
from pathlib import Path

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy_faces

from uvface.core.errors import InputError
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.pose import angles_from_rotation, rotation_from_angles
from uvface.core.geometry.render import rasterize_layout
from uvface.core.geometry.sampling import sample_bilinear
from uvface.core.geometry.visibility import visibility
from uvface.core.io.images import write_image
from uvface.core.synthesis import photo_faces
from uvface.core.synthesis.fitting import Fits
from uvface.core.synthesis.labels import visibility_maps
from uvface.core.synthesis.photo_faces import KnownFace, TurnedPhotos, find_known_faces, random_turn
from uvface.core.synthesis.photo_skins import held_out
from uvface.core.synthesis.pool import encode_jpeg
from uvface.core.synthesis.profiling import (
    STAGE_SIZE,
    Turned,
    _resampled,
    prepare_face,
    turn_face,
)
from uvface.core.types import Camera


class _Reader:
    """Reads no faces."""

    layout = toy_faces.layout()
    weights_sha256 = ""

    def reconstruct(self, photo, *, boxes=None, faces="all"):
        return []


@pytest.fixture(scope="module")
def toy():
    return toy_faces.toy_photo(3)


@pytest.fixture(scope="module")
def prepared(toy):
    image, face = toy
    layout = toy_faces.layout()
    bare = np.ones((layout.size, layout.size), np.float32)
    return prepare_face(
        np.asarray(image, np.float32),
        np.asarray(face.position_map),
        bare,
        layout,
        rotation=np.asarray(face.camera.rotation),
        scale=float(face.camera.scale),
    )


def _turned(prepared, yaw, pitch=0.0):
    return turn_face(prepared, rotation_from_angles(yaw, pitch, 0.0), toy_faces.layout())


def test_no_turn_leaves_the_face_as_the_photo_has_it(toy, prepared):
    image, face = toy
    found = _turned(prepared, 0.0)
    before, after = np.asarray(face.position_map), np.asarray(found.position_map)
    zoom = np.ptp(after[..., 0]) / np.ptp(before[..., 0])
    shift = after[..., :2].mean(axis=(0, 1)) - zoom * before[..., :2].mean(axis=(0, 1))
    np.testing.assert_allclose(after[..., :2], zoom * before[..., :2] + shift, atol=0.02)
    pixels = np.stack(np.meshgrid(np.arange(320.0), np.arange(320.0)), axis=-1)
    expected = np.asarray(
        sample_bilinear(jnp.asarray(image), jnp.asarray((pixels - shift) / zoom, jnp.float32))
    )
    # Well inside: the toy face ends in an edge against its backdrop.
    middle = after[..., :2][np.asarray(toy_faces.layout().mask) > 0.5].mean(axis=0)
    inside = np.linalg.norm(pixels - middle, axis=-1) < 55
    assert (np.asarray(found.head_mask)[inside] > 0.999).all()
    error = ((np.asarray(found.image) - expected)[inside] ** 2).mean()
    assert 10 * np.log10(1 / error) > 36


def test_what_the_photo_does_not_show_is_labelled_hidden(prepared):
    """Colours beyond a photo's border are made up; they were to be labelled as seen skin."""
    layout = toy_faces.layout()
    left = np.broadcast_to(np.arange(layout.size) < layout.size // 2, layout.mask.shape)
    cut = dataclasses.replace(prepared, inside=jnp.asarray(~left, jnp.float32))
    found = _turned(cut, 0.0)
    mask = np.round(255 * np.asarray(found.head_mask)).astype(np.uint8)
    seen = np.asarray(visibility_maps(found.position_map[None], mask[None], layout))[0]
    assert seen[:, : layout.size // 2 - 3].max() < 0.01
    assert seen[:, layout.size // 2 + 3 :].mean() > 0.3


def test_pictures_lie_on_their_labels(prepared):
    """Pictures that were drawn a quarter of a pixel beside them passed all tests."""
    line = np.arange(STAGE_SIZE, dtype=np.float32)
    places = np.stack(np.meshgrid(line, line), axis=-1) / STAGE_SIZE
    stage = jnp.asarray(np.pad(places, ((0, 0), (0, 0), (0, 1))))  # its colours are places on it
    before = np.asarray(prepared.position_map)[..., :2]
    texels = jnp.asarray(np.pad(before / STAGE_SIZE, ((0, 0), (0, 0), (0, 1))))
    found = _turned(
        dataclasses.replace(prepared, image=stage, around=stage, wall=stage, completed=texels), 0.0
    )
    labels = np.asarray(found.position_map)[..., :2]
    zoom = np.ptp(labels[..., 0]) / np.ptp(before[..., 0])
    shift = labels.mean(axis=(0, 1)) - zoom * before.mean(axis=(0, 1))
    shown = zoom * STAGE_SIZE * np.asarray(found.image)[..., :2] + shift  # picture pixels
    pixels = np.stack(np.meshgrid(np.arange(320.0), np.arange(320.0)), axis=-1)
    for part in (np.asarray(found.head_mask) > 0.999, np.asarray(found.person) < 0.001):
        assert part.sum() > 5000
        np.testing.assert_allclose(shown[part], pixels[part], atol=0.05)


@pytest.mark.parametrize(("yaw", "pitch"), [(35.0, 0.0), (-60.0, 15.0)])
def test_labels_are_the_turned_mesh(toy, prepared, yaw, pitch):
    _, face = toy
    layout = toy_faces.layout()
    found = _turned(prepared, yaw, pitch)
    turn = np.asarray(rotation_from_angles(yaw, pitch, 0.0))
    rigid = np.asarray(prepared.position_map) @ turn.T
    after = np.asarray(found.position_map)
    zoom = np.ptp(after[..., 1]) / np.ptp(rigid[..., 1])
    rest = after - zoom * rigid
    np.testing.assert_allclose(rest, np.broadcast_to(rest[0, 0], rest.shape), atol=0.02)
    mask = np.asarray(layout.mask)
    assert abs(np.average(after[..., 2], weights=mask)) < 0.05
    np.testing.assert_allclose(
        found.landmarks, read_landmarks(found.position_map, layout.landmark_uv), atol=1e-2
    )
    expected = angles_from_rotation(jnp.asarray(turn) @ face.camera.rotation)
    np.testing.assert_allclose(found.angles, np.stack(expected), atol=0.01)
    low, high = np.asarray(found.landmarks)[:, :2].min(0), np.asarray(found.landmarks)[:, :2].max(0)
    assert (high - low).mean() == pytest.approx(160.0, rel=1e-3)


def test_seen_texels_lie_on_the_drawn_face_and_keep_their_colour(toy, prepared):
    _, face = toy
    layout = toy_faces.layout()
    found = _turned(prepared, 30.0)
    seen = np.asarray(jax.jit(visibility)(found.position_map, layout)) > 0.95
    seen &= np.asarray(prepared.trust) > 0.99
    place = np.round(np.asarray(found.position_map)[seen][:, :2]).astype(int)
    assert len(place) > 200
    covered = np.asarray(found.head_mask) > 0.5
    grown = cv2.dilate(covered.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    # At the very outline the mesh around the face may win the depth test.
    assert grown[place[:, 1], place[:, 0]].mean() > 0.98
    seen[seen] = covered[place[:, 1], place[:, 0]]
    place = np.round(np.asarray(found.position_map)[seen][:, :2]).astype(int)
    drawn = np.asarray(found.image)[place[:, 1], place[:, 0]]
    assert np.abs(drawn - np.asarray(face.texture)[seen]).mean() < 0.02


@pytest.mark.parametrize("corner", [(700.3, 400.8), (-300.6, -90.2), (1400.0, 900.0)])
@pytest.mark.parametrize("zoom", [0.4, 0.7, 1.3])
def test_a_photo_is_blurred_only_where_its_stage_lies(monkeypatch, corner, zoom):
    """All of it was, and copied: half a second for one of 24 megapixels."""
    noise = np.random.default_rng(0).random((1600, 2400, 3)).astype(np.float32)
    photo = np.clip(4.0 * (cv2.GaussianBlur(noise, (0, 0), 2.0) - 0.5) + 0.5, 0.0, 1.0)
    affine = np.array([[zoom, 0.0, -zoom * corner[0]], [0.0, zoom, -zoom * corner[1]]])
    blur, size, seen = cv2.GaussianBlur, (STAGE_SIZE, STAGE_SIZE), []
    blurred = blur(photo, (0, 0), 0.45 * (zoom**-2 - 1.0) ** 0.5) if zoom < 0.8 else photo
    border = cv2.BORDER_REPLICATE
    expected = cv2.warpAffine(blurred, affine, size, flags=cv2.INTER_CUBIC, borderMode=border)

    def watched(image, *given, **options):
        seen.append(image.shape[:2])
        return blur(image, *given, **options)

    monkeypatch.setattr(cv2, "GaussianBlur", watched)
    found = _resampled(photo, affine, zoom)
    np.testing.assert_allclose(found, np.clip(expected, 0.0, 1.0), atol=1e-4)
    assert len(seen) == (zoom < 0.8)
    assert all(max(shape) <= STAGE_SIZE / zoom + 24 for shape in seen)


def test_nothing_of_the_picture_is_left_empty(prepared):
    found = _turned(prepared, 70.0, -20.0)
    image = np.asarray(found.image)
    assert np.isfinite(image).all() and image.min() >= 0.0 and image.max() <= 1.0
    assert prepared.image.shape == (STAGE_SIZE, STAGE_SIZE, 3)
    assert np.abs(image - np.asarray(_turned(prepared, 0.0).image)).mean() > 0.01


def _before_green():
    """Return a toy face with hair, neck and body around it, before a green wall."""
    image, face = toy_faces.toy_photo(3)
    size = toy_faces.SIZE
    places = np.asarray(face.position_map)[..., :2].reshape(-1, 2)
    low, high = places.min(axis=0), places.max(axis=0)
    center, half = (low + high) / 2, (high - low) / 2
    x, y = np.meshgrid(np.arange(size), np.arange(size))
    offset = (np.stack([x, y], axis=-1) - center) / half
    face_there = np.linalg.norm(offset, axis=-1) < 1.0
    person = np.linalg.norm(offset * [0.8, 0.85], axis=-1) < 1.0
    person |= (np.abs(offset[..., 0]) < 0.55) & (offset[..., 1] > 0.0)
    person |= (np.abs(offset[..., 0]) < 1.3) & (offset[..., 1] > 1.35)
    wall = np.array([0.1, 0.8, 0.2])
    scene = np.where(person[..., None], [0.45, 0.2, 0.12], wall)
    return np.where(face_there[..., None], image, scene).astype(np.float32), face


@pytest.mark.parametrize(("yaw", "pitch"), [(25.0, 0.0), (-20.0, 10.0), (45.0, -10.0), (60.0, 0.0)])
def test_no_wall_shows_inside_a_turned_person(yaw, pitch):
    image, face = _before_green()
    layout = toy_faces.layout()
    found = _turned(
        prepare_face(
            image,
            np.asarray(face.position_map),
            np.ones((layout.size, layout.size), np.float32),
            layout,
            rotation=np.asarray(face.camera.rotation),
            scale=float(face.camera.scale),
        ),
        yaw,
        pitch,
    )
    red, green, _ = np.moveaxis(np.asarray(found.image), -1, 0)
    person = (red > green).astype(np.uint8)
    outlines, _ = cv2.findContours(person, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(person), outlines, -1, 1, cv2.FILLED)
    inner = cv2.erode(filled, np.ones((9, 9), np.uint8)) > 0
    around = inner & (np.asarray(found.head_mask) < 0.02)
    assert around.sum() > 0.05 * inner.size
    # A seam of the wall's colour ran around hair and neck, and gaps tore between face and neck.
    assert not (green > red + 0.02)[around].any()


def test_turns_stay_in_range_and_never_show_the_unseen_side():
    random = np.random.default_rng(0)
    for yaw in (0.0, 40.0, -70.0, 100.0):
        rotation = np.asarray(rotation_from_angles(yaw, 5.0, 0.0))
        after = []
        for _ in range(30):
            turn = random_turn(random, rotation)
            assert np.degrees(np.arccos((np.trace(turn) - 1.0) / 2.0)) < 80.0
            turned = jnp.asarray(turn @ rotation)
            after.append([float(angle) for angle in angles_from_rotation(turned)])
        yaws = np.array(after)[:, 0]
        assert np.abs(yaws).max() < max(92.0, yaw + 2.0) and (np.ptp(yaws) > 10.0 or yaw > 90.0)
        if yaw:
            assert (np.abs(yaws) > abs(yaw) - 3.0).all() and (np.sign(yaws) == np.sign(yaw)).all()
        else:
            assert yaws.min() < -30.0 < 30.0 < yaws.max()


def test_worn_pictures_of_a_pool_are_turned_as_all_are(monkeypatch):
    """Turn and wear came of the same random number: all worn ones were turned by -75 to -30."""
    turns = []

    def keep(prepared, turn, layout):
        turns.append(float(np.degrees(np.arctan2(float(turn[0, 2]), float(turn[2, 2])))))
        return Turned(**{field.name: jnp.zeros(()) for field in dataclasses.fields(Turned)})

    monkeypatch.setattr(photo_faces, "turn_face", keep)
    monkeypatch.setattr(TurnedPhotos, "_prepare", lambda self, index: None)
    known = KnownFace(
        path=Path(),
        position_map=np.zeros((2, 2, 3)),
        rotation=np.eye(3, dtype=np.float32),
        scale=1.0,
    )
    source = TurnedPhotos(faces=[known], model=_Reader(), count=200)
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    bgr, quality = image[..., ::-1], cv2.IMWRITE_JPEG_QUALITY
    fine = {cv2.imencode(".jpg", bgr, [quality, q])[1].tobytes() for q in range(92, 96)}
    for number in range(200):
        source.turned(9, number)
    worn = [encode_jpeg(image, seed=(9, k)).tobytes() not in fine for k in range(200)]
    worn_turns = np.array(turns)[worn]
    assert 30 < len(worn_turns) < 90
    assert worn_turns.min() < -55.0 and worn_turns.max() > 55.0
    assert abs(worn_turns.mean()) < 15.0


def test_held_out_people_are_no_training_photos(tmp_path, monkeypatch):
    subject = np.array([f"{k:03d}" for k in range(30) for _ in range(2)])
    names = np.array([f"{how}_{who}_03" for who in subject[::2] for how in ("neutral", "smiling")])
    np.savez(
        tmp_path / "landmarks.npz",
        names=names,
        subject=subject,
        mediapipe478=np.zeros((60, 478, 3), np.float32),
    )

    def fit(head, landmarks, table, *, person):
        count = len(landmarks)
        camera = Camera(
            scale=jnp.ones(count),
            rotation=jnp.broadcast_to(jnp.eye(3), (count, 3, 3)),
            translation=jnp.zeros((count, 3)),
        )
        zeros = jnp.zeros((count, 1))
        return Fits(identity=zeros, expression=zeros, camera=camera)

    for name in ("load_head", "load_correspondence", "vertex_uv"):
        monkeypatch.setattr(photo_faces, name, lambda *_: None)
    monkeypatch.setattr(photo_faces, "fit_photos", fit)
    monkeypatch.setattr(photo_faces.LandmarkWarp, "build", lambda *_: None)
    monkeypatch.setattr(photo_faces, "_warped_map", lambda *_: np.zeros((2, 2, 3), np.float32))
    (tmp_path / "images").mkdir()
    for folder in (tmp_path, tmp_path / "images"):  # not by the back door either
        found = {face.path.stem for face in find_known_faces(folder, _Reader())}
        assert found == set(names[~held_out(subject)]) and len(found) == 40


def test_photos_beside_other_landmarks_are_read_as_photos(toy, tmp_path):
    """A file of that name was taken for that of the data pack: "cannot read the arrays"."""
    image, face = toy
    reader = _Reader()
    reader.reconstruct = lambda photo, **_: [face]
    np.savez(tmp_path / "landmarks.npz", names=["a"], mediapipe478=np.zeros((1, 478, 3)))
    (tmp_path / "images").mkdir()
    for folder in (tmp_path, tmp_path / "images"):
        write_image(folder / "photo.png", image)
        (found,) = find_known_faces(folder, reader)
        assert found.path == folder / "photo.png"


def test_folders_without_photos_are_refused(tmp_path):
    model = _Reader()
    with pytest.raises(InputError, match="no folder"):
        find_known_faces(tmp_path / "nothing", model)
    with pytest.raises(InputError, match="no pictures in"):
        find_known_faces(tmp_path, model)


@pytest.mark.parametrize("yaw", [-60.0, 60.0])
def test_what_surrounds_a_face_does_not_cut_into_it(prepared, yaw):
    layout = toy_faces.layout()
    found = _turned(prepared, yaw, 8.0)
    drawn = rasterize_layout(found.position_map, layout, height=320, width=320)
    inner = cv2.erode(np.asarray(drawn.is_covered).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert inner.sum() > 5000
    assert np.asarray(found.head_mask)[inner].min() > 0.99
