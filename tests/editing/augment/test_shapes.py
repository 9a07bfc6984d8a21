"""Reshaped faces on their stage: numbers of their own, and labels that move with the pixels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy_faces

from uvface.core.geometry.sampling import sample_texture
from uvface.editing.augment.face import augment_face, prepare
from uvface.editing.augment.shapes import draw_amounts, draw_expression, draw_shape, wear_shape

LAYOUT = toy_faces.layout()


def _random(subject):
    return np.random.default_rng(len(subject))


def test_a_subject_left_out_changes_nothing_of_the_other():
    both = draw_amounts(_random, LAYOUT, vary=("expression", "shape"))
    assert draw_amounts(_random, LAYOUT, vary=("shape", "pose")) == {"shape": both["shape"]}
    assert draw_amounts(_random, LAYOUT, vary=("pose",)) == {}


@pytest.mark.parametrize(
    ("draw", "low", "high"), [(draw_expression, 0.5, 0.65), (draw_shape, 0.45, 0.55)]
)
def test_a_share_of_the_pictures_is_reshaped_within_range(draw, low, high):
    drawn = [draw(np.random.default_rng(seed)) for seed in range(800)]
    assert low < np.mean([bool(amounts) for amounts in drawn]) < high
    assert all(-1.0 <= amount <= 1.0 for amounts in drawn for amount in amounts.values())


def test_pixels_and_position_map_move_together():
    image, face = toy_faces.toy_photo(3)
    ready = prepare(image, face, LAYOUT)
    assert wear_shape(ready, face, {"shape": {}}, LAYOUT) is ready
    worn = wear_shape(ready, face, {"shape": {"nose_length": 1.0, "face_width": 0.5}}, LAYOUT)
    moved = np.linalg.norm(np.asarray(worn.position_map - ready.position_map)[..., :2], axis=-1)
    sure = (np.asarray(ready.trust) > 0.95) & (np.asarray(worn.trust) > 0.95) & (moved > 4.0)
    assert sure.sum() > 50
    old = sample_texture(ready.image, ready.position_map)
    at_old, at_new = (
        np.abs(np.asarray(sample_texture(worn.image, places) - old))[sure].mean()
        for places in (ready.position_map, worn.position_map)
    )
    assert at_new < 0.5 * at_old
    plain, found = (
        augment_face(jax.random.key(1), ready, LAYOUT, worn=one) for one in (None, worn)
    )
    assert float(jnp.abs(plain.landmarks - found.landmarks).max()) > 1.0
    np.testing.assert_array_equal(plain.recipe.turn, found.recipe.turn)
