"""Build the named expressions of the layout ``uvface`` from the ICT-FaceKit model.

Run ``python -m uvface.core.synthesis.build_expressions --model DIR -o assets/uv``, after
`build_layout`. Each is a sum of the model's own expressions on its neutral face, as a UV map of how
far texels move.

References:
    P. Ekman, W. Friesen, "Facial Action Coding System", 1978 (which muscles move together).
"""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..geometry.layout import UVLayout
from ..geometry.spline import fit_control
from .head import HeadModel, canonical_from_ict, head_vertices
from .head_files import write_from_head
from .surface import bind_texels, load_surface, position_map, surface_vertices

__all__ = ["build_expressions", "main"]

_CONTROL = 64  # control points along a side: one for every four texels, for lids and lips
# Name -> the model's expressions of both sides (``_L`` and ``_R``), and how much of each.
_PARTS: Mapping[str, Mapping[str, float]] = {
    "smile": {"mouthSmile": 0.9, "cheekSquint": 0.5, "mouthDimple": 0.2},
    "frown": {"mouthFrown": 0.9},
    "pucker": {"mouthPucker": 0.9},
    "mouth_open": {"jawOpen": 0.5},
    "mouth_left": {"mouthLeft": 0.8},
    "upper_lip_up": {"mouthUpperUp": 0.7, "noseSneer": 0.4},
    "cheeks_puffed": {"cheekPuff": 1.0},
    "brows_up": {"browInnerUp": 0.8, "browOuterUp": 0.8},
    "brows_down": {"browDown": 0.9},
    "eyes_closed": {"eyeBlink": 1.0},
    "eyes_wide": {"eyeWide": 0.8},
    "squint": {"eyeSquint": 1.0, "cheekSquint": 0.8},
}


def build_expressions(head: HeadModel, layout: UVLayout) -> dict[str, np.ndarray]:
    """Return the arrays of the file: names, a control map of each, layout.

    Args:
        head: the ICT-FaceKit model.
        layout: the layout drawn on it.
    """
    surface = load_surface()
    binding = bind_texels(surface, layout.size)
    nobody = jnp.zeros(head.identity.shape[0])

    def drawn(parts: Mapping[str, float]) -> Float[np.ndarray, "s s 3"]:
        vertices = head_vertices(head, nobody, jnp.asarray(_coefficients(head, parts)))
        on_surface = surface_vertices(surface, canonical_from_ict(vertices))
        return np.asarray(position_map(binding, on_surface))

    neutral = drawn({})
    controls = [fit_control(jnp.asarray(drawn(of) - neutral), _CONTROL) for of in _PARTS.values()]
    return {
        "names": np.array(list(_PARTS)),
        "controls": np.asarray(controls, np.float16),
        "layout": np.array(layout.digest),
    }


def _coefficients(head: HeadModel, parts: Mapping[str, float]) -> Float[np.ndarray, " e"]:
    found = np.zeros(len(head.expression_names), np.float32)
    for name, amount in parts.items():
        sides = [name] if name in head.expression_names else [f"{name}_L", f"{name}_R"]
        for side in sides:
            found[head.expression_index(side)] = amount
    return found


def main() -> None:
    """Build and write the file."""
    write_from_head("expressions", build_expressions, about=__doc__)


if __name__ == "__main__":
    main()
