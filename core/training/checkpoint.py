"""Checkpoints: arrays of any pytree and a JSON record in one safetensors file, written whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import AssetError, InputError
from ..whole_files import write_bytes_atomic

__all__ = [
    "LAST",
    "check_new",
    "load_checkpoint",
    "read_record",
    "save_checkpoint",
    "weights_besides",
]

LAST = "last.checkpoint"  # of a run that can be resumed, in its folder


def check_new(folder: Path, weights: Iterable[Path]) -> None:
    """Raise an InputError where a folder holds another run.

    Args:
        folder: of a run that begins.
        weights: files in it that the run will write, or that another run would have left.
    """
    if (folder / LAST).exists():
        raise InputError(
            f"{folder} holds a run; go on with it (--resume), or choose another folder"
        )
    old = [path for path in weights if path.exists()]
    if _has_rows(folder / "log.csv"):
        old.append(folder / "log.csv")
    if old:
        raise InputError(f"{old[0]} is there, of another run; choose another folder")


def _has_rows(log: Path) -> bool:
    """Return whether a run has logged anything, and was not stopped before it had."""
    return log.is_file() and log.read_bytes().count(b"\n") > 1


def weights_besides(folder: Path, initial: Iterable[str]) -> list[Path]:
    """Return the weights files in a folder, but for those that a run starts from."""
    kept = {Path(name).resolve() for name in initial}
    return [path for path in sorted(folder.glob("*.safetensors")) if path.resolve() not in kept]


def save_checkpoint(path: Path, tree: Any, record: dict[str, Any]) -> None:
    """Write a pytree and a JSON-able record; an earlier file stays until the new one is whole.

    Raises:
        InputError: the file cannot be written.
    """
    leaves = jax.tree.leaves(tree)
    arrays = {f"{i:05d}": np.asarray(leaf, order="C") for i, leaf in enumerate(leaves)}
    write_bytes_atomic(path, save(arrays, metadata={"record": json.dumps(record)}))


def read_record(path: Path) -> dict[str, Any]:
    """Return the record alone; errors as in `load_checkpoint`."""
    return _read(path, only_record=True)[1]


def _read(path: Path, *, only_record: bool) -> tuple[list[np.ndarray], dict[str, Any]]:
    try:
        with safe_open(path, framework="numpy") as stored:
            names = [] if only_record else sorted(stored.keys())
            record: dict[str, Any] = json.loads(stored.metadata()["record"])
            return [stored.get_tensor(name) for name in names], record
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise AssetError(
            f"cannot read the checkpoint {path} ({error}); nothing can be resumed, start anew"
        ) from error


def load_checkpoint(path: Path, like: Any) -> tuple[Any, dict[str, Any]]:
    """Read a checkpoint.

    Args:
        path: the file.
        like: pytree of the same structure and shapes.

    Returns:
        The stored pytree and the record.

    Raises:
        AssetError: the file is missing, damaged, or of another run's structure.
    """
    leaves, structure = jax.tree.flatten(like)
    arrays, record = _read(path, only_record=False)
    if [a.size for a in arrays] != [np.size(leaf) for leaf in leaves]:
        raise AssetError(f"the checkpoint {path} is of another network or optimiser")
    shaped = [a.reshape(np.shape(leaf)) for a, leaf in zip(arrays, leaves, strict=True)]
    return jax.tree.unflatten(structure, [jnp.asarray(a) for a in shaped]), record
