"""The training loop: the one place of training with a clock, files and threads.

A run folder holds ``config.json``, ``log.csv``, ``curve.png``, ``sheet.png``, ``last.checkpoint``
(all that is needed to go on) and ``best.safetensors`` / ``last.safetensors`` (weights files of
the moving average). A file named ``COOLDOWN`` in it, holding a number of minutes, lets a running
job end in that time with a proper cooldown.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..compilation import keep_compiled_code
from ..errors import InputError
from ..geometry.layout import UVLayout, load_layout
from ..network.weights import save_weights
from ..network.weights_file import WeightsHeader
from ..synthesis.origin import merge_origins
from ..whole_files import make_folder, write_bytes_atomic
from .checkpoint import (
    LAST,
    check_new,
    load_checkpoint,
    read_record,
    save_checkpoint,
    weights_besides,
)
from .config import TrainConfig, astray, check_budget
from .cooldown import take_request
from .feed import Batch, Feed, Order, validation_batches
from .log import Log
from .loss import make_reading
from .negatives import FACELESS, read_pictures
from .parallel import make_placement
from .pictures import contact_sheet, plot_curves
from .pool import Pool
from .schedule import cooled_share, learning_rate, make_optimizer
from .settings import check_settings, settings_of, with_length
from .start import describe_network, first_network, network_of_record
from .step import Labelled, TrainState, init_state, make_step, make_validation

__all__ = ["Progress", "train_on_pool"]

Report = Callable[["Progress"], None]
_BEST, _FINAL = "best.safetensors", "last.safetensors"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
    """What a caller is told from time to time."""

    step: int
    share: float  # of the budget, in [0, 1]
    seconds: float  # of training so far
    images_per_second: float
    learning_rate: float
    samples: int  # in the pool
    loss: float  # mean since the last report
    validation: dict[str, float]  # mean errors over the face size; empty between validations


def train_on_pool(
    config: TrainConfig,
    *,
    resume: bool = False,
    layout: UVLayout | None = None,
    report: Report | None = None,
) -> Path:
    """Train a network on a pool.

    Args:
        config: the run.
        resume: go on from the output folder's last checkpoint, with its order and random state, and
            with its minutes where ``config`` has neither minutes nor steps.
        layout: UV layout of the pool; the one that ``config`` names where not given.
        report: is called with the progress about every ten seconds.

    Returns:
        The weights file that was best on the validation samples.

    Raises:
        InputError: no budget, or one that the resumed run has used, an unusable pool, a run in the
            output folder that is not resumed, or is with other settings, first weights of another
            kind of network than ``config`` names, or errors that are no numbers any more (a
            learning rate that is too high).
        AssetError: the first weights or the checkpoint cannot be read.
    """
    return _Run(config, layout or load_layout(config.layout), resume=resume).go(report)


class _Run:
    """Arrays, files and clock of one run."""

    def __init__(self, config: TrainConfig, layout: UVLayout, *, resume: bool) -> None:
        self.output = Path(config.output)
        record = read_record(self.output / LAST) if resume else None
        config = config if record is None else with_length(config, record)
        check_budget(config.minutes, config.steps)
        keep_compiled_code()
        self.config, self.layout = config, layout
        if not resume:
            others = weights_besides(self.output, [config.initial] if config.initial else [])
            check_new(self.output, [self.output / _BEST, self.output / _FINAL, *others])
        settings = settings_of(config) if record is None else check_settings(config, record)
        self.settings = settings  # that it began with
        known = [] if record is None else record["shards"]
        self.pool = Pool(config.pool, more=config.more_pools, names=known)
        self.pool.check_layout(layout)
        self.validated = self.pool.validation(config.validation)
        self.pictures = read_pictures(config.negatives) if config.negatives else ()
        texels = 64 if config.network == "prn-lite" else layout.size
        self.reading = make_reading(layout, texel_weights=config.texel_weights, size=texels)
        self.order = Order(config.seed, self.pool.held_back)
        self.seconds, self.best, self.minutes = 0.0, float("inf"), config.minutes
        self.asked: tuple[float, float] | None = None  # minutes and cooldown, by `take_request`
        optimizer = make_optimizer(config)
        if record is not None:
            network, learnt = network_of_record(config, record), record.get("made_of", {})
        else:
            network, learnt = first_network(
                config, pool=self.pool, layout=layout, reading=self.reading
            )
        parts = [*([] if learnt is None else [learnt]), *self.pool.headers]
        self.made_of = merge_origins([*parts, *([FACELESS] if self.pictures else [])])
        self.graph, self.state = init_state(network, optimizer)
        self.step = make_step(config, self.graph, self.reading, optimizer)
        self.validate = make_validation(self.graph, self.reading)
        if resume:
            self._resume()
        self.place = None
        if config.devices > 1:
            placement = make_placement(config.devices, config.batch)
            self.state, self.place = placement.replicate(self.state), placement.split
        make_folder(self.output)
        until = int(self.state.step) if resume else None
        self.log = Log(self.output / "log.csv", until=until)

    def _write_config(self) -> None:
        text = json.dumps(dataclasses.asdict(self.config), indent=1, default=str)
        (self.output / "config.json").write_text(text + "\n")

    def _resume(self) -> None:
        self.state, record = load_checkpoint(self.output / LAST, self.state)
        self.order = Order.restore(record["order"], self.pool.held_back)
        self.seconds, self.best = record["seconds"], record["best"]
        asked = record.get("asked")
        if self.config.steps is None and asked is not None and self.seconds < 60.0 * asked[0]:
            self._set_end(asked[0], cooldown=asked[1])

    def share(self, step: int) -> float:
        """Return the used part of the budget, in [0, 1]: the last step may end after it."""
        if self.config.steps is not None:
            return min(1.0, step / self.config.steps)
        return min(1.0, self.seconds / (60.0 * (self.minutes or 1.0)))

    def _look_for_cooldown(self) -> None:
        """Shorten the budget when asked; the rate falls from where it is when the file appears."""
        if self.config.steps is not None:
            return
        asked = take_request(self.output)
        cooled = cooled_share(self.config, share=self.share(0))
        if asked is not None and cooled < 1.0:
            elapsed = self.seconds / 60.0
            left = min(asked, (self.minutes or 1.0) - elapsed)
            # What is left is the part 1 - cooled of the new cooldown, as it is of the old one.
            self._set_end(elapsed + left, cooldown=left / (elapsed + left) / (1.0 - cooled))

    def _set_end(self, minutes: float, *, cooldown: float) -> None:
        self.asked = (minutes, cooldown)  # kept by a run that is resumed before its end
        self.minutes = minutes
        self.config = dataclasses.replace(self.config, cooldown=cooldown)

    def go(self, report: Report | None) -> Path:
        """Train until the budget is used."""
        config, step = self.config, int(self.state.step)
        is_completed = step > 0 and self._complete(step)  # resumed
        if self.share(step) >= 1.0:
            if is_completed:
                return self.output / _BEST
            raise self._used_up(step)
        self._write_config()
        self.order.grow(self.pool.refresh())
        feed = Feed(
            self.pool,
            self.order,
            config.augment,
            batch=config.batch,
            workers=config.workers,
            ahead=config.prefetch,
            pictures=self.pictures,
        )
        saved = looked = told = self.seconds
        batch: Batch | None = None
        losses: list[jax.Array] = []
        is_compiled = False
        with feed:
            batches = iter(feed)
            while self.share(step) < 1.0:
                began = time.monotonic()
                batch = next(batches)
                rate = learning_rate(self.config, share=self.share(step), step=step)
                losses.append(self._advance(batch, rate))
                step += 1
                if is_compiled:  # a budget of minutes is one of training
                    self.seconds += time.monotonic() - began
                is_compiled = True
                if self.seconds - told >= 10.0:
                    speed = len(losses) * config.batch / (self.seconds - told)
                    self._tell(report, step, rate, speed, losses, {})
                    told, losses = self.seconds, []
                if self.seconds - looked >= 60.0 * config.refresh_minutes:
                    looked = self.seconds
                    feed.look_for_more()
                    self._look_for_cooldown()
                if self.seconds - saved >= 60.0 * config.report_minutes:
                    saved = self.seconds
                    self._save(batch, step, report, rate)
        if batch is not None:
            self._save(batch, step, report, 0.0)
        return self.output / _BEST

    def _advance(self, batch: Batch, rate: float) -> jax.Array:
        self.state, parts = self.step(
            self.state, Labelled.of(batch, place=self.place), jnp.float32(rate)
        )
        return jax.block_until_ready(jnp.stack([parts["loss"], parts["dense"], parts["points"]]))

    def _tell(
        self,
        report: Report | None,
        step: int,
        rate: float,
        speed: float,
        losses: list[jax.Array],
        validation: dict[str, float],
    ) -> None:
        mean = np.mean(losses, axis=0) if losses else np.full(3, np.nan)
        progress = Progress(
            step=step,
            share=self.share(step),
            seconds=self.seconds,
            images_per_second=speed,
            learning_rate=rate,
            samples=len(self.pool),
            loss=float(mean[0]),
            validation=validation,
        )
        self.log.write(
            progress, dense=float(mean[1]), points=float(mean[2]), batch=self.config.batch
        )
        if report is not None:
            report(progress)

    def _save(self, batch: Batch, step: int, report: Report | None, rate: float) -> None:
        """Validate the moving average, write checkpoint, weights and pictures."""
        errors = self._validation()
        if not np.isfinite(errors["val_nme"]):  # it stays so; what was saved before is sound
            raise astray(step)
        self.best = min(self.best, errors["val_nme"])
        record = {
            "order": batch.order,
            "settings": self.settings,
            "minutes": self.config.minutes,
            "network": describe_network(self.config, self.graph, self.state),
            "shards": self.pool.names,
            "seconds": self.seconds,
            "asked": self.asked,
            "made_of": self.made_of,
            "best": self.best,
        }
        # First: of a run that is killed before its weights are written this is all that it needs.
        save_checkpoint(self.output / LAST, self.state, record)
        self._save_weights(step, errors)
        self._tell(report, step, rate, 0.0, [], errors)
        self._draw(batch)

    def _save_weights(self, step: int, errors: dict[str, float]) -> None:
        header = self._header(step, errors)
        network = nnx.merge(self.graph, self.state.average, self.state.rest)
        best = self.output / _BEST
        if errors["val_nme"] <= self.best or not best.is_file():
            save_weights(best, network, header)
        save_weights(self.output / _FINAL, network, header)  # last: `_complete` looks at it

    def _complete(self, step: int) -> bool:
        """Write the weights of a run that was killed between its checkpoint and them, if it was."""
        saved = (self.output / LAST).stat().st_mtime_ns
        best, final = self.output / _BEST, self.output / _FINAL
        if best.is_file() and final.is_file() and final.stat().st_mtime_ns >= saved:
            return False
        self._save_weights(step, self._validation())
        return True

    def _used_up(self, step: int) -> InputError:
        """Return the error of a run that is resumed with nothing left to do."""
        if self.config.steps is not None:
            used = f"has made {step} steps of {self.config.steps}; give more steps"
        else:
            used = f"has trained for {self.seconds / 60:.1f} minutes of {self.minutes:g}"
            used += "; give more in all with --minutes"
        return InputError(f"the run in {self.output} {used}")

    def _header(self, step: int, errors: dict[str, float]) -> WeightsHeader:
        return WeightsHeader(
            network=self.config.network,
            layout=self.layout.name,
            layout_digest=self.layout.digest,
            training={
                "steps": step,
                "images": step * self.config.batch,
                "distinct_images": len(self.pool) - len(self.pool.held_back),
                "minutes": round(self.seconds / 60.0, 1),
                **self.made_of,
            },
            evaluation={name: round(100.0 * value, 3) for name, value in errors.items()},
        )

    def _validation(self) -> dict[str, float]:
        return _validation_errors(
            self.validate, self.state, self.pool, self.validated, self.config.batch
        )

    def _draw(self, batch: Batch) -> None:
        """Draw predictions on the current batch and on validation samples."""
        held = self.validated[:16]
        sheets = []
        for some in (batch, *validation_batches(self.pool, held, len(held))):
            found = self._predict(some)
            sheets.append(contact_sheet(some.images[:16], found[:16], some.landmarks[:16]))
        picture = cv2.cvtColor(np.concatenate(sheets), cv2.COLOR_RGB2BGR)
        sheet = cv2.imencode(".png", picture)[1].tobytes()
        write_bytes_atomic(self.output / "sheet.png", sheet)
        if find_spec("matplotlib") is not None:
            plot_curves(self.output / "log.csv", self.output / "curve.png")

    def _predict(self, batch: Batch) -> np.ndarray:
        return _validate_batch(self.validate, self.state, batch)["landmarks"]


def _validate_batch(
    validate: Callable[..., Any], state: TrainState, batch: Batch
) -> dict[str, np.ndarray]:
    found = validate(state.average, state.rest, Labelled.of(batch))
    return {name: np.asarray(value) for name, value in found.items()}


def _validation_errors(
    validate: Callable[..., Any], state: TrainState, pool: Pool, validated: range, batch: int
) -> dict[str, float]:
    """Return mean errors of the moving average over the validation samples, over the face size."""
    results = [
        _validate_batch(validate, state, some)
        for some in validation_batches(pool, validated, batch)
    ]
    return {
        f"val_{name}": float(np.mean(np.concatenate([r[name] for r in results])))
        for name in ("nme", "dense", "mask", "cover", "confidence")
    }
