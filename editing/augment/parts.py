"""Parts of another person's face in a face that is about to be turned, for ``uvface augment``.

They are drawn into the face's stage, which has one size whatever the photo's, by the one path of
all edits (`edit_face`). The head was cut out of the photo before: its outline, its depth and the
labels stay the photo's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from ...core.blending.composite import BlendConfig
from ...core.geometry.layout import UVLayout
from ...core.synthesis.profiling import PhotoFace, with_colors
from ...core.types import Face, Similarity
from ..edit import apply_source, edit_face
from ..plan import EditMasks, PlanConfig
from ..regions import FEATHER, kept_regions, swap_region
from ..source import Reference

__all__ = ["PARTS", "WHOLE", "moved_face", "on_stage", "wear_parts"]

PARTS = ("eyes", "brows", "nose", "lips")
WHOLE = ("face",)  # the inner face, below the hair
_KEPT = ("eyeballs", "mouth_interior")  # of a whole face: gaze and open mouth stay the photo's


def wear_parts(
    face: PhotoFace,
    photo_face: Face,
    reference: Reference,
    regions: Sequence[str],
    layout: UVLayout,
) -> PhotoFace:
    """Draw regions of another face into a face on its stage.

    Args:
        face: from `face.prepare`.
        photo_face: the face of the photo that it was made of.
        reference: where the regions come from.
        regions: names of `PARTS`, or `WHOLE`.
        layout: UV layout of the faces.
    """
    stage, shown = np.asarray(face.image), on_stage(face, photo_face)
    if tuple(regions) == WHOLE:
        image = apply_source(
            stage,
            shown,
            reference,
            _whole_masks(layout),
            layout,
            plan=PlanConfig(),
            blend=BlendConfig(),
        )
    else:
        image = edit_face(stage, shown, layout, regions=regions, reference=reference)
    return with_colors(face, image, layout)


def on_stage(face: PhotoFace, photo_face: Face) -> Face:
    """Return the photo's face in stage pixels; beyond the photo's border nothing of it is seen.

    Args:
        face: from `face.prepare`.
        photo_face: the face of the photo that it was made of.
    """
    zoom = face.scale / photo_face.camera.scale
    shift = (face.position_map - zoom * photo_face.position_map)[0, 0, :2]
    return dataclasses.replace(
        moved_face(photo_face, zoom, shift),
        visibility=photo_face.visibility * face.inside,
        self_visibility=photo_face.self_visibility * face.inside,
    )


def moved_face(face: Face, zoom: float | jnp.ndarray, shift: jnp.ndarray) -> Face:
    """Return a face as its photo shows it once enlarged and moved.

    Args:
        face: of the photo.
        zoom: new pixels per pixel.
        shift: ``[2]`` new place of what was at (0, 0).
    """
    photo = Similarity(
        scale=jnp.asarray(zoom, jnp.float32),
        rotation=jnp.eye(2),
        translation=jnp.asarray(shift, jnp.float32),
    )
    return dataclasses.replace(
        face,
        position_map=photo.apply(face.position_map),
        landmarks=photo.apply(face.landmarks),
        box=photo.apply(face.box.reshape(2, 2)).reshape(4),
        camera=face.camera.seen_through(photo),
    )


def _whole_masks(layout: UVLayout) -> EditMasks:
    mask = swap_region(layout, feather=FEATHER)
    kept = [name for name in _KEPT if name in layout.regions]
    return EditMasks(
        mask=mask,
        keep=kept_regions(layout, kept) if kept else jnp.zeros_like(mask),
        skin=layout.region("skin") * mask,
        strength=jnp.ones(()),
    )
