"""Compiled code is kept in the user's cache folder, so that a second run starts fast."""

import os
from pathlib import Path

__all__ = ["cache_folder", "keep_compiled_code"]


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
