"""Identity and expression of known faces are told apart, whatever the pose."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import toy_layout

from uvface.core.errors import AssetError
from uvface.core.geometry import face_shape
from uvface.core.geometry.face_shape import fit_shape, load_shape_modes
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.pose import rotation_from_angles
from uvface.core.types import Camera

LAYOUT = load_layout("uvface")
MODES = load_shape_modes(LAYOUT)
_fit = jax.jit(fit_shape)


def _drawn(seed, *, person=1.0, expression=1.0, pose=(0.0, 0.0, 0.0), scale=9.0):
    """Return a position map made of random coefficients, and the identity's."""
    random = np.random.default_rng(seed)
    identity = person * random.standard_normal(len(MODES.identity))
    moods = expression * random.standard_normal(len(MODES.expression))
    shape = MODES.mean + jnp.tensordot(jnp.asarray(identity, jnp.float32), MODES.identity, 1)
    shape += jnp.tensordot(jnp.asarray(moods, jnp.float32), MODES.expression, 1)
    camera = Camera(
        scale=jnp.asarray(scale),
        rotation=rotation_from_angles(*pose),
        translation=jnp.array([120.0, 90.0, 3.0]),
    )
    return camera.project(shape), jnp.asarray(identity, jnp.float32)


def _rms(identity):
    """Return the size of a shape, cm."""
    shape = jnp.tensordot(identity, MODES.identity, 1)
    squares = (MODES.weights[..., None] * shape**2).sum()
    return float(jnp.sqrt(squares / MODES.weights.sum()))


@pytest.mark.parametrize("pose", [(0.0, 0.0, 0.0), (35.0, -10.0, 20.0), (-70.0, 5.0, -40.0)])
def test_an_identity_is_found_beside_an_expression_in_any_pose(pose):
    errors, sizes = [], []
    for seed in range(5):
        shape, identity = _drawn(seed, pose=pose)
        errors.append(_rms(_fit(shape, MODES).identity - identity))
        sizes.append(_rms(identity))
    assert np.mean(errors) < 0.25 * np.mean(sizes)


def test_an_expression_is_not_taken_for_another_person():
    calm, moved = (_fit(_drawn(3, expression=e)[0], MODES).identity for e in (0.0, 1.5))
    other = _fit(_drawn(4, expression=0.0)[0], MODES).identity
    assert _rms(calm - moved) < 0.3 * _rms(calm - other)


def test_scale_and_place_change_nothing():
    small, large = (_fit(_drawn(5, scale=s)[0], MODES) for s in (2.0, 40.0))
    assert _rms(small.identity - large.identity) < 1e-3
    assert float(large.camera.scale / small.camera.scale) == pytest.approx(20.0, rel=1e-3)


def test_a_mirrored_face_has_the_mirrored_shape():
    shape, _ = _drawn(6, pose=(20.0, 5.0, 10.0))
    mirrored = shape[:, ::-1] * jnp.array([-1.0, 1.0, 1.0])
    one, two = (
        jnp.tensordot(_fit(x, MODES).identity, MODES.identity, 1) for x in (shape, mirrored)
    )
    back = two[:, ::-1] * jnp.array([-1.0, 1.0, 1.0])
    assert float(jnp.abs(one - back).max()) < 0.02  # cm


def test_layouts_without_shapes_have_none():
    assert load_shape_modes(toy_layout()) is None


def test_a_damaged_file_is_named(tmp_path, monkeypatch):
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv" / "uvface_shapes.npz").write_bytes(b"no shapes")
    monkeypatch.setattr(face_shape.resources, "files", lambda _: tmp_path)
    with pytest.raises(AssetError, match=r"uvface_shapes\.npz"):
        load_shape_modes(LAYOUT)
