"""Training on drawn faces, put together: the networks, what is drawn, and what it is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..geometry.layout import UVLayout, load_layout
from ..network.prn_lite import LARGE, PRNLite
from ..network.weights import load_weights
from ..synthesis.generator import load_generator
from ..synthesis.origin import drawn_origin, merge_origins
from ..synthesis.sources import find_sources
from ..synthesis.surface import bind_texels
from .checkpoint import check_new, weights_besides
from .grow import grow_network
from .on_device import drawn_from_pool, train_on_device
from .pool import Pool
from .request import DrawnRun
from .stream import Sources

__all__ = ["train_drawing"]


def train_drawing(
    run: DrawnRun, *, report: Callable[[dict[str, float]], None] | None = None
) -> dict[str, Path]:
    """Train on faces that are drawn on the device, with the settings of the embedded weights.

    Args:
        run: what is trained, from what.
        report: is called with the mean losses of every 120 steps, by name.

    Returns:
        The weights files, by name.

    Raises:
        InputError: first weights of another kind of network than prn-lite, a pool or folder that
            cannot be drawn from, or as `train_on_device`.
        AssetError: the first weights cannot be read.
    """
    output = run.config.output
    written = [output / f"{name}.safetensors" for name in run.initial]
    check_new(output, [*written, *weights_besides(output, run.initial.values())])
    layout = load_layout(run.config.layout)
    networks, learnt = {}, []
    for name, weights in run.initial.items():
        networks[name], known = _first_network(weights, layout, is_large=run.is_large)
        learnt.append(known)
    pool = Pool(run.config.pool)
    photos = drawn_from_pool(pool, layout)
    head, folder = find_sources(run.assets)
    generator = load_generator(head, folder=folder, photo_skins=run.photo_skins)
    backdrops = generator.bank.backdrops
    origin = drawn_origin(head, folder=folder, photo_skins=run.photo_skins)
    return train_on_device(
        networks,
        Sources(generator=generator, binding=bind_texels(generator.surface, layout.size)),
        photos,
        backdrops[: max(1, len(backdrops) // 4)],  # the sharp ones
        dataclasses.replace(
            run.config, batch=128, learning_rate=1e-3, cooldown=0.6, report_minutes=2.5
        ),
        layout=layout,
        made_of=merge_origins([*learnt, dataclasses.asdict(origin), pool.header]),
        rates=run.rates,
        report=report,
    )


def _first_network(
    weights: str, layout: UVLayout, *, is_large: bool
) -> tuple[PRNLite, dict[str, Any]]:
    """Return a network with its first weights, or a larger one grown from them, and their data."""
    loaded: tuple[Any, Any] = load_weights(weights, layout=layout)
    network, header = loaded
    if header.network != "prn-lite":
        raise InputError(
            f"{weights} is a {header.network!r} network; --draw trains the kind of prn-lite, "
            "give such weights"
        )
    return (grow_network(network, LARGE) if is_large else network), header.training
