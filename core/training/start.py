"""The network that a run of the pool loop begins with: new, loaded, or of an earlier run."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from flax import nnx

from ..errors import InputError
from ..geometry.layout import UVLayout
from ..network.registry import make_network
from ..network.weights import load_weights
from .components import principal_components
from .config import TrainConfig
from .loss import Reading
from .pool import Pool

__all__ = ["describe_network", "first_network", "network_of_record"]


def first_network(
    config: TrainConfig, *, pool: Pool, layout: UVLayout, reading: Reading
) -> tuple[nnx.Module, dict[str, Any] | None]:
    """Return the network that a new run trains, and what it has been trained with so far.

    That is None of a fresh network, and empty of weights that do not say it.

    Raises:
        InputError: the first weights are of another kind of network than ``config`` names.
        AssetError: they cannot be read.
    """
    if config.initial is not None:
        network, header = load_weights(config.initial, layout=layout)
        _check_kind(config, header.network, source=f"the weights {config.initial}")
        return network, header.training
    fresh: Any = make_network(config.network, seed=config.seed)
    if config.network == "prn-lite":
        fresh.set_basis(
            *principal_components(
                pool,
                np.asarray(reading.weights),
                fresh.config.coefficients,
                seed=config.seed,
                config=config.augment,
            )
        )
    return fresh, None


def describe_network(config: TrainConfig, graph: Any, state: Any) -> dict[str, Any]:
    """Return kind and settings of a network, for the record of a checkpoint."""
    network: Any = nnx.merge(graph, state.params, state.rest)
    return {"kind": config.network, "config": dataclasses.asdict(network.config)}


def network_of_record(config: TrainConfig, record: dict[str, Any]) -> nnx.Module:
    """Return a network of the shape that a checkpoint's record describes, to be filled from it.

    Raises:
        InputError: it is of another kind than ``config`` names.
    """
    # Checkpoints made before networks were recorded hold one of the usual shape.
    known = record.get("network", {"kind": config.network, "config": {}})
    _check_kind(config, known["kind"], source=f"the run in {config.output}")
    return make_network(known["kind"], known["config"], seed=config.seed)


def _check_kind(config: TrainConfig, kind: str, *, source: str) -> None:
    if kind != config.network:
        raise InputError(
            f"{source} holds a network of the kind {kind}, not {config.network}; "
            f"give --network {kind}, or something else to start from"
        )
