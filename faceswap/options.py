"""Options of ``uvface swap``, ``exchange``, ``swap-video``: how a face is put in. Nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "Blend",
    "Color",
    "Complete",
    "Keep",
    "Map",
    "Occlusion",
    "Shape",
    "Sharpness",
    "Strength",
    "wrong_map",
]

Keep = Annotated[str, typer.Option(help="Regions that stay the target's own, or none.")]
Color = Annotated[
    Literal["light", "match", "none"], typer.Option(help="How colours follow the target.")
]
Blend = Annotated[
    Literal["poisson", "mixed", "laplacian", "feather", "none"],
    typer.Option(
        help="How the face is put in; mixed: Poisson with the stronger gradient of both, so that "
        "the target's moles and stubble stay where the reference's skin is plain."
    ),
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
Map = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="FACE=PHOTO,...",
        help="A reference for each face, in place of REFERENCE: 0=anna.jpg,1=ben.jpg (numbers "
        'from the left, or left, right, ...), a JSON file {"0": "anna.jpg"}, or a CSV file '
        "with the columns face and reference (several of one person: a list, or separated "
        "by ;). All "
        "other faces stay as they are.",
    ),
]


def wrong_map(
    mapping: str | None, references: Sequence[Path], faces: str, like: Path | None
) -> str | None:
    """Return what is wrong with who gets which face, for a message; None if nothing is."""
    if bool(references) == (mapping is not None):
        return "give either REFERENCE, or --map FACE=PHOTO,..."
    if mapping is not None and (faces != "largest" or like is not None):
        return "--map says which faces are changed; give no --faces and no --like"
    return None
