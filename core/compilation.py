"""How programs are compiled, and where compiled code is kept, so that a second run starts fast."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the doctor, which looks whether JAX is there, asks for the folder
    from jax import Array
    from jax.stages import Lowered

__all__ = [
    "cache_folder",
    "compile_for",
    "compile_products",
    "computed_once",
    "jit_products",
    "keep_compiled_code",
    "setting",
]

# From which time and size on JAX keeps compiled code: its own settings, and ours.
_KEPT_FROM = (
    ("jax_persistent_cache_min_compile_time_secs", 1.0, 0.0),
    ("jax_persistent_cache_min_entry_size_bytes", 0, -1),
)
# XLA gives much of a program on CPUs to YNNPACK, which computes products of a batch, and small
# ones, on one core. XLA's own use all.
_CPU_OPTIONS: dict[str, str | bool] = {"xla_cpu_experimental_ynn_fusion_type": ""}


def cache_folder() -> Path:
    """Return the folder for compiled code (``UVFACE_CACHE``, else the platform's cache folder)."""
    own = os.environ.get("UVFACE_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "uvface"


def setting(name: str) -> Any:
    """Return a setting of JAX, which does not declare them."""
    import jax

    return getattr(jax.config, name)


def keep_compiled_code() -> None:
    """Let JAX keep compiled code on disk, in `cache_folder` unless it has a folder already.

    Without a writable folder it stays in memory. Small programs are kept, too, of which there are
    many, unless JAX was told what to keep.
    """
    import jax

    if setting("jax_compilation_cache_dir") is None:
        folder = cache_folder() / "jax"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return
        if not os.access(folder, os.W_OK):
            return
        jax.config.update("jax_compilation_cache_dir", str(folder))
    for name, usual, ours in _KEPT_FROM:
        if setting(name) == usual:
            jax.config.update(name, ours)


def jit_products(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``jax.jit(function)``, for functions with many matrix products of moderate size.

    On CPUs the networks and plans of edits become 1.2 to 1.4 times as fast. Long sums become
    slower: it is not for solvers on whole pictures.
    """
    import jax

    return jax.jit(function, compiler_options=_options())


def compile_for(function: Callable[..., Any], arguments: Sequence[Any]) -> Callable[..., Any]:
    """Return a function compiled for arrays of the shapes and types of some."""
    return _lowered(function, arguments).compile()


def compile_products(function: Callable[..., Any], arguments: Sequence[Any]) -> Callable[..., Any]:
    """Compile as `compile_for` does, in the way of `jit_products`."""
    return _lowered(function, arguments).compile(compiler_options=_options())


@functools.cache
def _options() -> dict[str, str | bool] | None:
    """Return our options; None where they are not for the device, or the compiler lacks one.

    Options of compilers come and go. Whether this one knows ours, it says when it is asked to
    compile: a program of one number, in less than a hundredth of a second.
    """
    import jax

    if jax.default_backend() != "cpu":
        return None
    try:
        jax.jit(lambda: 0).lower().compile(compiler_options=_CPU_OPTIONS)
    except jax.errors.JaxRuntimeError as error:
        if " option" not in str(error):
            raise
        return None
    return _CPU_OPTIONS


def _lowered(function: Callable[..., Any], arguments: Sequence[Any]) -> Lowered:
    import jax

    like = [jax.ShapeDtypeStruct(given.shape, given.dtype) for given in arguments]
    return jax.jit(function).lower(*like)


def computed_once(x: Array) -> Array:
    """Return ``x``, inside ``jit``, such that XLA computes it before it is read.

    On CPUs XLA draws an array into the loops that read it, and computes an element anew for each
    of its readers, one by one where they jump about, as gathers and transpositions do. It does not
    look into a matrix product, so here is one with the identity. (`jax.lax.optimization_barrier`
    is gone by the time loops are drawn together.)

    Args:
        x: finite floats, of any shape.
    """
    import jax.numpy as jnp

    width = math.gcd(x.size, 8)
    same = jnp.matmul(x.reshape(-1, width), jnp.eye(width, dtype=x.dtype), precision="highest")
    return same.reshape(x.shape)
