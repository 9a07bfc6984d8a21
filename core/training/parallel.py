"""Data-parallel training: each device holds all parameters and a part of every batch.

Nothing else of the training knows of it: XLA splits the step along the batch and adds the
gradients up, because every loss is a sum over the whole batch.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..errors import InputError

__all__ = ["Placement", "make_placement"]

_AXIS = "data"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement:
    """Where arrays lie."""

    whole: NamedSharding  # on every device
    parts: NamedSharding  # split along the first axis

    def replicate(self, tree: Any) -> Any:
        """Return a pytree with a copy on every device."""
        return jax.device_put(tree, self.whole)

    def split(self, tree: Any) -> Any:
        """Return a pytree whose arrays are split along their first axis."""
        return jax.device_put(tree, self.parts)


def make_placement(devices: int, batch: int) -> Placement:
    """Return the placement on the first so many devices.

    Raises:
        InputError: there are fewer devices, or the batch cannot be shared evenly.
    """
    found = jax.devices()
    if not 1 <= devices <= len(found):
        raise InputError(f"cannot train on {devices} devices: JAX sees {len(found)}")
    if batch % devices:
        raise InputError(f"a batch of {batch} cannot be shared evenly by {devices} devices")
    mesh = Mesh(found[:devices], (_AXIS,))
    return Placement(
        whole=NamedSharding(mesh, PartitionSpec()), parts=NamedSharding(mesh, PartitionSpec(_AXIS))
    )
