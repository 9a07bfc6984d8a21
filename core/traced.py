"""Traced functions kept between processes: for a photo or two, tracing is most of the time.

JAX keeps compiled code on disk (`compilation`), but finds it by the program, for which a function
has to be traced and lowered first. Here the program itself is kept, as serialised StableHLO, under
a key that names everything it depends on: this package's code that such functions are made of
(`_TRACED`), the versions of JAX and Flax, what the caller says, and shapes and types of the
arguments. Nothing is kept of calls on another device than JAX's first.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import gc
import hashlib
import re
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import jaxlib
import numpy as np
from jax import export

from .compilation import cache_folder, compile_for, setting
from .errors import InputError
from .whole_files import write_bytes_atomic

__all__ = ["blank", "forget_programs", "keep_traced", "nothing_new"]

_Leaf = jax.Array | np.ndarray
_PACKAGE = Path(__file__).parents[1]
_NOTHING_NEW = contextvars.ContextVar("nothing_new", default=False)
_TRACED = (
    "core",
    "core/blending",
    "core/drawing",
    "core/geometry",
    "core/network",
    "editing",
    "editing/detail",
    "editing/makeup",
    "editing/reshape",
    "editing/retouch",
    "editing/seen",
    "editing/video",
    "faceswap",
)


class _Programs(dict[Any, Callable[..., list[jax.Array]]]):
    """Compiled programs of one function, by signature; of a type that may be referred to weakly."""


_KEPT: weakref.WeakValueDictionary[int, _Programs] = weakref.WeakValueDictionary()
_MOST_MAPS = 0.5  # of the memory maps that a process may have


def keep_traced(
    function: Callable[..., Any],
    *,
    key: str,
    like: Any,
    compiler: Callable[..., Callable[..., Any]] = compile_for,
) -> Callable[..., Any]:
    """Return a compiled function that is traced once per cache folder.

    Args:
        function: takes and returns pytrees of arrays; ``key`` says all that it closes over.
        key: says what the function depends on besides its arguments.
        like: a pytree with the structure of the result.
        compiler: compiles a function for arguments like some.
    """
    known = _Programs()
    _KEPT[id(known)] = known
    structure, lock = jax.tree.structure(like), threading.Lock()

    def first(given: Any, leaves: list[_Leaf], signature: Any) -> list[jax.Array]:
        if program := known.get(signature):  # since: another thread held the lock
            return program(*leaves)
        if _share_of_maps() > _MOST_MAPS:
            forget_programs()
        if signature[-1]:  # a program is made for one platform, which need not be that one's
            if _NOTHING_NEW.get():
                raise LookupError(f"no program is kept for {key} on another device")
            known[signature] = program = jax.jit(_named(_on_leaves(function, given), key))
            return program(*leaves)
        path = _path(f"{key} {signature[:2]}")
        stored = _stored(path)
        if _NOTHING_NEW.get() and not (stored and setting("jax_compilation_cache_dir")):
            raise LookupError(f"no program is kept for {key}")
        found = stored or _traced(function, given, leaves, path)
        # Compiled for shapes and types alone: whether JAX may move an argument does not count.
        known[signature] = program = compiler(_named(found, key), leaves)
        return program(*leaves)

    def call(*arguments: Any) -> Any:
        leaves, given = jax.tree.flatten(arguments)
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        signature = (given, shapes, _is_elsewhere(leaves))
        if program := known.get(signature):  # not looked up twice: another thread may forget it
            result = program(*leaves)
        else:
            with lock:
                result = first(given, leaves, signature)
        return jax.tree.unflatten(structure, result)

    return call


def forget_programs() -> None:
    """Let go of all compiled programs, JAX's too; they are loaded again when they are needed."""
    for programs in list(_KEPT.values()):
        programs.clear()
    jax.clear_caches()
    gc.collect()


def _share_of_maps() -> float:
    """Return how many of the memory maps that Linux grants this process it has; else 0.

    Each program takes a dozen or more. Photos of ever new sizes would use them up, and XLA then
    ends the process.
    """
    try:
        most = int(Path("/proc/sys/vm/max_map_count").read_text())
        return Path("/proc/self/maps").read_bytes().count(b"\n") / most
    except (OSError, ValueError):  # another system
        return 0.0


def _named(function: Callable[..., Any], key: str) -> Callable[..., Any]:
    """Return a function that profilers, and compilers' dumps, show by the first words of a key."""

    def call(*values: Any) -> Any:
        return function(*values)

    words = re.match(r"[a-z0-9 -]*", key)
    call.__name__ = re.sub(r"\W+", "_", words[0].strip() if words else "") or call.__name__
    return call


def _is_elsewhere(leaves: list[_Leaf]) -> bool:
    """Return whether arguments, or their caller, ask for another device than JAX's first."""
    if setting("jax_default_device") is not None:
        return True
    first = {_first_device()}
    return any(
        isinstance(leaf, jax.Array) and leaf.committed and leaf.devices() != first
        for leaf in leaves
    )


@cache
def _first_device() -> jax.Device:
    return jax.local_devices()[0]


@contextlib.contextmanager
def nothing_new() -> Iterator[None]:
    """Let kept functions raise a `LookupError` where they would have to trace, or to compile.

    For who loads programs ahead, beside other work: what takes seconds to compile is not begun
    before it is needed, since a process cannot end in its midst. A process in which JAX keeps no
    compiled code (`keep_compiled_code`) loads nothing ahead. Whether JAX still has the code of a
    program that is kept cannot be told; where only it was deleted, it is compiled.
    """
    token = _NOTHING_NEW.set(True)
    try:
        yield
    finally:
        _NOTHING_NEW.reset(token)


def blank(kind: Any, **fields: Any) -> Any:
    """Return the structure of a dataclass, or named tuple, of arrays: 0 for all but the given."""
    if issubclass(kind, tuple):
        return tuple.__new__(kind, (fields.get(name, 0) for name in kind._fields))
    made = object.__new__(kind)
    for field in dataclasses.fields(kind):
        object.__setattr__(made, field.name, fields.get(field.name, 0))
    return made


def _path(key: str) -> Path:
    libraries = f"{jax.__version__} {jaxlib.__version__} {metadata.version('flax')}"
    settings = [setting(name) for name in ("jax_default_matmul_precision", "jax_enable_x64")]
    versions = f"{libraries} {jax.default_backend()} {settings}"
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


def _on_leaves(function: Callable[..., Any], given: Any) -> Callable[..., list[jax.Array]]:
    """Return a function of the leaves of arguments, and of its result's."""

    def on_leaves(*values: jax.Array) -> list[jax.Array]:
        found: list[jax.Array] = jax.tree.leaves(function(*jax.tree.unflatten(given, values)))
        return found

    return on_leaves


def _traced(
    function: Callable[..., Any], given: Any, leaves: list[_Leaf], path: Path
) -> Callable[..., list[jax.Array]]:
    program = export.export(jax.jit(_on_leaves(function, given)))(*leaves)
    with contextlib.suppress(InputError):  # no folder to write to: the next process traces again
        write_bytes_atomic(path, bytes(program.serialize()))
    return program.call
