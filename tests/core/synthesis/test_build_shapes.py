"""The shape modes in the package are those of the head model that the layout is drawn on."""

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.face_shape import SHAPE_TEXELS, fit_shape, load_shape_modes
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.scales import pool
from uvface.core.geometry.spline import evaluate_control
from uvface.core.synthesis import build_shapes
from uvface.core.synthesis.head import HeadModel, canonical_from_ict, head_vertices
from uvface.core.synthesis.surface import bind_texels, load_surface, position_map, surface_vertices

LAYOUT = load_layout("uvface")
MODES = load_shape_modes(LAYOUT)


@pytest.fixture(scope="module")
def built(head: HeadModel) -> dict[str, np.ndarray]:
    """Return modes of few heads: enough for the leading ones."""
    return build_shapes.build_shapes(head, LAYOUT, heads=60)


def test_modes_built_anew_lie_in_the_space_of_those_that_ship(built: dict[str, np.ndarray]) -> None:
    assert str(built["layout"]) == LAYOUT.digest
    weights = np.sqrt(np.repeat(np.asarray(MODES.weights).reshape(-1), 3))
    for name in ("identity", "expression"):
        new = evaluate_control(jnp.asarray(built[name][0], jnp.float32), SHAPE_TEXELS)
        shipped = np.asarray(getattr(MODES, name)).reshape(len(built[name]), -1) * weights
        leading = np.asarray(new).reshape(-1) * weights
        basis = np.linalg.qr(shipped.T)[0]
        assert np.linalg.norm(basis.T @ leading) > 0.98 * np.linalg.norm(leading), name


def test_a_smile_of_the_model_is_an_expression_and_no_identity(head: HeadModel) -> None:
    binding, surface = bind_texels(load_surface(), LAYOUT.size), load_surface()
    nobody, still = jnp.zeros(len(head.identity)), jnp.zeros(len(head.expression))
    someone = nobody.at[:8].set(jnp.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0, 1.0]))
    smile = [head.expression_index(f"mouthSmile_{side}") for side in "LR"]

    def identity(person: jnp.ndarray, mood: jnp.ndarray) -> np.ndarray:
        points = canonical_from_ict(head_vertices(head, person, mood))
        shape = position_map(binding, surface_vertices(surface, points))
        found = fit_shape(pool(shape, SHAPE_TEXELS), MODES).identity
        return np.asarray(jnp.tensordot(found, MODES.identity, 1))

    calm = identity(nobody, still)
    smiling = identity(nobody, still.at[jnp.array(smile)].set(0.8))
    other = identity(someone, still)
    assert np.linalg.norm(smiling - calm) < 0.2 * np.linalg.norm(other - calm)


def test_the_command_writes_a_whole_file(
    built: dict[str, np.ndarray], shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_shapes, "build_shapes", lambda *_: built)
    arguments = ["build", "--model", str(shared_data / "face_model"), "-o", str(tmp_path / "new")]
    monkeypatch.setattr(sys, "argv", arguments)
    build_shapes.main()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["uvface_shapes.npz"]
    with np.load(tmp_path / "new" / "uvface_shapes.npz", allow_pickle=False) as stored:
        assert all((stored[name] == built[name]).all() for name in built)
