import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.synthesis.head import HeadModel
from uvface.core.synthesis.shape import sample_expression, sample_gaze, sample_identity

NAMES = (
    *("jawOpen", "mouthClose", "mouthSmile_L", "mouthSmile_R", "eyeBlink_L", "eyeBlink_R"),
    *("eyeLookUp_L", "PupilDilate_L", "browDown_L", "jawLeft"),
)


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return HeadModel(
        neutral=jnp.zeros((1, 3)),
        identity=jnp.zeros((5, 1, 3)),
        expression=jnp.zeros((len(NAMES), 1, 3)),
        uv=jnp.zeros((1, 2)),
        faces=jnp.zeros((1, 4), jnp.int32),
        faces_uv=jnp.zeros((1, 4), jnp.int32),
        vertex_part=jnp.zeros(1, jnp.int32),
        face_part=jnp.zeros(1, jnp.int32),
        expression_names=NAMES,
        part_names=("face",),
    )


@pytest.fixture(scope="module")
def expressions(head: HeadModel) -> np.ndarray:
    keys = jax.random.split(jax.random.key(0), 300)
    return np.asarray(jax.jit(jax.vmap(lambda key: sample_expression(key, head)))(keys))


def test_expressions_lie_in_the_unit_range(expressions: np.ndarray):
    assert expressions.min() >= 0.0
    assert expressions.max() <= 1.0


def test_mouth_is_closed_against_the_jaw_only(expressions: np.ndarray):
    jaw, close = expressions[:, 0], expressions[:, 1]
    assert (close <= jaw + 0.0601).all()


def test_expressions_cover_open_mouths_and_smiles(expressions: np.ndarray):
    assert (expressions[:, 0] > 0.4).mean() > 0.1
    assert (expressions[:, 2] > 0.5).mean() > 0.1
    assert (expressions[:, 4] > 0.7).mean() > 0.03


def test_sides_of_the_face_differ(expressions: np.ndarray):
    smiling = expressions[:, 2] > 0.3
    assert np.abs(expressions[smiling, 2] - expressions[smiling, 3]).max() > 0.15


def test_lids_do_not_follow_the_gaze_shapes(expressions: np.ndarray):
    assert np.all(expressions[:, 6:8] == 0)


def test_identity_and_gaze_are_bounded():
    keys = jax.random.split(jax.random.key(1), 200)
    draw = jax.jit(jax.vmap(lambda key: (sample_identity(key, 100), sample_gaze(key))))
    identity, gaze = (np.asarray(value) for value in draw(keys))
    assert np.abs(identity).max() <= 2.5
    assert 0.5 < identity.std() < 1.0
    assert np.abs(gaze).max() <= 0.6
