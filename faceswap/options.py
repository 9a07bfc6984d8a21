"""Options of ``uvface swap``, ``exchange``, ``swap-video``: how a face is put in. Nothing heavy."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

__all__ = ["Blend", "Color", "Complete", "Keep", "Occlusion", "Shape", "Sharpness", "Strength"]

Keep = Annotated[str, typer.Option(help="Regions that stay the target's own, or none.")]
Color = Annotated[
    Literal["light", "match", "none"], typer.Option(help="How colours follow the target.")
]
Blend = Annotated[
    Literal["poisson", "laplacian", "feather", "none"],
    typer.Option(help="How the face is put in."),
]
Complete = Annotated[
    Literal["none", "mirror", "fill", "auto"],
    typer.Option(
        help="What stands in for skin that the reference hides: nothing, its other side, that "
        "and smooth colour, or that for gaps only."
    ),
]
Occlusion = Annotated[
    Literal["on", "off"],
    typer.Option(help="Leave hair, glasses and hands before the target's face on top."),
]
Sharpness = Annotated[
    Literal["match", "none"],
    typer.Option(help="Give the face the target's blur and grain, or not."),
]
Strength = Annotated[
    float, typer.Option(min=0, max=1, help="0 keeps the target, 1 is the full swap.")
]
Shape = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Shape of eyes, brows, nose and cheeks: 0 the target's, 1 the reference's.",
    ),
]
