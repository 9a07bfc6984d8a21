"""A model that knows the faces of the toy photos by their pixels."""

import dataclasses
from functools import cache
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
from toy_faces import SIZE, layout, toy_photo

from uvface.core.face_choice import choose_faces
from uvface.core.reconstruct import Model

SEEDS = (1, 2, 3, 4)
COUPLE, GROUP = (1, 4), (1, 2, 4)  # seeds of photos of several faces, from left to right


def moved(face, x):
    """Return a face that stands x pixels further to the right."""
    step = jnp.array([x, 0.0, 0.0])
    return dataclasses.replace(
        face,
        position_map=face.position_map + step,
        landmarks=face.landmarks + step,
        box=face.box + jnp.array([x, 0.0, x, 0.0]),
    )


@cache
def toy_group(seeds):
    """Return a photo of several faces side by side, and the faces from left to right."""
    photos = [toy_photo(seed) for seed in seeds]
    image = np.concatenate([image for image, _ in photos], axis=1)
    return image, [moved(face, float(i * SIZE)) for i, (_, face) in enumerate(photos)]


class ToyModel(Model):
    """Finds what `toy_photo` and `toy_group` have drawn, and nothing else."""

    detector_name = "toy detector"

    def __init__(self, groups=(), turned=()):
        known = [(image, [face]) for image, face in map(toy_photo, SEEDS)]
        known += [(image, [face]) for image, face in turned]
        object.__setattr__(self, "layout", layout())
        object.__setattr__(self, "header", SimpleNamespace(network="toy"))
        object.__setattr__(self, "known", known + [toy_group(seeds) for seeds in groups])
        object.__setattr__(self, "calls", [])

    def reconstruct_numbered(self, photo, *, boxes=None, faces="all"):
        self.calls.append(faces)
        if boxes is not None and len(boxes) == 0:
            return {}
        for image, found in self.known:
            if image.shape == photo.shape and np.abs(image - photo).mean() < 0.005:
                given = np.stack([np.asarray(face.box) for face in found])
                return {i: found[i] for i in choose_faces(given, faces, photo.shape[:2])}
        return {}
