"""Files that belong to a layout and are built from the ICT-FaceKit model: how each is written."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ..geometry.layout import UVLayout, load_layout
from ..whole_files import write_bytes_atomic
from .head import HeadModel, load_head

__all__ = ["write_from_head"]


def write_from_head(
    name: str, build: Callable[[HeadModel, UVLayout], Mapping[str, np.ndarray]], *, about: str
) -> None:
    """Run the command that builds a file ``LAYOUT_NAME.npz`` of the layout ``uvface``.

    Args:
        name: what the file holds, for its name.
        build: returns its arrays.
        about: what the command does, for its help; the first line counts.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument(
        "--model", type=Path, required=True, help="ICT-FaceKit, or its compact file"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    options = parser.parse_args()
    layout = load_layout()
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **build(load_head(options.model), layout))
    write_bytes_atomic(options.output / f"{layout.name}_{name}.npz", stream.getvalue())
