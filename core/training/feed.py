"""Batches for training: a repeatable order of samples, prepared ahead by a few threads.

The order depends only on the seed and on when new shards were seen; its state after each batch is
handed out with the batch, so that a resumed run goes on with exactly the next sample.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from ..errors import InputError
from .augment import Crop, augment, upright_crop
from .config import AugmentConfig
from .negatives import faceless_crop
from .pool import Pool
from .spoil import spoil

__all__ = ["Batch", "Feed", "Order", "stack_crops", "validation_batches"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batch:
    """Network inputs and labels, and where the order stands after them."""

    images: np.ndarray  # [B, 256, 256, 3] uint8
    control: np.ndarray  # [B, n, n, 3] crop pixels
    landmarks: np.ndarray  # [B, 68, 3] crop pixels
    masks: np.ndarray  # [B, 128, 128] uint8: 255 where the head itself is seen
    is_face: np.ndarray  # [B] float32: 0 where there is no whole face, and labels mean nothing
    order: dict[str, Any]  # state of the `Order`


class Order:
    """Shuffled passes over a pool that may grow; every sample before any sample again."""

    def __init__(self, seed: int, held_back: Collection[int]) -> None:
        """Begin the first pass.

        Args:
            seed: of the shuffling.
            held_back: samples that are never taken: `Pool.held_back`, which may grow with the pool.
        """
        self._held_back = held_back
        self.state: dict[str, Any] = {"seed": seed, "round": 0, "at": 0, "count": 0, "parts": []}
        self._queue = np.zeros(0, np.int64)

    @staticmethod
    def restore(state: dict[str, Any], held_back: Collection[int]) -> Order:
        """Return the order in a state that a batch carried."""
        order = Order(state["seed"], held_back)
        order.state = {**state, "parts": list(state["parts"])}
        order._queue = order._rebuild()
        return order

    def _rebuild(self) -> np.ndarray:
        """Replay the parts of this round: what was known when it began, and what came since."""
        queue, start = np.zeros(0, np.int64), 0
        for part, (at, count) in enumerate(self.state["parts"]):
            fresh = np.arange(start, count)
            fresh = fresh[~np.isin(fresh, np.fromiter(self._held_back, np.int64))]
            rest = np.concatenate([queue[at:], fresh])
            rng = np.random.default_rng([self.state["seed"], self.state["round"], part])
            queue = np.concatenate([queue[:at], rng.permutation(rest)])
            start = count
        return queue

    def grow(self, count: int) -> None:
        """Mix samples that have arrived into the rest of this round."""
        if count > self.state["count"]:
            self.state["count"] = count
            self.state["parts"] = [*self.state["parts"], (self.state["at"], count)]
            self._queue = self._rebuild()

    def take(self, number: int) -> tuple[np.ndarray, list[int]]:
        """Return the next indices, and the seed of the random numbers to be used with them."""
        taken: list[np.ndarray] = []
        missing = number
        while missing > 0:
            at = self.state["at"]
            if at >= len(self._queue):
                self._next_round()
                at = 0
            part = self._queue[at : at + missing]
            self.state["at"] = at + len(part)
            taken.append(part)
            missing -= len(part)
        key = [self.state["seed"], 1, self.state["round"], self.state["at"]]
        return np.concatenate(taken), key

    def _next_round(self) -> None:
        if self.state["count"] <= len(self._held_back):
            raise InputError("the pool holds no training sample besides those kept for validation")
        self.state["round"] += int(bool(len(self._queue)))
        self.state["at"] = 0
        self.state["parts"] = [(0, self.state["count"])]
        self._queue = self._rebuild()


def stack_crops(
    crops: Sequence[Crop], order: dict[str, Any], *, is_face: Sequence[bool] | None = None
) -> Batch:
    """Put crops into one batch."""
    return Batch(
        images=np.stack([crop.image for crop in crops]),
        control=np.stack([crop.control for crop in crops]),
        landmarks=np.stack([crop.landmarks for crop in crops]),
        masks=np.stack([crop.mask for crop in crops]),
        is_face=np.asarray([1.0] * len(crops) if is_face is None else is_face, np.float32),
        order=order,
    )


def _prepare(
    pool: Pool,
    indices: np.ndarray,
    key: list[int],
    state: dict[str, Any],
    config: AugmentConfig,
    pictures: list[np.ndarray],
) -> Batch:
    crops, is_face = [], []
    for i, index in enumerate(indices):
        sample = pool.sample(int(index))
        crop = augment(np.random.default_rng([*key, i]), sample, config)
        rng = np.random.default_rng([*key, i, 1])
        is_face.append(bool(rng.random() >= config.p_faceless))
        if not is_face[-1]:
            image = faceless_crop(rng, sample.image, pictures)
            crop = dataclasses.replace(crop, image=spoil(rng, image, crop.mask, config)[0])
        crops.append(crop)
    return stack_crops(crops, state, is_face=is_face)


class Feed:
    """Endless batches, prepared ahead; use it in a ``with`` block."""

    def __init__(
        self,
        pool: Pool,
        order: Order,
        config: AugmentConfig,
        *,
        batch: int,
        workers: int,
        ahead: int,
        pictures: Sequence[np.ndarray] = (),
    ) -> None:
        self._pool, self._order, self._config = pool, order, config
        self._size, self._ahead = batch, ahead
        self._pictures = list(pictures)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="feed")
        self._waiting: collections.deque[Future[Batch]] = collections.deque()

    def __enter__(self) -> Feed:
        self._cv2_threads = cv2.getNumThreads()  # of the whole process: given back at the end
        cv2.setNumThreads(0)  # one picture, one thread: the workers are the parallelism
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._threads.shutdown(wait=True, cancel_futures=True)
        finally:
            cv2.setNumThreads(self._cv2_threads)

    def look_for_more(self) -> int:
        """Take in shards that have arrived; return the number of samples."""
        count = self._pool.refresh()
        self._order.grow(count)
        return count

    def __iter__(self) -> Iterator[Batch]:
        while True:
            while len(self._waiting) < self._ahead:
                indices, key = self._order.take(self._size)
                state = dict(self._order.state)
                job = (self._pool, indices, key, state, self._config, self._pictures)
                self._waiting.append(self._threads.submit(_prepare, *job))
            yield self._waiting.popleft().result()


def validation_batches(pool: Pool, held_back: range, size: int) -> Iterator[Batch]:
    """Yield the samples kept back, as ideal upright crops; the last batch may be smaller."""
    for start in range(held_back.start, held_back.stop, size):
        stop = min(start + size, held_back.stop)
        yield stack_crops([upright_crop(pool.sample(i)) for i in range(start, stop)], {})
