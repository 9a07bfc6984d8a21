"""``uvface benchmark``: how long each stage of a swap takes, cold and warm.

Cold is a stage's first call: compiled code is loaded from the cache folder or made, as far as no
stage before needed it. Reading the faces, between the first two rows, is not among the rows.
Warm calls repeat it on the same photos; detection is timed on its own, the other stages get its
boxes.
"""

from __future__ import annotations

import dataclasses
import functools
import statistics
import time
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from ..core.arguments import as_number
from ..core.compilation import jit_products
from ..core.detection.default import default_detector
from ..core.errors import NoFaceError
from ..core.geometry.layout import UVLayout
from ..core.geometry.render import render_texture
from ..core.geometry.sampling import sample_texture
from ..core.geometry.visibility import visibility
from ..core.geometry.window import cut_window
from ..core.io.images import Photo
from ..core.io.photos import PhotoLike, open_photo
from ..core.network.inference import fold_network
from ..core.network.peers import make_peer, parse_peers, require_peers
from ..core.network.registry import make_network
from ..core.reconstruct import Model, as_model
from ..core.types import Face
from .photos import swap
from .swap import swap_face

__all__ = ["Timing", "benchmark", "compare_networks", "draw_maps"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """Times of one stage, milliseconds."""

    stage: str
    cold: float
    median: float  # of warm calls
    low: float  # first quartile
    high: float  # third quartile


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return 1000.0 * (time.perf_counter() - start)


def _timing(stage: str, times: Sequence[float]) -> Timing:
    warm = times[2:]  # the second call still fills caches
    low, _, high = statistics.quantiles(warm, n=4)
    return Timing(stage=stage, cold=times[0], median=statistics.median(warm), low=low, high=high)


def _measure(stage: str, call: Callable[[], object], repeats: int) -> Timing:
    return _timing(stage, [_milliseconds(call) for _ in range(repeats + 2)])


def _measure_in_turn(calls: dict[str, Callable[[], object]], repeats: int) -> list[Timing]:
    """Time calls that are to be compared, such that a busy minute falls on all of them.

    Each timed call but the first follows another of its own: the caches are its own, and threads
    that wait busily for more work of the runtime before have given up.
    """
    times: dict[str, list[float]] = {name: [_milliseconds(call)] for name, call in calls.items()}
    for _ in range(repeats + 1):
        for name, call in calls.items():
            jax.block_until_ready(call())
            times[name].append(_milliseconds(call))
    return [_timing(name, found) for name, found in times.items()]


@functools.partial(jax.jit, static_argnames="side")
def _draw(
    window: Array, position_map: Array, layout: UVLayout, origin: Array, *, side: int
) -> tuple[Array, ...]:
    texture = sample_texture(window, position_map - jnp.append(origin, 0).astype(jnp.float32))
    channels = jnp.concatenate([texture, position_map[..., 2:]], axis=-1)
    drawn, mask = render_texture(
        channels, position_map, layout, height=side, width=side, origin=origin
    )
    return mask, drawn[..., :3], visibility(position_map, layout), drawn[..., 3]


def draw_maps(image: np.ndarray, face: Face, layout: UVLayout) -> tuple[Array, ...]:
    """Return a face's mask, colours, visibility per texel and depth, in the window around it.

    What PRNet computes by four loops over the triangles.
    """
    points = np.asarray(face.position_map)[..., :2]
    window, origin = cut_window(image, points)
    corner = jnp.asarray(origin, jnp.int32)
    return _draw(
        jnp.asarray(window), jnp.asarray(face.position_map), layout, corner, side=len(window)
    )


def benchmark(
    target: PhotoLike,
    reference: PhotoLike,
    *,
    model: Model | None = None,
    repeats: int = 15,
    against: str | Sequence[str] = "none",
) -> list[Timing]:
    """Time the stages of a swap of two photos.

    Args:
        target: file, picture of Pillow, or RGB in [0, 1]; its largest face is changed.
        reference: file, picture or array that the face comes from.
        model: from `uvface.load`; by default the embedded weights, which each call loads.
        repeats: warm calls of each stage, at least 3, for quartiles.
        against: runtimes in which the paper's network is timed as well, as a list or separated
            by commas: ``onnxruntime``, ``torch``; ``none`` or an empty list times none.

    Returns:
        One for each stage, in the order of a swap, and then those of `compare_networks`.

    Raises:
        InputError: there are too few repeats, a photo cannot be read, or a runtime is unknown or
            not installed.
        NoFaceError: a photo shows no face.
    """
    peers, repeats = parse_peers(against), as_number("repeats", repeats, 3, is_whole=True)
    require_peers(peers)
    timings = _time_swap(open_photo(target), open_photo(reference), as_model(model), repeats)
    return timings + (compare_networks(peers, repeats=repeats) if peers else [])


def _time_swap(target: Photo, reference: Photo, model: Model, repeats: int) -> list[Timing]:
    ours, theirs = target.image, reference.image
    detection = _measure("detection", lambda: default_detector().detect(ours), repeats)
    face = _largest(model, target, "target")
    other = _largest(model, reference, "reference")
    boxes = [[np.asarray(one.box).tolist()] for one in (face, other)]
    crop = jnp.asarray(np.random.default_rng(0).random((1, 256, 256, 3), np.float32))
    see = jax.jit(lambda position_map: visibility(position_map, model.layout))

    def reconstruct() -> object:
        return model.reconstruct(ours, boxes=boxes[0])[0].visibility

    def paste() -> object:
        return swap_face(ours, face, theirs, other, model.layout)

    def whole() -> object:
        given = {"target": boxes[0], "reference": boxes[1]}
        return swap(ours, theirs, model=model, boxes=given).image

    stages: dict[str, Callable[[], object]] = {
        "network, one crop": lambda: model.predict(crop),
        "visibility": lambda: see(face.position_map),
        "mask, colours, visibility, depth": lambda: draw_maps(ours, face, model.layout),
        "reconstruct, box given": reconstruct,
        "swap, faces given": paste,
        "whole swap, boxes given": whole,
    }
    return [detection, *(_measure(name, call, repeats) for name, call in stages.items())]


def _largest(model: Model, photo: Photo, name: str) -> Face:
    found = model.reconstruct(photo.image, faces="largest")
    if not found:
        title = photo.path or f"the {name}"
        raise NoFaceError(f"no face found in {title}; give a photo with a face to time")
    return found[0]


def compare_networks(peers: Sequence[str], *, repeats: int = 15) -> list[Timing]:
    """Time the paper's network with fresh weights at batch 1, here and in other runtimes, in turn.

    Args:
        peers: names of `core.network.peers.PEERS`, installed.
        repeats: a quarter of the warm calls of each, at least 3: machines have slow spells of
            seconds, which shall not last for half of the calls.

    Returns:
        Ours in its plain form and in that for inference, then the peers.
    """
    network = make_network("prn")
    network.eval()
    crops = np.random.default_rng(0).random((1, 256, 256, 3), np.float32)
    ours, theirs = jnp.asarray(crops), np.ascontiguousarray(crops.transpose(0, 3, 1, 2))
    graph, state = nnx.split(network)
    plain = jit_products(lambda state, crops: nnx.merge(graph, state)(crops))
    fast, run_fast = fold_network(network), jit_products(lambda network, crops: network(crops))
    calls: dict[str, Callable[[], object]] = {
        "prn, plain form": lambda: plain(state, ours),
        "prn": lambda: run_fast(fast, ours),
    }
    for name in peers:
        calls[f"prn, {name}"] = functools.partial(make_peer(name, network), theirs)
    return _measure_in_turn(calls, 4 * repeats)
