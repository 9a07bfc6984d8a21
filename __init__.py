"""uvface: a face is a set of images in UV space.

Example:
    >>> import uvface
    >>> model = uvface.load()
    >>> len(uvface.__all__) > 5
    True

Names are imported on first use, so that ``import uvface`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core.batch import reconstruct
    from .core.doctor import doctor
    from .core.errors import AssetError, InputError, NoFaceError, UvfaceError
    from .core.io.inspection import inspect
    from .core.network.prnet_checkpoint import import_prnet
    from .core.reconstruct import Model, load
    from .core.synthesize import synthesize
    from .core.training.photos import evaluate
    from .core.training.train import train
    from .core.types import Camera, Face, Mesh, Similarity
    from .editing.augment.files import augment
    from .editing.photos import edit
    from .editing.texture import texture
    from .editing.video.edit_video import edit_video
    from .faceswap.benchmark import benchmark
    from .faceswap.exchange import exchange
    from .faceswap.photos import swap
    from .faceswap.video import swap_video

_HOME = {
    "AssetError": "core.errors",
    "Camera": "core.types",
    "Face": "core.types",
    "InputError": "core.errors",
    "Mesh": "core.types",
    "Model": "core.reconstruct",
    "NoFaceError": "core.errors",
    "Similarity": "core.types",
    "UvfaceError": "core.errors",
    "augment": "editing.augment.files",
    "benchmark": "faceswap.benchmark",
    "doctor": "core.doctor",
    "edit": "editing.photos",
    "edit_video": "editing.video.edit_video",
    "evaluate": "core.training.photos",
    "exchange": "faceswap.exchange",
    "import_prnet": "core.network.prnet_checkpoint",
    "inspect": "core.io.inspection",
    "load": "core.reconstruct",
    "reconstruct": "core.batch",
    "swap": "faceswap.photos",
    "swap_video": "faceswap.video",
    "synthesize": "core.synthesize",
    "texture": "editing.texture",
    "train": "core.training.train",
}

__all__ = [
    "AssetError",
    "Camera",
    "Face",
    "InputError",
    "Mesh",
    "Model",
    "NoFaceError",
    "Similarity",
    "UvfaceError",
    "augment",
    "benchmark",
    "doctor",
    "edit",
    "edit_video",
    "evaluate",
    "exchange",
    "import_prnet",
    "inspect",
    "load",
    "reconstruct",
    "swap",
    "swap_video",
    "synthesize",
    "texture",
    "train",
]


def __dir__() -> list[str]:
    """Return the public names, also those that were not imported yet."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'uvface' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
