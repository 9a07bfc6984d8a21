"""Pictures of a training run: the loss curve and a contact sheet of predictions."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["contact_sheet", "draw_points", "plot_curves"]


def draw_points(
    image: UInt8[np.ndarray, "h w 3"],
    points: Float[np.ndarray, "n d"],
    colour: tuple[int, int, int],
    *,
    radius: int = 2,
) -> UInt8[np.ndarray, "h w 3"]:
    """Return the picture with dots at points (pixels), drawn to a sixteenth of a pixel."""
    drawn = image.copy()
    for x, y in points[:, :2]:
        if abs(x) < 4096 and abs(y) < 4096:
            centre = (round(float(x) * 16), round(float(y) * 16))
            cv2.circle(drawn, centre, radius * 16, colour, -1, cv2.LINE_AA, 4)
    return drawn


def contact_sheet(
    images: UInt8[np.ndarray, "b h w 3"],
    predicted: Float[np.ndarray, "b n d"],
    truth: Float[np.ndarray, "b n d"] | None = None,
    *,
    columns: int = 8,
) -> UInt8[np.ndarray, "hh ww 3"]:
    """Return the pictures side by side: truth in green, prediction in red."""
    cells = []
    for i, image in enumerate(images):
        cell = image if truth is None else draw_points(image, truth[i], (40, 230, 60))
        cells.append(draw_points(cell, predicted[i], (255, 40, 40), radius=1))
    while len(cells) % columns:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.concatenate(cells[i : i + columns], axis=1) for i in range(0, len(cells), columns)]
    return np.concatenate(rows, axis=0)


def plot_curves(log: Path, output: Path) -> None:
    """Plot training loss and validation errors of a CSV log against the images seen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with log.open() as lines:
        rows = list(csv.DictReader(lines))
    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name in ("loss", "dense", "points", "val_nme", "val_dense"):
        pairs = [(float(r["images"]), 100 * float(r[name])) for r in rows if r[name]]
        if pairs:
            x, y = zip(*pairs, strict=True)
            axes.plot(x, y, label=name, marker="o" if name.startswith("val") else None, ms=3)
    axes.set(xlabel="images seen", ylabel="percent of the face size", yscale="log")
    axes.grid(True, which="both", alpha=0.3)
    if axes.lines:
        axes.legend()
    figure.savefig(output, dpi=100)
