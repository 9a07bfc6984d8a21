"""Build the shape modes of the layout ``uvface`` from the ICT-FaceKit model.

Run ``python -m uvface.core.synthesis.build_shapes --model DIR -o assets/uv``, after
`build_layout`. Heads are drawn as the generator draws them, once with an identity and no
expression, once with an expression and no identity; their principal components are the modes.

References:
    T. Cootes et al., "Active Shape Models - Their Training and Application", 1995 (principal
    components of aligned shapes).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..geometry.camera import estimate_similarity_3d
from ..geometry.face_shape import SHAPE_TEXELS
from ..geometry.layout import UVLayout
from ..geometry.scales import pool
from ..geometry.spline import fit_control
from .head import HeadModel, canonical_from_ict
from .head_files import write_from_head
from .heads import STRETCH
from .shape import sample_expression, sample_identity
from .surface import TexelBinding, bind_texels, load_surface, position_map, surface_vertices

__all__ = ["build_shapes", "main"]

_CONTROL = 32  # control points along a side of a stored mode
_HEADS = 2000  # of each kind
_IDENTITIES, _EXPRESSIONS = 48, 24  # modes: 98.5 and 99 % of the variance
_BATCH = 50


def build_shapes(
    head: HeadModel, layout: UVLayout, *, heads: int = _HEADS, seed: int = 7
) -> dict[str, np.ndarray]:
    """Return the arrays of the file: control maps of mean and modes, weights, layout.

    Args:
        head: the ICT-FaceKit model.
        layout: the layout drawn on it.
        heads: drawn of each kind; at least as many as modes.
        seed: of the heads.
    """
    surface = load_surface()
    binding = bind_texels(surface, layout.size)
    weights = pool(layout.region("face")[..., None] * layout.mask[..., None], SHAPE_TEXELS)[..., 0]
    neutral = _small_map(binding, surface_vertices(surface, canonical_from_ict(head.neutral)))

    def aligned(vertices: Array) -> Array:
        shape = _small_map(binding, surface_vertices(surface, canonical_from_ict(vertices)))
        points, goal = shape.reshape(-1, 3), neutral.reshape(-1, 3)
        similarity = estimate_similarity_3d(points, goal, weights.reshape(-1))
        return similarity.project(points).reshape(shape.shape) - neutral

    def person(key: Array) -> Array:
        one, two = jax.random.split(key)
        coefficients = sample_identity(one, head.identity.shape[0])
        stretch = jnp.exp(STRETCH * jax.random.normal(two, (3,)))
        return aligned((head.neutral + jnp.tensordot(coefficients, head.identity, 1)) * stretch)

    def expression(key: Array) -> Array:
        coefficients = sample_expression(key, head)
        return aligned(head.neutral + jnp.tensordot(coefficients, head.expression, 1))

    keys = jax.random.split(jax.random.key(seed), heads)
    drawn = [np.asarray(jax.lax.map(f, keys, batch_size=_BATCH)) for f in (person, expression)]
    offsets, modes = zip(
        *(
            _principal(shapes, np.asarray(weights), count)
            for shapes, count in zip(drawn, (_IDENTITIES, _EXPRESSIONS), strict=True)
        ),
        strict=True,
    )
    mean = np.asarray(neutral) + sum(offsets)
    controls = {"mean": mean[None], "identity": modes[0], "expression": modes[1]}
    fit = jax.vmap(lambda map_: fit_control(map_, _CONTROL))
    return {name: np.asarray(fit(maps), np.float16) for name, maps in controls.items()} | {
        "weights": np.asarray(weights, np.float16),
        "layout": np.array(layout.digest),
    }


def _small_map(binding: TexelBinding, vertices: Array) -> Float[Array, "n n 3"]:
    return pool(position_map(binding, vertices), SHAPE_TEXELS)


def _principal(
    shapes: Float[np.ndarray, "heads n n 3"], weights: Float[np.ndarray, "n n"], count: int
) -> tuple[Float[np.ndarray, "n n 3"], Float[np.ndarray, "count n n 3"]]:
    """Return the mean of shapes and their mirror images, and the modes about it."""
    beside = shapes[:, :, ::-1] * np.array([-1, 1, 1], np.float32)
    both = np.concatenate([shapes, beside])
    mean = both.mean(axis=0)
    off = both - mean
    weighted = (off * np.sqrt(weights)[..., None]).reshape(len(off), -1)
    # As many texels as heads or more: the components follow from the products of the heads.
    _, vectors = np.linalg.eigh(weighted @ weighted.T)
    leading = vectors[:, ::-1][:, :count]
    modes = np.einsum("hk,hijc->kijc", leading, off) / np.sqrt(len(off))
    return mean, modes.astype(np.float32)


def main() -> None:
    """Build and write the file."""
    write_from_head("shapes", build_shapes, about=__doc__)


if __name__ == "__main__":
    main()
