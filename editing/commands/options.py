"""Options of ``uvface edit`` and ``edit-video``: what of a face changes. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Feather",
    "Light",
    "Makeup",
    "Recolor",
    "ReferencePhoto",
    "Region",
    "Reshape",
    "Retouch",
    "Strength",
    "wrong_edit",
]

Region = Annotated[list[str] | None, typer.Option(help="Region to change, or several: lips,eyes.")]
ReferencePhoto = Annotated[
    Path | None, typer.Option("--from", help="Photo or face file that the region comes from.")
]
Strength = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="Of all that is given: 0 keeps the picture, 1 is the full edit."
    ),
]
Feather = Annotated[
    float, typer.Option(min=0, help="Soft border of the region, texels of 256, up to 64.")
]
Recolor = Annotated[str | None, typer.Option(help="Colour for the region: #RRGGBB or a name.")]
Retouch = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=AMOUNT",
        help="What to retouch, 0 to 1: skin=0.5,spots=1; also tone, shine, eye_bags, teeth, eyes.",
    ),
]
Makeup = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=AMOUNT:COLOUR",
        help="Make-up, 0 to 1, in a colour that suits or one that is named: "
        "lipstick=0.8:crimson,blush=0.5; also contour, highlight, eye_shadow, eyeliner, brows.",
    ),
]
Reshape = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=AMOUNT",
        help="Expression or proportion to change, -1 to 1: smile=0.5,nose_width=-0.3.",
    ),
]
Light = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=AMOUNT",
        help="Light to change, -1 to 1: left=0.5 is a lamp at the left, -0.5 at the right; "
        "also above, bright, warm.",
    ),
]


def wrong_edit(
    *,
    region: Sequence[str] | None,
    reference: Path | None,
    recolor: str | None,
    amounts: Collection[Sequence[str] | None],
    reference_face: str,
    reference_like: Path | None,
) -> str | None:
    """Return what is wrong with what is to be changed, for a message; None if nothing is.

    Args:
        region: names of regions.
        reference: where they come from.
        recolor: their new colour.
        amounts: what is said of retouching, make-up, shapes and light.
        reference_face: which face of the reference is taken.
        reference_like: photo of the person whose face is taken.
    """
    changes_colors = reference is not None or recolor is not None
    if not changes_colors and not any(amounts):
        return (
            "nothing to do; give --from PHOTO, --recolor '#RRGGBB', or --retouch, --makeup, "
            "--reshape or --light NAME=AMOUNT"
        )
    if changes_colors and not region:
        return "no region given; say by --region what to change"
    if reference is None and (reference_face != "largest" or reference_like is not None):
        return "a face of the reference is chosen; give it by --from PHOTO"
    if reference_face == "all":
        return "--reference-face all; a reference is one face: name it"
    return None
