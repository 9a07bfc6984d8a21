"""The named expressions in the package are those of the head that the layout is drawn on."""

from pathlib import Path

import numpy as np

from uvface.core.geometry.expressions import load_expressions
from uvface.core.geometry.layout import load_layout
from uvface.core.synthesis.build_expressions import build_expressions
from uvface.core.synthesis.head import HeadModel

LAYOUT = load_layout("uvface")


def test_expressions_built_anew_are_those_that_ship(head: HeadModel) -> None:
    built = build_expressions(head, LAYOUT)
    assert str(built["layout"]) == LAYOUT.digest
    shipped = load_expressions(LAYOUT)
    assert tuple(shipped) == tuple(built["names"])
    with np.load(Path(__file__).parents[3] / "assets/uv/uvface_expressions.npz") as stored:
        np.testing.assert_allclose(built["controls"], stored["controls"], atol=2e-3)
