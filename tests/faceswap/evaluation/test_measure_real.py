"""Measures of swaps of photos, on toy photos."""

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import layout, toy_photo

from uvface.core.detection.recognition import Recognizer
from uvface.core.errors import InputError
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.io.images import read_photo, write_image
from uvface.core.reconstruct import Model
from uvface.faceswap.evaluation.face_areas import draw_layers, face_areas, face_size
from uvface.faceswap.evaluation.measure_real import (
    Shelf,
    london_pairs,
    measure_swap,
    ordered_pairs,
    region_that_may_change,
    summarise,
)
from uvface.faceswap.evaluation.measure_sheet import cut_portrait, draw_sheet, label


@pytest.fixture
def photo():
    image, face = toy_photo(1)
    landmarks = read_landmarks(face.position_map, layout().landmark_uv)
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return image, dataclasses.replace(face, landmarks=landmarks, box=jnp.concatenate([low, high]))


class _Knowing(Model):
    """A model that knows one face."""

    def __init__(self, face):
        object.__setattr__(self, "layout", layout())
        object.__setattr__(self, "face", face)

    def reconstruct(self, photo, *, boxes=None, faces="all"):
        return [] if photo.max() == 0.0 else [self.face]


class _Colors(Recognizer):
    """Faces are alike that have the same mean colour."""

    def __init__(self):
        pass

    def embed(self, image, landmarks):
        mean = image.mean(axis=(0, 1))
        return mean / np.linalg.norm(mean)


def test_areas_lie_inside_each_other_and_on_the_face(photo):
    image, face = photo
    areas = face_areas(image, face, layout())
    assert areas.inner.sum() > areas.skin.sum() > 300
    assert not (areas.skin & ~areas.inner).any()
    assert not (areas.skin & areas.mouth).any()
    assert draw_layers(image.shape[:2], face, layout().mask[..., None], layout())[areas.inner].all()
    lips = np.asarray(face.landmarks)[60:, :2]
    assert areas.opening == pytest.approx(0.7 * np.ptp(lips[:, 1]) / face_size(face), rel=0.15)


def test_a_mouth_found_by_somebody_else_is_taken(photo):
    image, face = photo
    box = np.array([[50.0, 80.0], [70.0, 80.0], [70.0, 90.0], [50.0, 90.0]], np.float32)
    areas = face_areas(image, face, layout(), lips=box)
    assert areas.opening * face_size(face) == pytest.approx(10.0)
    rows, columns = np.nonzero(areas.mouth)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (81, 89, 51, 69)


def test_an_unchanged_photo_measures_as_equal(tmp_path, photo):
    write_image(tmp_path / "a.png", photo[0])
    write_image(tmp_path / "none.png", np.zeros((8, 8, 3), np.float32))
    lips = {"a": np.asarray(photo[1].landmarks)[48:60, :2]}
    shelf = Shelf(_Knowing(photo[1]), _Colors(), lips=lips)
    found = shelf.find(tmp_path / "a.png")
    assert found is shelf.find(tmp_path / "a.png") and shelf.find(tmp_path / "none.png") is None
    allowed = region_that_may_change(found.image, found.face, layout())
    assert 0.1 < allowed.mean() < 0.6
    same = measure_swap(found.image, found, found, allowed=allowed, edge_of=allowed, shelf=shelf)
    assert same.identity == pytest.approx(1.0) == same.identity_before
    assert same.landmarks == same.mouth == same.outside == same.color == 0.0
    assert same.edge == pytest.approx(1.0) and same.sharpness == pytest.approx(1.0)
    result = found.image.copy()
    result[found.areas.mouth] = 1.0
    result[0, 0] += 10 / 255
    other = measure_swap(result, found, found, allowed=allowed, edge_of=allowed, shelf=shelf)
    assert other.mouth > 20.0 and other.outside == pytest.approx(10.0, abs=0.01)
    summary = summarise([same, dataclasses.replace(other, mouth=float("nan"))])
    assert summary["mouth"]["count"] == 1 and summary["outside"]["median"] == pytest.approx(5.0)


def test_london_pairs_are_of_different_people_and_stable():
    photos = [Path(f"{mood}_{n:03d}_0{d}.jpg") for n in range(9) for mood, d in MOODS]
    pairs = london_pairs(photos, 20)
    people = [tuple(path.stem.split("_")[1] for path in pair) for pair in pairs]
    assert all(one != two for one, two in people) and len(set(people)) == 20
    assert {path.stem[:7] for pair in pairs for path in pair} == {"neutral", "smiling"}
    assert london_pairs(photos[::-1], 5) == pairs[:5]
    with pytest.raises(InputError, match="9 people"):
        london_pairs(photos, 73)


MOODS = (("neutral", 3), ("smiling", 8))


def test_all_ordered_pairs_come_once():
    photos = [Path(name) for name in "abcd"]
    pairs = ordered_pairs(photos)
    assert len(set(pairs)) == 12 and all(a != b for a, b in pairs)


def test_sheets_hold_the_tiles_in_order(photo):
    tile = cut_portrait(*photo, side=64)
    assert tile.shape == (64, 64, 3)
    assert label(tile, "a")[-18:].mean() < tile[-18:].mean()
    rows = [{"target": np.full_like(tile, 10 * k), "ours": np.full_like(tile, k)} for k in range(3)]
    sheet = draw_sheet(rows, blocks=2)
    assert sheet.shape == (128, 256, 3)
    assert (sheet[64:, :64] == 10).all() and (sheet[:64, 192:] == 2).all()
    assert (sheet[64:, 128:] == 0).all()


@pytest.mark.shared
def test_the_recognition_network_knows_people(shared_data):
    photos = shared_data / "photos_cc_by"
    with np.load(photos / "landmarks.npz") as stored:
        meshes = dict(zip(stored["names"].tolist(), stored["mediapipe478"], strict=True))
    network = Recognizer(shared_data / "detectors_test/recognition/mobilefacenet_a.onnx")
    spots = {30: 1, 48: 61, 54: 291}  # MediaPipe's tip of the nose and corners of the mouth
    spots |= dict.fromkeys(range(36, 42), 468) | dict.fromkeys(range(42, 48), 473)  # irises
    found = []
    for name in ("neutral_001_03", "smiling_001_08", "neutral_002_03"):
        mesh = next(value for key, value in meshes.items() if Path(key).stem == name)
        landmarks = np.zeros((68, 2), np.float32)
        for place, number in spots.items():
            landmarks[place] = mesh[number, :2] - 0.5
        found.append(network.embed(read_photo(photos / f"images/{name}.jpg").image, landmarks))
    assert found[0] @ found[1] > 0.6 > 0.4 > found[0] @ found[2]
