import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.spline import fit_control
from uvface.core.training.loss import control_landmarks, make_reading
from uvface.core.training.trust import (
    confidence_loss,
    cover_loss,
    landmark_error,
    mask_loss,
    misjudged_share,
    trust_target,
)

ONE = jnp.ones(1)


@pytest.fixture(scope="module")
def reading(layout):
    return make_reading(layout)


@pytest.fixture(scope="module")
def control(layout):
    """Return the mean face, frontal, in the middle of the crop."""
    positions = 9.0 * layout.canonical + jnp.array([127.5, 120.0, 0.0])
    return fit_control(positions)[None]


def _mask(covered_rows):
    """Return a mask that is bare but for the first rows."""
    return jnp.full((1, 128, 128), 255, jnp.uint8).at[:, :covered_rows].set(0)


def _logits(mask, sure=6.0):
    return jnp.where(mask > 127, sure, -sure)


def test_a_right_mask_costs_little_and_a_wrong_one_much(reading, control):
    truth = _mask(60)
    right = cover_loss(_logits(truth), truth, control, reading, share=ONE)
    bare = cover_loss(_logits(_mask(0)), truth, control, reading, share=ONE)
    assert float(right) < 0.1 < 1.0 < float(bare)


def test_what_lies_beside_the_face_costs_nothing(reading, control):
    truth = _mask(0)
    beside = _logits(truth).at[:, :, :8].set(-6.0)
    expected = cover_loss(_logits(truth), truth, control, reading, share=ONE)
    assert float(cover_loss(beside, truth, control, reading, share=ONE)) == float(expected)
    assert float(mask_loss(beside, truth, share=ONE)) > float(
        mask_loss(_logits(truth), truth, share=ONE)
    )


def test_misjudged_share_counts_seen_texels(reading, control):
    truth, heads = _mask(0), jnp.ones((1, 128, 128))
    assert float(misjudged_share(heads, truth, control, reading)[0]) == 0.0
    assert float(misjudged_share(0.0 * heads, truth, control, reading)[0]) == pytest.approx(1.0)
    half = float(misjudged_share(heads, _mask(60), control, reading)[0])
    assert 0.2 < half < 0.8


def test_samples_without_a_share_do_not_count(reading, control):
    pair = jnp.concatenate([control, control + 40.0])
    truth = jnp.concatenate([_mask(40), _mask(90)])
    logits = jnp.concatenate([_logits(_mask(40)), _logits(_mask(0))])
    alone = cover_loss(logits[:1], truth[:1], control, reading, share=ONE)
    both = cover_loss(logits, truth, pair, reading, share=jnp.array([1.0, 0.0]))
    assert float(both) == pytest.approx(float(alone), abs=1e-5)


def test_landmark_error_is_the_shift_over_the_face_size(reading, control):
    landmarks = control_landmarks(control, reading)
    low, high = landmarks[0, :, :2].min(axis=0), landmarks[0, :, :2].max(axis=0)
    moved = control + jnp.array([3.0, 4.0, 50.0])
    expected = 5.0 / float(jnp.sqrt((high - low).prod()))
    found = landmark_error(control_landmarks(moved, reading), landmarks)
    assert float(found[0]) == pytest.approx(expected, rel=1e-3)


def test_confidence_falls_with_the_error_and_is_none_without_a_face():
    target = trust_target(jnp.array([0.0, 0.08, 0.4, 0.0]), jnp.array([1.0, 1.0, 1.0, 0.0]))
    np.testing.assert_allclose(target, [1.0, 0.5, 0.038, 0.0], atol=1e-3)
    error, is_face = jnp.array([0.0, 0.3]), jnp.array([1.0, 0.0])
    right = confidence_loss(jnp.array([6.0, -6.0]), error, is_face)
    assert (
        float(right) < 0.01 < 5.0 < float(confidence_loss(jnp.array([-6.0, 6.0]), error, is_face))
    )
