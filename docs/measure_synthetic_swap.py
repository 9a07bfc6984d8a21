"""Swap drawn heads whose true swap is known, ours and PRNet's way, and measure both.

    python docs/measure_synthetic_swap.py --pack ../shared/data -o OUT [--photo-skins SKINS]

Writes OUT/pairs.csv, OUT/tables.md, and OUT/sheet_*.png (target, reference, truth, ours, preset).
"""

import argparse
import csv
import dataclasses
import time
from itertools import product
from pathlib import Path

import numpy as np

import uvface
from uvface.core.compilation import keep_compiled_code
from uvface.core.io.images import write_image
from uvface.core.reconstruct import Model
from uvface.core.synthesis.generator import Generator, load_generator
from uvface.core.synthesis.sources import find_sources
from uvface.core.synthesis.surface import TexelBinding, bind_texels
from uvface.faceswap.evaluation.measure_sheet import draw_sheet, label
from uvface.faceswap.evaluation.measure_synthetic import (
    compare,
    covered_share,
    exact_face,
    inner_area,
    read_face,
)
from uvface.faceswap.evaluation.measures import psnr
from uvface.faceswap.evaluation.synthetic_pairs import DrawnPair, draw_pair
from uvface.faceswap.prnet import CloneError, swap_like_prnet
from uvface.faceswap.swap import SwapConfig, swap_face

YAWS = (0.0, 30.0, 45.0, 60.0)
COVERS = [("none", "none")]
COVERS += [(kind, "none") for kind in ("glasses", "hair", "thing")]  # before the target's face
COVERS += [("none", kind) for kind in ("glasses", "hair", "thing")]  # before the reference's
CELLS = [(covers, yaw) for covers, yaw in product(COVERS, YAWS) if covers == COVERS[0] or yaw != 45]
COVERED = (0.04, 0.5)  # least and most of the inner face that a thing covers
ALIKE = 28.0  # dB between target and truth, above which a pair shows nothing
SHOWN = 2  # pairs of a cell on the sheets


def main() -> None:
    """Measure all cells, print and write the tables."""
    parser = drawing_options(__doc__.splitlines()[0])
    parser.add_argument("--color", default=SwapConfig.color)
    options = parser.parse_args()
    model, generator, binding = prepare(options)
    start, table = time.time(), []
    for covers, yaw in CELLS:
        tiles = []
        for number in range(options.pairs):
            drawn = find_pair(generator, binding, model, covers, yaw, number)
            rows, tile = measure(drawn, binding, model, options)
            cell = {"target": covers[0], "reference": covers[1], "yaw": yaw, "pair": number}
            table += [cell | row for row in rows]
            tiles += [tile] if len(tiles) < SHOWN else []
            print(f"\r{cell} {time.time() - start:.0f} s   ", end="", flush=True)
        sheet = draw_sheet(tiles, blocks=1).astype(np.float32) / 255
        write_image(options.output / f"sheet_{covers[0]}_{covers[1]}_{yaw:.0f}.png", sheet)
        write_csv(options.output / "pairs.csv", table)
    print()
    text = tables(table)
    (options.output / "tables.md").write_text(text)
    print(text)


def drawing_options(description: str) -> argparse.ArgumentParser:
    """Return the options of measurements on drawn pairs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--pack", type=Path, required=True, help="the data pack's folder")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--photo-skins", type=Path, help="skins made from photos")
    parser.add_argument("--pairs", type=int, default=8, help="of each cell")
    parser.add_argument("--weights", default="prn-lite")
    shape = "0 to 1; the true swap keeps the target's shape"
    parser.add_argument("--shape", type=float, default=0.0, help=shape)
    return parser


def prepare(options: argparse.Namespace) -> tuple[Model, Generator, TexelBinding]:
    """Load what draws pairs and what reads them; make the output folder."""
    keep_compiled_code()
    model = uvface.load(options.weights)
    head, folder = find_sources(options.pack)
    generator = load_generator(head, folder=folder, photo_skins=options.photo_skins)
    options.output.mkdir(parents=True, exist_ok=True)
    return model, generator, bind_texels(generator.surface, model.layout.size)


def find_pair(generator, binding, model, covers, yaw: float, number: int) -> DrawnPair:
    """Draw the pair of a cell; what covers a face covers a fair share of it.

    Every second pair has the turned face in the target, the others in the reference.
    """
    side = 1.0 if number % 4 < 2 else -1.0
    yaws = (side * yaw, 0.0) if number % 2 else (0.0, side * yaw)
    for attempt in range(40):
        seed = 1000 * number + attempt
        pair = draw_pair(generator, seed, yaws=yaws, covers=covers)
        shares = []
        for picture, cover in zip((pair.target, pair.reference), covers, strict=True):
            face = exact_face(picture, binding, model.layout)
            share = covered_share(picture, inner_area(picture, face, model.layout))
            shares.append(cover == "none" or COVERED[0] < share < COVERED[1])
        target, truth = np.asarray(pair.target.image), np.asarray(pair.truth.image)
        is_different = psnr(target, truth, (target != truth).any(axis=-1)) < ALIKE
        if all(shares) and is_different:
            break
    return pair


def measure(pair: DrawnPair, binding, model, options) -> tuple[list[dict], dict]:
    """Return rows for both geometries and methods, and tiles of the reconstructed one."""
    layout, photos, rows = model.layout, (pair.target, pair.reference), []
    exact = [exact_face(picture, binding, layout) for picture in photos]
    read = [read_face(p, face, model) for p, face in zip(photos, exact, strict=True)]
    area = inner_area(pair.target, exact[0], layout)
    target, reference = (np.asarray(picture.image) for picture in photos)
    tiles = {"target": target, "reference": reference, "truth": np.asarray(pair.truth.image)}
    for geometry, (one, two) in {"exact": exact, "network": read}.items():
        given = (target, one, reference, two, layout)
        config = SwapConfig(color=options.color, shape=options.shape)
        results = {"target": target, "ours": swap_face(*given, config=config)}
        try:
            results["preset"] = swap_like_prnet(*given)
        except CloneError:
            print("\nseamlessClone failed")
        for method, image in results.items():
            found = dataclasses.asdict(compare(image, pair, area))
            rows.append({"geometry": geometry, "method": method} | found)
            if method != "target":
                tiles[f"{geometry} {method} {found['psnr']:.1f}"] = image
    return rows, {name: label(to_bytes(image), name) for name, image in tiles.items()}


def to_bytes(image: np.ndarray) -> np.ndarray:
    """Return an 8-bit picture."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def write_csv(path: Path, table: list[dict]) -> None:
    """Write one line per pair, geometry and method."""
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(table[0]))
        writer.writeheader()
        writer.writerows(table)


def tables(table: list[dict]) -> str:
    """Return a Markdown table per geometry: means of the cells."""
    lines = []
    for geometry in ("exact", "network"):
        lines += [f"\n{geometry} geometry\n", "| before target | before reference | yaw | " + HEAD]
        lines.append("|---" * 11 + "|")
        for (one, two), yaw in CELLS:
            own = [r for r in table if (r["target"], r["reference"], r["yaw"]) == (one, two, yaw)]
            own = [r for r in own if r["geometry"] == geometry]
            mean = {}
            for method, key in product(("target", "ours", "preset"), KEYS):
                values = [r[key] for r in own if r["method"] == method]
                mean[method, key] = float(np.mean(values)) if values else float("nan")
            cells = [mean["target", "psnr"], mean["ours", "psnr"], mean["preset", "psnr"]]
            cells.append(mean["ours", "psnr"] - mean["preset", "psnr"])
            cells += [mean["ours", "ciede2000"], mean["preset", "ciede2000"]]
            text = " | ".join(f"{value:.1f}" for value in cells)
            text += f" | {mean['ours', 'gradient']:.3f} | {mean['preset', 'gradient']:.3f}"
            lines.append(f"| {one} | {two} | {yaw:.0f} | {text} |")
    return "\n".join(lines) + "\n"


KEYS = ("psnr", "ciede2000", "gradient")
HEAD = "dB target | dB ours | dB preset | gain | dE ours | dE preset | gradient ours | preset |"


if __name__ == "__main__":
    main()
