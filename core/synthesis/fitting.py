"""Fit the parametric head to photos from their MediaPipe landmarks, all photos in one batch.

Each photo gets identity and expression coefficients and a weak-perspective camera. The energy
is a robust landmark error in centimetres plus the model's own prior: identity is N(0, 1) per
mode, expressions are small and inside [0, 1]. Photos of one person may share their identity
softly. The minimiser is damped Gauss-Newton with reweighting; the landmarks are linear in the
coefficients, so twenty steps from the neutral head are enough.

The outline of the cheeks and the jaw slides over the surface when the head turns. Its landmarks
therefore pull, along their outward direction only, at the outermost surface point behind them.

Convention:
    Landmarks are photo pixels, integer coordinates are pixel centres. MediaPipe and many tools
    measure from the top-left corner: `pixel_centres` subtracts the half pixel. Fitted cameras map
    the canonical frame (y down, cm) to the photo.

References:
    Blanz and Vetter, A Morphable Model for the Synthesis of 3D Faces, 1999 (the prior);
    Geman and McClure, Statistical Methods for Tomographic Image Reconstruction, 1987 (the robust
    weight); Zhu et al., Face Alignment Across Large Poses, 2016 (sliding contour landmarks).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from ..errors import InputError
from ..io.arrays import open_arrays
from ..types import Camera
from .contour import ContourBasis, contour_basis, contour_residual
from .head import HeadModel, canonical_from_ict

__all__ = [
    "Correspondence",
    "FitConfig",
    "Fits",
    "fit_photos",
    "fitted_points",
    "fitted_vertices",
    "landmark_residual",
    "load_correspondence",
    "pixel_centres",
]

FIRST_IRIS = 468
# Landmarks at the sides of the face (in front of the ears): their distance is the face width.
FACE_SIDES = (234, 454)
# Inner edge of the lower lip: landmark -> two ICT vertices and the share of the second. The
# detector's table was made with closed mouths, where the lower lip hides this edge, and places
# these landmarks on the upper lip.
LOWER_LIP = {
    95: (5966, 5702, 0.7), 88: (5966, 5702, 0.4), 178: (5966, 5517, 0.0),
    87: (5966, 5517, 0.5), 14: (5517, 6470, 0.0), 317: (6470, 5517, 0.5),
    402: (6470, 5517, 0.0), 318: (6470, 6207, 0.4), 324: (6470, 6207, 0.7),
}  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Correspondence:
    """Where each landmark of a detector lies on the head's surface."""

    triangle: np.ndarray  # [478, 3] int32, vertex numbers of the head
    barycentric: np.ndarray  # [478, 3], sums to 1
    weight: np.ndarray  # [478], 0 = not used (slides along the outline, or hardly ever seen)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FitConfig:
    """Weights of the energy; lengths in centimetres on the face."""

    steps: int = 24
    noise: float = 0.25  # standard deviation of one landmark; neighbours err together
    outlier: float = 0.5  # error from which a landmark counts as an outlier
    contour_noise: float = 0.35
    expression_sigma: float = 0.25
    bound_weight: float = 400.0  # price of leaving [0, 1]
    shared_identity: float = 4.0  # price of differing from the person's mean identity
    damping: float = 1e-3


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Fits:
    """One fitted head per photo, all fields with a leading photo axis."""

    identity: Array  # [N, I], standard deviations
    expression: Array  # [N, E], in [0, 1]
    camera: Camera  # canonical frame -> photo pixels; its fields have a leading axis N


def pixel_centres(landmarks: np.ndarray) -> np.ndarray:
    """Turn coordinates measured from the top-left corner into pixel-centre coordinates."""
    shifted = np.array(landmarks, dtype=np.float32)
    shifted[..., :2] -= 0.5
    return shifted


def load_correspondence(path: Path | str) -> Correspondence:
    """Load the MediaPipe-to-ICT table (an ``.npz`` with triangle, barycentric, valid, ...).

    Raises:
        InputError: the file is missing or has other fields.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no landmark table {path}; it comes with the head model's folder")
    with open_arrays(path) as stored:
        needed = {"triangle", "barycentric", "valid", "is_face_oval", "spread_cm"}
        if missing := needed - set(stored):
            raise InputError(f"{path} lacks {sorted(missing)}; need a MediaPipe-to-ICT table")
        is_used = stored["valid"] & ~stored["is_face_oval"]
        weight = np.where(is_used, 1.0 / (1.0 + (stored["spread_cm"] / 0.2) ** 2), 0.0)
        weight[FIRST_IRIS:] *= 4.0  # few points decide about the gaze
        triangle = stored["triangle"].astype(np.int32)
        barycentric = stored["barycentric"].astype(np.float32)
    for landmark, (first, second, share) in LOWER_LIP.items():
        triangle[landmark] = (first, second, second)
        barycentric[landmark] = (1.0 - share, share, 0.0)
    return Correspondence(
        triangle=triangle, barycentric=barycentric, weight=(2.0 * weight).astype(np.float32)
    )


def fit_photos(
    head: HeadModel,
    landmarks: Float[np.ndarray, "photos 478 d"],
    correspondence: Correspondence,
    *,
    person: Int[np.ndarray, " photos"] | None = None,
    config: FitConfig | None = None,
) -> Fits:
    """Fit identity, expression and camera to the landmarks of all photos at once.

    Args:
        head: the parametric head.
        landmarks: MediaPipe landmarks, x and y in photo pixels (pixel centres); z is not used.
        correspondence: where the landmarks lie on the head.
        person: equal numbers for photos of one person; None: every photo is somebody else.
        config: weights of the energy.

    Returns:
        The fits, in the order of the photos.
    """
    config = FitConfig() if config is None else config
    if not np.isfinite(landmarks[..., :2]).all():
        raise InputError("landmarks have values that are not finite; leave such photos out")
    numbers = np.arange(len(landmarks)) if person is None else person
    numbers = np.unique(numbers, return_inverse=True)[1].astype(np.int32)
    target = jnp.asarray(landmarks[..., :2], dtype=jnp.float32)
    basis = _basis_at(head, correspondence.triangle, correspondence.barycentric)
    contour = contour_basis(head, target)
    weight = jnp.asarray(correspondence.weight)
    state = _start(basis, target, weight, len(head.expression_names))
    people, count = jnp.asarray(numbers), int(numbers.max()) + 1
    # Traced, so that other weights do not compile again.
    weights = {name: jnp.float32(value) for name, value in dataclasses.asdict(config).items()}
    for _ in range(config.steps):
        mean = _person_mean(state.identity, people, count)
        state = _step(state, mean, target, weight, basis, contour, weights)
    return dataclasses.replace(state, expression=jnp.clip(state.expression, 0.0, 1.0))


def fitted_vertices(head: HeadModel, fits: Fits, index: int) -> Float[Array, "vertices 3"]:
    """Return the vertices of one fitted head in the photo frame (pixels, y down)."""
    one: Fits = jax.tree.map(lambda field: field[index], fits)
    offset = jnp.tensordot(one.identity, head.identity, axes=1)
    offset = offset + jnp.tensordot(one.expression, head.expression, axes=1)
    return one.camera.project(canonical_from_ict(head.neutral + offset))


def fitted_points(
    head: HeadModel,
    fits: Fits,
    triangle: Int[np.ndarray, "points 3"],
    barycentric: Float[np.ndarray, "points 3"],
) -> Float[Array, "photos points 3"]:
    """Return surface points of all fitted heads in the photo frame (pixels)."""
    return jax.vmap(_project, in_axes=(0, None))(fits, _basis_at(head, triangle, barycentric))


def landmark_residual(
    head: HeadModel,
    fits: Fits,
    landmarks: Float[np.ndarray, "photos 478 d"],
    correspondence: Correspondence,
) -> Float[np.ndarray, " photos"]:
    """Return the mean distance of the used landmarks per photo, as a fraction of face width."""
    points = fitted_points(head, fits, correspondence.triangle, correspondence.barycentric)
    is_used = correspondence.weight[:FIRST_IRIS] > 0
    error = np.asarray(points)[:, :FIRST_IRIS, :2] - landmarks[:, :FIRST_IRIS, :2]
    left, right = (landmarks[:, side, :2] for side in FACE_SIDES)
    width = np.linalg.norm(left - right, axis=-1)
    return np.linalg.norm(error[:, is_used], axis=-1).mean(axis=1) / width


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Basis:
    """The head's linear model at a few surface points, in the canonical frame."""

    neutral: Array  # [P, 3]
    modes: Array  # [I + E, P, 3]


def _basis_at(head: HeadModel, triangle: np.ndarray, barycentric: np.ndarray) -> _Basis:
    weight = jnp.asarray(barycentric, dtype=jnp.float32)[..., None]

    def at(values: Array) -> Array:
        corners = canonical_from_ict(values[..., jnp.asarray(triangle), :])
        return (weight * corners).sum(axis=-2)

    modes = jnp.concatenate([at(head.identity), at(head.expression)])
    return _Basis(neutral=at(head.neutral), modes=modes)


def _project(fit: Fits, basis: _Basis) -> Array:
    coefficients = jnp.concatenate([fit.identity, fit.expression])
    return fit.camera.project(basis.neutral + jnp.tensordot(coefficients, basis.modes, axes=1))


def _person_mean(identity: Array, person: Array, count: int) -> Array:
    total = jax.ops.segment_sum(identity, person, num_segments=count)
    number = jax.ops.segment_sum(jnp.ones(len(identity)), person, num_segments=count)
    return (total / number[:, None])[person]


def _start(basis: _Basis, target: Array, weight: Array, expressions: int) -> Fits:
    """Frontal neutral heads, aligned to the landmarks by one 2D similarity."""
    source = basis.neutral[:, :2]
    share = weight / weight.sum()
    source_mean = share @ source
    target_mean = jnp.einsum("k,nkd->nd", share, target)
    a = source - source_mean
    b = target - target_mean[:, None]
    cosine = jnp.einsum("k,kd,nkd->n", share, a, b)
    sine = jnp.einsum("k,nk->n", share, a[:, 0] * b[..., 1] - a[:, 1] * b[..., 0])
    scale = jnp.hypot(cosine, sine) / jnp.einsum("k,kd,kd->", share, a, a)
    angle = jnp.arctan2(sine, cosine)
    zero = jnp.zeros_like(angle)
    rotation = jax.vmap(_rotation)(jnp.stack([zero, zero, angle], axis=1))
    centre = jnp.einsum("nij,j->ni", rotation[:, :2, :2], source_mean) * scale[:, None]
    shift = jnp.concatenate([target_mean - centre, zero[:, None]], axis=1)
    photos = len(target)
    return Fits(
        identity=jnp.zeros((photos, len(basis.modes) - expressions)),
        expression=jnp.full((photos, expressions), 0.02),
        camera=Camera(scale=scale, rotation=rotation, translation=shift),
    )


def _rotation(vector: Array) -> Array:
    """Rodrigues' formula: rotation matrix of an axis times an angle in radians."""
    x, y, z = vector
    zero = jnp.zeros_like(x)
    cross = jnp.stack(
        [jnp.stack([zero, -z, y]), jnp.stack([z, zero, -x]), jnp.stack([-y, x, zero])]
    )
    angle = jnp.sqrt((vector**2).sum() + 1e-12)
    a = jnp.sin(angle) / angle
    b = (1.0 - jnp.cos(angle)) / angle**2
    return jnp.eye(3) + a * cross + b * cross @ cross


@jax.jit
def _step(
    state: Fits,
    person_mean: Array,
    target: Array,
    weight: Array,
    basis: _Basis,
    contour: ContourBasis,
    config: dict[str, Array],
) -> Fits:
    """One damped Gauss-Newton step for all photos."""

    def one(fit: Fits, mean: Array, points: Array, line: Array, outward: Array) -> Fits:
        outline = dataclasses.replace(contour, points=line, normals=outward)

        def residual(delta: Array) -> Array:
            return _residual(_moved(fit, delta), fit, mean, points, weight, basis, outline, config)

        zero = jnp.zeros(6 + fit.identity.size + fit.expression.size)
        value = residual(zero)
        jacobian = jax.jacfwd(residual)(zero)
        normal = jacobian.T @ jacobian + config["damping"] * jnp.eye(zero.size)
        return _moved(fit, -jnp.linalg.solve(normal, jacobian.T @ value))

    return jax.vmap(one)(state, person_mean, target, contour.points, contour.normals)


def _moved(fit: Fits, delta: Array) -> Fits:
    """Apply an update: rotation vector, log scale, shift in cm, coefficients."""
    identities = fit.identity.size
    camera = fit.camera
    shift = jnp.concatenate([delta[4:6] * camera.scale, jnp.zeros(1)])
    # The rotation turns about the origin of the head, so the translation stays.
    return Fits(
        identity=fit.identity + delta[6 : 6 + identities],
        expression=fit.expression + delta[6 + identities :],
        camera=Camera(
            scale=camera.scale * jnp.exp(delta[3]),
            rotation=_rotation(delta[:3]) @ camera.rotation,
            translation=camera.translation + shift,
        ),
    )


def _residual(
    fit: Fits,
    before: Fits,
    mean: Array,
    points: Array,
    weight: Array,
    basis: _Basis,
    outline: ContourBasis,
    config: dict[str, Array],
) -> Array:
    """Stack all error terms; weights and units come from the state before the step."""
    unit = before.camera.scale
    error = (_project(fit, basis)[:, :2] - points) / unit
    old = jax.lax.stop_gradient((_project(before, basis)[:, :2] - points) / unit)
    # Geman-McClure: the weight of a far landmark falls with the fourth power.
    robust = 1.0 / (1.0 + (old**2).sum(axis=1) / config["outlier"] ** 2)
    landmark = error * (jnp.sqrt(weight) * robust / config["noise"])[:, None]
    coefficients = jnp.concatenate([fit.identity, fit.expression])
    previous = jnp.concatenate([before.identity, before.expression])
    slide = contour_residual(fit.camera, coefficients, before.camera, previous, outline)
    prior = fit.identity
    together = jnp.sqrt(config["shared_identity"]) * (fit.identity - mean)
    size = fit.expression / config["expression_sigma"]
    outside = before.expression - jnp.clip(before.expression, 0.0, 1.0)
    bound = jnp.where(outside != 0, fit.expression - jnp.clip(before.expression, 0.0, 1.0), 0.0)
    return jnp.concatenate(
        [
            landmark.ravel(),
            slide / config["contour_noise"],
            prior,
            together,
            size,
            jnp.sqrt(config["bound_weight"]) * bound,
        ]
    )
