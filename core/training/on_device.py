"""Training on a GPU: faces are drawn, cropped and learnt from there, for several networks at once.

A store on the device holds the faces drawn last; every few steps some are drawn anew. Networks
share the crops, which costs each little, and may have learning rates of their own. The budget is
time after compilation, since that is what a lent machine is short of. The weights of the moving
average are written from time to time, and ``log.csv`` with the losses; a later run starts from
them, and draws other faces, since the random numbers depend on the first weights.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import hashlib
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..compilation import keep_compiled_code
from ..errors import InputError
from ..geometry.layout import UVLayout
from ..network.weights import flat_variables, save_weights
from ..network.weights_file import WeightsHeader
from ..synthesis.view import PICTURE_SIZE
from ..whole_files import make_folder, no_empty_folder
from .checkpoint import check_new
from .config import TrainConfig, astray, check_budget
from .loss import make_reading
from .pool import Pool
from .schedule import learning_rate, make_optimizer
from .step import init_state, make_update
from .stream import Drawn, Sources, draw_faces, make_refill, make_store_steps

__all__ = ["StoreConfig", "drawn_from_pool", "train_on_device"]

_TOGETHER = 3  # steps of one call


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoreConfig:
    """How many faces the device holds, and how many are drawn."""

    faces: int = 32768
    first: int = 3072  # that are there before training begins
    drawn: int = 64  # at once, after every three steps; a divisor of the others
    photo_share: float = 0.1  # of the crops


def drawn_from_pool(pool: Pool, layout: UVLayout) -> Drawn:
    """Return the samples of a pool that are not held back, as arrays on the device.

    Args:
        pool: its pictures must be as large as those that are drawn.
        layout: UV layout that is trained.

    Raises:
        InputError: a pool without such samples, of another size or another layout.
    """
    pool.check_layout(layout)
    if pool.size != PICTURE_SIZE:
        raise InputError(
            f"the pictures of the pool {pool.folder} are {pool.size} pixels wide, those that are "
            f"drawn {PICTURE_SIZE}; synthesize it anew"
        )
    samples = [pool.sample(k) for k in range(len(pool)) if k not in pool.held_back]
    if not samples:
        raise InputError(f"the pool {pool.folder} holds no shard yet to train on")
    size = (pool.size, pool.size)
    return Drawn(
        image=jnp.asarray(np.stack([sample.image for sample in samples])),
        mask=jnp.asarray(np.stack([cv2.resize(sample.mask, size) for sample in samples])),
        control=jnp.asarray(np.stack([sample.control for sample in samples])),
        landmarks=jnp.asarray(np.stack([sample.landmarks for sample in samples])),
        angles=jnp.asarray(np.stack([sample.angles for sample in samples])),
    )


def train_on_device(
    networks: Mapping[str, Any],
    sources: Any,
    photos: Drawn,
    backdrops: jax.Array,
    config: TrainConfig,
    *,
    layout: UVLayout,
    made_of: Mapping[str, Any],
    store: StoreConfig = StoreConfig(),
    rates: Mapping[str, float] | None = None,
    draw: Callable[[Any, jax.Array], Drawn] | None = None,
    report: Callable[[dict[str, float]], None] | None = None,
) -> dict[str, Path]:
    """Train `PRNLite` networks on faces that are drawn while they learn.

    Args:
        networks: networks with their first weights, by name.
        sources: `Sources` that faces are drawn from.
        photos: labelled photos, a share of all crops (`drawn_from_pool`).
        backdrops: ``[M, S, S, 3]`` uint8 pictures without faces.
        config: batch, rate, schedule, losses; ``minutes`` or ``steps`` is the budget and
            ``output`` the folder; its pools are not read.
        layout: UV layout of the labels.
        made_of: data and licences of all pictures, and of the first weights (`merge_origins`).
        store: how many faces there are.
        rates: learning rates, by name, in place of the one of ``config``.
        draw: in place of `draw_faces`.
        report: is called with the mean losses of every 120 steps.

    Returns:
        The weights files, by name.

    Raises:
        InputError: the store cannot be filled, or weights that are no numbers any more (a learning
            rate that is too high), at the end where other networks were sound: those are written.
    """
    with no_empty_folder(Path(config.output)):
        run = _Run(networks, config, layout, store, rates or {}, made_of)
        run.prepare(sources, photos, backdrops, draw or _draw(store))
        return run.go(report)


def _draw(store: StoreConfig) -> Callable[[Sources, jax.Array], Drawn]:
    return functools.partial(draw_faces, together=store.drawn)


def _fingerprint(networks: Mapping[str, Any]) -> int:
    """Return a number of all first weights: a run that goes on from others' sees other faces."""
    digest = hashlib.sha256()
    for network in networks.values():
        for _, variable in sorted(flat_variables(network).items()):
            digest.update(np.ascontiguousarray(variable[...]).tobytes())
    return int.from_bytes(digest.digest()[:4], "little")


def _fields(drawn: Drawn) -> dict[str, jax.Array]:
    return {field.name: getattr(drawn, field.name) for field in dataclasses.fields(drawn)}


class _Run:
    """Arrays, clock and files of one run."""

    def __init__(
        self,
        networks: Mapping[str, Any],
        config: TrainConfig,
        layout: UVLayout,
        store: StoreConfig,
        rates: Mapping[str, float],
        made_of: Mapping[str, Any],
    ) -> None:
        if store.faces % store.drawn or store.first > store.faces:
            raise InputError(f"a store of {store.faces} faces cannot be drawn by {store.drawn}")
        check_budget(config.minutes, config.steps)
        keep_compiled_code()
        self.config, self.layout, self.store_config = config, layout, store
        self.made_of = made_of
        self.output = Path(config.output)
        check_new(self.output, map(self._weights, networks))
        make_folder(self.output)
        optimizer = make_optimizer(config)
        reading = make_reading(layout, texel_weights=config.texel_weights)
        self.graphs: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        updates: dict[str, Any] = {}
        for name, network in networks.items():
            graph, state = init_state(network, optimizer)
            # Copied, because grown networks share arrays, and every step uses its state up.
            self.state[name] = jax.tree.map(jnp.copy, state)
            self.graphs[name] = graph
            updates[name] = make_update(config, graph, reading, optimizer)
        highest = config.learning_rate
        shares = {name: rates.get(name, highest) / highest for name in networks}

        def update(state: dict[str, Any], crops: Any, rate: Any) -> tuple[Any, dict[str, Any]]:
            found = {n: step(state[n], crops, shares[n] * rate) for n, step in updates.items()}
            losses = {f"{n} {part}": v for n, (_, r) in found.items() for part, v in r.items()}
            return {name: after for name, (after, _) in found.items()}, losses

        self.steps = make_store_steps(config, update, photo_share=store.photo_share)
        self.count, self.drawn, self.seconds = 0, 0, 0.0
        self.gone: set[str] = set()  # names of networks gone astray
        key = jax.random.fold_in(jax.random.key(config.seed), jnp.uint32(_fingerprint(networks)))
        self.draw_key, self.key = jax.random.split(key)

    def prepare(self, sources: Any, photos: Drawn, backdrops: jax.Array, draw: Any) -> None:
        """Put an empty store onto the device and draw the first faces."""
        one, faces = jax.random.split(jax.random.key(0), 1), self.store_config.faces
        shapes = jax.eval_shape(lambda s, k: _fields(draw(s, k)), sources, one)
        empty = {name: jnp.zeros((faces, *a.shape[1:]), a.dtype) for name, a in shapes.items()}
        self.store = Drawn(**empty)
        self.sources, self.photos, self.backdrops = sources, photos, backdrops
        self.refill = make_refill(draw, self.store_config.drawn)
        while self.drawn < self.store_config.first:
            self._more()

    def _more(self) -> None:
        """Draw some faces over the oldest."""
        key = jax.random.fold_in(self.draw_key, self.drawn)
        place = jnp.int32(self.drawn % self.store_config.faces)
        self.store = self.refill(self.store, self.sources, key, place)
        self.drawn += self.store_config.drawn

    def _weights(self, name: str) -> Path:
        return self.output / f"{name}.safetensors"

    def share(self) -> float:
        """Return the used part of the budget, in [0, 1]: the last steps may end after it."""
        if self.config.steps is not None:
            return min(1.0, self.count / self.config.steps)
        return min(1.0, self.seconds / (60.0 * (self.config.minutes or 1.0)))

    def go(self, report: Callable[[dict[str, float]], None] | None) -> dict[str, Path]:
        """Train until the budget is used."""
        losses: list[dict[str, jax.Array]] = []
        saved = 0.0
        began = time.monotonic()
        while self.share() < 1.0:
            losses.append(self._advance())
            if self.count == _TOGETHER:  # compiled by now
                jax.block_until_ready(losses)
                began = time.monotonic()
            elif len(losses) % 8 == 0:  # not too far ahead of the device
                jax.block_until_ready(losses[-1])
            self.seconds = time.monotonic() - began
            if len(losses) >= 40 or self.share() >= 1.0:
                row = self._log(jax.device_get(losses))
                losses = []
                if report is not None:
                    report(row)
            if self.seconds - saved >= 60.0 * self.config.report_minutes:
                saved = self.seconds
                self._go_on_without(self._save())
        if gone := self._save():
            raise astray(self.count, gone)
        return {name: self._weights(name) for name in self.graphs}

    def _go_on_without(self, gone: set[str]) -> None:
        """Warn of networks gone astray, once; the others go on to their cooldown."""
        if len(gone) == len(self.graphs):
            raise astray(self.count, gone)
        if new := gone - self.gone:
            warnings.warn(f"{astray(self.count, new)}; the others go on", stacklevel=2)
        self.gone |= new

    def _advance(self) -> dict[str, jax.Array]:
        """Make some steps, then draw some faces."""
        share = self.share()
        rates = [
            learning_rate(self.config, share=share, step=self.count + k) for k in range(_TOGETHER)
        ]
        self.state, losses = self.steps(
            self.state,
            self.store,
            self.photos,
            self.backdrops,
            self.key,
            jnp.int32(self.count),
            jnp.int32(min(self.drawn, self.store_config.faces)),
            jnp.asarray(rates, jnp.float32),
        )
        self.count += _TOGETHER
        self._more()
        return losses

    def _log(self, losses: list[dict[str, Any]]) -> dict[str, float]:
        row: dict[str, float] = {"step": float(self.count), "drawn": float(self.drawn)}
        row["share"] = self.share()
        row["seconds"] = round(self.seconds, 1)
        row |= {name: float(np.mean([some[name] for some in losses])) for name in losses[0]}
        path = self.output / "log.csv"
        is_new = self.count <= _TOGETHER * 40 or not path.is_file()
        with path.open("w" if is_new else "a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        return row

    def _save(self) -> set[str]:
        """Write the weights of the moving averages; return the names of those no numbers."""
        training = {
            "steps": self.count,
            "images": self.count * self.config.batch,
            "distinct_images": self.drawn + len(self.photos.image),
            "minutes": round(self.seconds / 60.0, 1),
            **self.made_of,
        }
        header = WeightsHeader(
            network="prn-lite",
            layout=self.layout.name,
            layout_digest=self.layout.digest,
            training=training,
        )
        gone = set()
        for name, graph in self.graphs.items():
            average, rest = jax.device_get((self.state[name].average, self.state[name].rest))
            if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(average)):
                gone.add(name)  # what was saved before stays
                continue
            save_weights(self._weights(name), nnx.merge(graph, average, rest), header)
        return gone
