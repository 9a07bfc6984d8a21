"""Traced functions kept between processes: for a photo or two, tracing is most of the time.

JAX keeps compiled code on disk (`compilation`), but finds it by the program, for which a function
has to be traced and lowered first. Here the program itself is kept, as serialised StableHLO, under
a key that names everything it depends on: this package's code that such functions are made of
(`_TRACED`), the versions of JAX and Flax, what the caller says, and shapes and types of the
arguments.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import threading
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import jaxlib
import numpy as np
from jax import export

from .compilation import cache_folder
from .errors import InputError
from .files import write_bytes_atomic

__all__ = ["blank", "keep_traced"]

_Leaf = jax.Array | np.ndarray
_PACKAGE = Path(__file__).parents[1]
_TRACED = ("core", "core/blending", "core/geometry", "core/io", "core/network", "editing")


def keep_traced(
    function: Callable[..., Any],
    *,
    key: str,
    like: Any,
    jit: Callable[[Callable[..., Any]], Callable[..., Any]] = jax.jit,
) -> Callable[..., Any]:
    """Return a compiled function that is traced once per cache folder.

    Args:
        function: takes and returns pytrees of arrays; ``key`` says all that it closes over.
        key: says what the function depends on besides its arguments.
        like: a pytree with the structure of the result.
        jit: compiles it.
    """
    known: dict[Any, Callable[..., list[jax.Array]]] = {}
    structure, lock = jax.tree.structure(like), threading.Lock()

    def first(given: Any, leaves: list[_Leaf], signature: Any) -> list[jax.Array]:
        if signature in known:  # since: another thread held the lock
            return known[signature](*leaves)
        path = _path(f"{key} {signature}")
        found = jit(_stored(path) or _traced(function, given, leaves, path))
        result = found(*leaves)  # compiled before another thread asks for it
        known[signature] = found
        return result

    def call(*arguments: Any) -> Any:
        leaves, given = jax.tree.flatten(arguments)
        signature = (given, tuple((leaf.shape, leaf.dtype) for leaf in leaves))
        if signature in known:
            result = known[signature](*leaves)
        else:
            with lock:
                result = first(given, leaves, signature)
        return jax.tree.unflatten(structure, result)

    return call


def blank(kind: type, **fields: Any) -> Any:
    """Return an instance of a dataclass of arrays whose fields are zeros, but for those given."""
    zero = jax.device_put(np.float32(0.0))
    return kind(**({field.name: zero for field in dataclasses.fields(kind)} | fields))


def _path(key: str) -> Path:
    libraries = f"{jax.__version__} {jaxlib.__version__} {metadata.version('flax')}"
    versions = f"{libraries} {jax.default_backend()}"
    digest = hashlib.sha256(f"{_code_digest()} {versions} {key}".encode()).hexdigest()
    return cache_folder() / "traced" / f"{digest}.stablehlo"


@cache
def _code_digest() -> str:
    digest = hashlib.sha256()
    for folder in _TRACED:
        for file in sorted((_PACKAGE / folder).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _stored(path: Path) -> Callable[..., list[jax.Array]] | None:
    try:
        return export.deserialize(bytearray(path.read_bytes())).call
    except Exception:  # missing, damaged or not of this JAX: whatever it raises, trace anew
        return None


def _traced(
    function: Callable[..., Any], given: Any, leaves: list[_Leaf], path: Path
) -> Callable[..., list[jax.Array]]:
    def on_leaves(*values: jax.Array) -> list[jax.Array]:
        found: list[jax.Array] = jax.tree.leaves(function(*jax.tree.unflatten(given, values)))
        return found

    program = export.export(jax.jit(on_leaves))(*leaves)
    with contextlib.suppress(InputError):  # no folder to write to: the next process traces again
        write_bytes_atomic(path, bytes(program.serialize()))
    return program.call
