"""How programs are compiled, and where compiled code is kept, so that a second run starts fast."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["cache_folder", "compiled", "keep_compiled_code"]

# XLA gives many matrix products on CPUs to YNNPACK, which computes those of a batch, and small
# ones, on one core. Its own products use all: 1.2 times as fast for `prn-lite`, 1.3 for `prn`.
_CPU_OPTIONS = {"xla_cpu_experimental_ynn_fusion_type": ""}


def cache_folder() -> Path:
    """Return the folder for compiled code (``UVFACE_CACHE``, else the platform's cache folder)."""
    own = os.environ.get("UVFACE_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "uvface"


def keep_compiled_code() -> None:
    """Let JAX keep compiled code on disk; without a writable folder it stays in memory."""
    folder = cache_folder() / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    import jax  # not above: the doctor, which looks whether JAX is there, asks for the folder

    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``jax.jit(function)`` with what is faster on the machine's own kind of device.

    Options of compilers come and go: where this one does not know ours, it does without.
    """
    import jax

    plain = jax.jit(function)
    if jax.default_backend() != "cpu":
        return plain
    fast = jax.jit(function, compiler_options=_CPU_OPTIONS)
    chosen: list[Callable[..., Any]] = []

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        if chosen:
            return chosen[0](*arguments)
        try:
            found = fast(*arguments)
        except jax.errors.JaxRuntimeError as error:
            if "compile option" not in str(error):
                raise
            found = plain(*arguments)
            chosen.append(plain)
        else:
            chosen.append(fast)
        return found

    return call
