"""Swap pairs of real photos, ours beside PRNet's way, and measure both.

    python docs/measure_swap.py --pack ../shared/data -o OUT [--pairs 20] [--london-only]

Writes OUT/pairs.csv, OUT/summary.json and contact sheets OUT/sheet_*.png. The photos are
measured only; see docs/swap.md for what each number means.
"""

import argparse
import csv
import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import scipy.io

import uvface
from uvface.core.compilation import keep_compiled_code
from uvface.core.detection.recognition import Recognizer
from uvface.core.io.images import write_image
from uvface.faceswap.evaluation.measure_real import (
    MeasuredFace,
    Shelf,
    SwapMeasures,
    london_pairs,
    measure_swap,
    ordered_pairs,
    region_that_may_change,
    summarise,
)
from uvface.faceswap.evaluation.measure_sheet import cut_portrait, draw_sheet, label
from uvface.faceswap.prnet import CloneError, prnet_mask, swap_like_prnet
from uvface.faceswap.swap import SwapConfig, swap_face

LONDON_PAIRS, WILD_PHOTOS, SEED = 60, 12, 5
ROWS = 10  # pairs of one sheet


def main() -> None:
    """Measure, print the medians, write files."""
    options = parse()
    keep_compiled_code()
    model, recognizer = uvface.load(options.weights), Recognizer(options.pack / RECOGNITION)
    shelf = Shelf(model, recognizer, lips=known_lips(options.pack))
    start, table, tiles = time.time(), [], []
    chosen = choose(options, shelf)
    for k, (name, target, reference) in enumerate(chosen):
        rows, tile = measure_pair(name, target, reference, shelf, options)
        table += rows
        tiles.append(tile)
        write_csv(options.output / "pairs.csv", table)
        if len(tiles) % ROWS == 0 or k + 1 == len(chosen):
            first = (len(tiles) - 1) // ROWS * ROWS
            save_sheet(options.output / f"sheet_{first // ROWS:02d}.png", tiles[first:])
        print(f"\r{k + 1}/{len(chosen)} {name} {time.time() - start:.0f} s", end="", flush=True)
    print()
    if len(tiles) > ROWS:
        save_sheet(options.output / "sheet_all.png", mixed(tiles, 40), blocks=4)
    report(options.output / "summary.json", table)


RECOGNITION = Path("detectors_test/recognition/mobilefacenet_a.onnx")
MEDIAPIPE_LIPS = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415]  # inner lips, upper
MEDIAPIPE_LIPS += [308, 324, 318, 402, 317, 14, 87, 178, 88, 95]  # and lower


def known_lips(pack: Path) -> dict[str, np.ndarray]:
    """Return the inner lips of the pack's photos, of MediaPipe or of the data set's own labels."""
    lips = {}
    with np.load(pack / "photos_cc_by/landmarks.npz") as stored:
        for name, points in zip(stored["names"], stored["mediapipe478"], strict=True):
            lips[Path(str(name)).stem] = points[MEDIAPIPE_LIPS, :2] - 0.5
    for path in (pack / "eval_public/aflw40_images").glob("*.mat"):
        lips[path.stem] = scipy.io.loadmat(path)["pt3d_68"][:2, 60:].T - 1.0
    return lips


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pack", type=Path, required=True, help="the data pack's folder")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--pairs", type=int, default=10**6, help="of each set, at most")
    parser.add_argument("--only", default="", help="names of pairs: L03,W17")
    parser.add_argument("--london-only", action="store_true")
    parser.add_argument("--wild-only", action="store_true")
    parser.add_argument("--no-preset", action="store_true", help="leave PRNet's way out")
    parser.add_argument("--keep-images", action="store_true", help="write each result as PNG")
    parser.add_argument("--color", default=SwapConfig.color)
    parser.add_argument("--shape", type=float, default=SwapConfig.shape)
    parser.add_argument("--weights", default="prn-lite")
    return parser.parse_args()


def choose(
    options: argparse.Namespace, shelf: Shelf
) -> list[tuple[str, MeasuredFace, MeasuredFace]]:
    """Return named pairs; a number always means the same pair."""
    pairs = []
    if not options.wild_only:
        photos = sorted((options.pack / "photos_cc_by/images").glob("*.jpg"))
        pairs += [
            (f"L{k:02d}", *pair)
            for k, pair in enumerate(london_pairs(photos, LONDON_PAIRS, seed=SEED))
            if k < options.pairs
        ]
    if not options.london_only:
        photos = sorted((options.pack / "eval_public/aflw40_images").glob("*.jpg"))
        found = []
        for path in photos:
            found += [path] if len(found) < WILD_PHOTOS and shelf.find(path) else []
        pairs += [
            (f"W{k:03d}", *pair)
            for k, pair in enumerate(ordered_pairs(found, seed=SEED))
            if k < options.pairs
        ]
    names = [name for name in options.only.split(",") if name]
    pairs = [pair for pair in pairs if not names or pair[0] in names]
    found = [(name, shelf.find(one), shelf.find(two)) for name, one, two in pairs]
    return [triple for triple in found if None not in triple]


def measure_pair(
    name: str,
    target: MeasuredFace,
    reference: MeasuredFace,
    shelf: Shelf,
    options: argparse.Namespace,
) -> tuple[list[dict], dict]:
    """Return the rows of the table and the labelled tiles of a pair."""
    rows = []
    tiles = {
        "target": label(cut_portrait(target.image, target.face), f"{name} {target.name}"),
        "reference": label(cut_portrait(reference.image, reference.face), reference.name),
    }
    for method in ("ours",) if options.no_preset else ("ours", "preset"):
        row = {"pair": name, "target": target.name, "reference": reference.name}
        row |= {"target_yaw": round(target.yaw), "reference_yaw": round(reference.yaw)}
        try:
            result, found = swap_and_measure(method, target, reference, shelf, options)
        except CloneError as error:
            rows.append(row | {"method": method, "failed": str(error)})
            blank = np.full_like(tiles["target"], 48)
            tiles[method] = label(blank, f"{method}: failed")
            continue
        numbers = dataclasses.asdict(found)
        rows.append(row | {"method": method, "failed": ""} | numbers)
        line = f"{method} id {found.identity:.2f} lm {found.landmarks:.1f} c {found.color:.1f}"
        tiles[method] = label(cut_portrait(result, target.face), line)
        if options.keep_images:
            write_image(options.output / f"{name}_{method}.png", result)
    return rows, tiles


def swap_and_measure(
    method: str,
    target: MeasuredFace,
    reference: MeasuredFace,
    shelf: Shelf,
    options: argparse.Namespace,
) -> tuple[np.ndarray, SwapMeasures]:
    """Return the swapped photo and its measures."""
    layout = shelf.model.layout
    photos = (target.image, target.face, reference.image, reference.face, layout)
    if method == "ours":
        config = SwapConfig(color=options.color, shape=options.shape)
        result = swap_face(*photos, config=config)
        allowed = region_that_may_change(target.image, target.face, layout, config)
        edge_of = (result != target.image).any(axis=-1)
    else:
        result = swap_like_prnet(*photos)
        allowed = edge_of = prnet_mask(target.image, target.face, layout)
    found = measure_swap(result, target, reference, allowed=allowed, edge_of=edge_of, shelf=shelf)
    return result, found


def write_csv(path: Path, table: list[dict]) -> None:
    """Write one line per pair and method."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(key for row in table for key in row))
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        for row in table:
            writer.writerow({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()})


def mixed(tiles: list[dict], count: int) -> list[dict]:
    """Return pairs spread evenly over the list."""
    places = np.unique(np.linspace(0, len(tiles) - 1, min(count, len(tiles))).round().astype(int))
    return [tiles[k] for k in places]


def save_sheet(path: Path, tiles: list[dict], *, blocks: int = 2) -> None:
    """Write a contact sheet."""
    write_image(path, draw_sheet(tiles, blocks=blocks).astype(np.float32) / 255)


def report(path: Path, table: list[dict]) -> None:
    """Write and print the medians of each set and method."""
    names = [field.name for field in dataclasses.fields(SwapMeasures)]
    summary: dict = {}
    print(f"{'':16}" + "".join(f"{name:>16}" for name in [*names, "pairs (failed)"]))
    for group, letter in (("london", "L"), ("wild", "W")):
        for method in ("ours", "preset"):
            own = [r for r in table if r["pair"][0] == letter and r["method"] == method]
            done = [SwapMeasures(**{n: r[n] for n in names}) for r in own if not r["failed"]]
            if not own:
                continue
            found = summarise(done)
            failed = len(own) - len(done)
            summary[f"{group} {method}"] = found | {"pairs": len(own), "failed": failed}
            cells = [f"{found[n]['median']:.3f} ({found[n]['count']:.0f})" for n in names]
            cells.append(f"{len(own)} ({failed})")
            print(f"{group + ' ' + method:16}" + "".join(f"{cell:>16}" for cell in cells))
    path.write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
