"""Drawn pairs agree with their truth where they must, and differ where skin was exchanged."""

import cv2
import numpy as np
import pytest

from uvface.core.geometry.layout import load_layout
from uvface.core.synthesis.generator import Generator
from uvface.core.synthesis.surface import bind_texels
from uvface.faceswap.evaluation.measure_synthetic import (
    compare,
    covered_share,
    exact_face,
    inner_area,
)
from uvface.faceswap.evaluation.synthetic_pairs import draw_pair

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def binding(generator: Generator):
    return bind_texels(generator.surface, load_layout().size)


def test_only_skin_is_exchanged(generator: Generator, binding):
    pair = draw_pair(generator, 3, yaws=(20.0, -30.0))
    target, truth = np.asarray(pair.target.image), np.asarray(pair.truth.image)
    face = exact_face(pair.target, binding, load_layout())
    area = inner_area(pair.target, face, load_layout())
    assert 0.05 < area.mean() < 0.3
    assert np.array_equal(pair.target.surface, pair.truth.surface)
    assert np.array_equal(pair.target.bare, pair.truth.bare)
    behind = np.asarray(pair.target.bare) == 0.0
    assert np.abs(target - truth)[behind].max() < 0.2  # the blur of the head's outline
    assert np.median(np.abs(target - truth)[behind]) == 0.0
    assert np.abs(target - truth)[area].mean() > 0.005
    found = compare(target, pair, area)
    assert 10.0 < found.psnr < 45.0 and found.ciede2000 > 0.5 and found.gradient < 1.0
    assert compare(truth, pair, area).psnr == float("inf")


def test_yaws_and_seeds_are_kept(generator: Generator, binding):
    pair = draw_pair(generator, 3, yaws=(20.0, -30.0))
    again = draw_pair(generator, 3, yaws=(20.0, -30.0))
    assert np.array_equal(pair.truth.image, again.truth.image)
    noses = []
    for picture in (pair.target, pair.reference):
        points = np.asarray(exact_face(picture, binding, load_layout()).landmarks)
        noses.append(points[30, 0] - points[[36, 45], 0].mean())
    assert noses[0] < -5.0 and noses[1] > 5.0  # positive yaw turns the nose to the left


def test_a_light_of_its_own_changes_the_reference_alone(generator: Generator, binding):
    pair = draw_pair(generator, 3, yaws=(20.0, -30.0))
    other = draw_pair(generator, 3, yaws=(20.0, -30.0), is_one_light=False)
    assert np.array_equal(pair.target.image, other.target.image)
    assert np.array_equal(pair.truth.image, other.truth.image)
    assert np.array_equal(pair.reference.surface, other.reference.surface)
    shown = np.asarray(pair.reference.bare) > 0.5
    difference = np.asarray(pair.reference.image) - np.asarray(other.reference.image)
    assert np.abs(difference)[shown].mean() > 0.02


@pytest.mark.parametrize("cover", ["glasses", "thing"])
def test_covers_lie_before_the_face_that_they_are_asked_for(generator: Generator, binding, cover):
    shares = {"target": [], "reference": []}
    for seed in range(4):
        pair = draw_pair(generator, seed, yaws=(0.0, 0.0), covers=("none", cover))
        for name, found in shares.items():
            picture = getattr(pair, name)
            face = exact_face(picture, binding, load_layout())
            area = inner_area(picture, face, load_layout())
            found.append(covered_share(picture, area))
            seen = np.asarray(face.visibility)[np.asarray(load_layout().region("skin")) > 0.5]
            assert 0.2 < seen.mean() < 1.0
    assert max(shares["target"]) < 0.02
    assert max(shares["reference"]) > 0.02


def test_no_backdrop_is_seen_through_an_open_mouth(generator: Generator, binding):
    holes = []
    for seed in range(70000, 70008):
        picture = draw_pair(generator, seed, yaws=(0.0, 30.0)).target
        lips = np.asarray(exact_face(picture, binding, load_layout()).landmarks)[60:68, :2]
        mouth = np.zeros(picture.bare.shape, np.uint8)
        cv2.fillPoly(mouth, [np.rint(lips).astype(np.int32)], 1)
        inner = cv2.erode(mouth, np.ones((3, 3), np.uint8)) > 0
        if inner.sum() > 100:
            holes.append(float((np.asarray(picture.bare)[inner] < 0.5).mean()))
    assert len(holes) >= 3 and max(holes) < 0.01
