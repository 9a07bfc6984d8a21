"""What trembles from frame to frame is evened out; what moves is not held back."""

import dataclasses

import numpy as np
import pytest
from toy_faces import toy_photo
from toys import toy_layout

from uvface.core.geometry.landmarks import read_landmarks
from uvface.editing.video.steady import REACH, mean_weights, parabola_weights, steady_face

FRAMES = 2 * REACH + 1


def _evenly(count, rate=30):
    return [k / rate for k in range(count)]


@pytest.mark.parametrize("before", range(REACH + 1))
@pytest.mark.parametrize("after", range(REACH + 1))
def test_weights_follow_every_parabola_and_use_only_what_is_there(before, after):
    weights = parabola_weights(_evenly(before + 1 + after), before)
    places = np.arange(FRAMES) - REACH
    there = (places >= -before) & (places <= after)
    assert not weights[~there].any()
    degree = min(2, before + after)
    for power in range(degree + 1):
        expected = 1.0 if power == 0 else 0.0
        assert weights @ (places.astype(float) ** power) == pytest.approx(expected, abs=1e-5)


def test_what_moves_evenly_is_not_held_back_by_uneven_times():
    rng = np.random.default_rng(0)
    for _ in range(50):
        times = np.sort(rng.choice(12, FRAMES, replace=False)) / 60
        middle = int(rng.integers(REACH, REACH + 1))
        offsets = times - times[middle]
        weights = parabola_weights(times.tolist(), middle)
        assert weights @ (120 * offsets) == pytest.approx(0.0, abs=1e-3)
        assert weights.sum() == pytest.approx(1.0, abs=1e-5)


def test_frames_that_are_far_off_in_time_do_not_count():
    times = [0.0, 0.03, 0.07, 0.1, 1.0, 1.03, 1.07]
    for weights in (parabola_weights(times, REACH), mean_weights(times, REACH)):
        assert not weights[REACH + 1 :].any()
        assert weights.sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("rate", [24000 / 1001, 24, 25, 30000 / 1001, 30, 50])
@pytest.mark.parametrize("digits", [3, 9])
def test_every_frame_is_steadied_alike_whenever_it_is_shown(rate, digits):
    """At 25 in a second rounding decided which neighbours counted: all six of 39 frames in 497."""
    whole = parabola_weights(_evenly(FRAMES), REACH)
    times = [round(k / rate, digits) for k in range(300)]
    for first in range(len(times) - FRAMES):
        weights = parabola_weights(times[first : first + FRAMES], REACH)
        np.testing.assert_allclose(weights, whole, atol=0.01)


def test_the_middle_of_a_whole_neighbourhood_trembles_by_a_little_more_than_half():
    weights = parabola_weights(_evenly(FRAMES), REACH)
    np.testing.assert_allclose(weights, np.array([-2, 3, 6, 7, 6, 3, -2]) / 21, atol=1e-5)
    assert np.linalg.norm(weights) == pytest.approx((1 / 3) ** 0.5, abs=1e-5)


@pytest.mark.parametrize("middle", [0, 1, 3, 5, 6])
def test_a_face_that_moves_and_turns_faster_stays_where_it_is(middle):
    image, face = toy_photo(1)
    times = np.arange(FRAMES) - middle
    shift = np.stack([1.5 * times + 0.2 * times**2, -times, 0 * times], axis=-1)
    row = [
        dataclasses.replace(
            face,
            position_map=face.position_map + step.astype(np.float32),
            camera=dataclasses.replace(
                face.camera, translation=face.camera.translation + step.astype(np.float32)
            ),
        )
        for step in shift
    ]
    first, last = max(0, middle - REACH), min(FRAMES, middle + REACH + 1)
    seconds = _evenly(last - first)
    found = steady_face(row[first:last], seconds, middle - first, image, toy_layout())
    np.testing.assert_allclose(found.position_map, face.position_map, atol=2e-3)
    np.testing.assert_allclose(found.visibility, face.visibility, atol=1e-5)
    landmarks = read_landmarks(face.position_map, toy_layout().landmark_uv)
    np.testing.assert_allclose(found.landmarks, landmarks, atol=2e-3)
    np.testing.assert_allclose(found.texture, face.texture, atol=2e-3)
    np.testing.assert_allclose(found.camera.scale, face.camera.scale, rtol=1e-4)
    np.testing.assert_allclose(found.camera.translation, face.camera.translation, atol=2e-3)
    np.testing.assert_allclose(found.camera.rotation, face.camera.rotation, atol=1e-4)


def test_what_has_left_the_frame_is_not_seen():
    """Neighbouring frames showed it, and the frame itself repeats its border there."""
    image, face = toy_photo(1)
    row = [  # it leaves to the left
        dataclasses.replace(face, position_map=face.position_map.at[..., 0].add(-20.0 * k))
        for k in range(FRAMES)
    ]
    found = steady_face(row, _evenly(FRAMES), REACH, image, toy_layout())
    outside = np.asarray(found.position_map)[..., 0] < -4.0
    assert outside.any() and np.asarray(found.visibility)[outside].max() == 0.0
    assert np.asarray(found.self_visibility)[outside].max() == 0.0


def test_noise_of_the_maps_is_less_and_visibility_stays_within_0_and_1():
    image, face = toy_photo(1)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.5, (FRAMES, *face.position_map.shape)).astype(np.float32)
    row = [
        dataclasses.replace(
            face,
            position_map=face.position_map + part,
            visibility=face.visibility * np.float32(k % 2),
        )
        for k, part in enumerate(noise)
    ]
    found = steady_face(row, _evenly(FRAMES), REACH, image, toy_layout())
    left = np.std(np.asarray(found.position_map - face.position_map))
    assert 0.25 < left < 0.33  # 0.5 times the root of a third
    assert float(found.visibility.min()) >= 0.0
    assert float(found.visibility.max()) <= 1.0
