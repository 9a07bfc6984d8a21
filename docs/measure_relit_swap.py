"""Swap drawn heads that stand in one light, or each in its own, by every way to match colours.

    python docs/measure_relit_swap.py --pack ../shared/data -o OUT [--photo-skins SKINS]

Writes OUT/pairs.csv, OUT/table.md and OUT/sheet_*.png. ``identity`` is the cosine of a recognition
network's vectors: to the reference, and to the true swap. That of the truth to the reference is
what a perfect swap has.
"""

import time
from itertools import product

import numpy as np
from measure_swap import RECOGNITION
from measure_synthetic_swap import drawing_options, prepare, to_bytes, write_csv

from uvface.core.detection.recognition import Recognizer
from uvface.core.io.images import write_image
from uvface.faceswap.evaluation.measure_sheet import draw_sheet, label
from uvface.faceswap.evaluation.measure_synthetic import compare, exact_face, inner_area, read_face
from uvface.faceswap.evaluation.synthetic_pairs import draw_pair
from uvface.faceswap.prnet import CloneError, swap_like_prnet
from uvface.faceswap.swap import SwapConfig, swap_face

YAWS = (0.0, 30.0, 60.0)
COLORS = ("none", "match", "light")
METHODS = ("target", "truth", *COLORS, "preset")
GEOMETRIES = ("exact", "network")
SHOWN = 3  # pairs of a cell on the sheets


def main() -> None:
    """Measure all cells, print and write the table."""
    options = drawing_options(__doc__.splitlines()[0]).parse_args()
    model, generator, binding = prepare(options)
    recognizer = Recognizer(options.pack / RECOGNITION)
    start, rows = time.time(), []
    for is_one_light, yaw in product((True, False), YAWS):
        tiles = []
        for number in range(options.pairs):
            cell = {"light": "one" if is_one_light else "two", "yaw": yaw, "pair": number}
            seed = 50000 + 100 * number + int(yaw)
            pair = draw_pair(generator, seed, yaws=turn(number, yaw), is_one_light=is_one_light)
            found, tile = measure(pair, binding, model, recognizer)
            rows += [cell | row for row in found]
            tiles += [tile] if len(tiles) < SHOWN else []
            print(f"\r{cell} {time.time() - start:.0f} s   ", end="", flush=True)
        sheet = draw_sheet(tiles, blocks=1).astype(np.float32) / 255
        write_image(options.output / f"sheet_{cell['light']}_{yaw:.0f}.png", sheet)
    print()
    write_csv(options.output / "pairs.csv", rows)
    text = table(rows)
    (options.output / "table.md").write_text(text)
    print(text)


def turn(number: int, yaw: float) -> tuple[float, float]:
    """Return the yaws of a pair; in every second the target is turned, else the reference."""
    side = yaw if number % 4 < 2 else -yaw
    return (side, 0.0) if number % 2 else (0.0, side)


def measure(pair, binding, model, recognizer) -> tuple[list[dict], dict]:
    """Return rows for both geometries and all methods, and tiles of the reconstructed one."""
    layout, photos = model.layout, (pair.target, pair.reference)
    exact = [exact_face(picture, binding, layout) for picture in photos]
    read = [read_face(p, face, model) for p, face in zip(photos, exact, strict=True)]
    area = inner_area(pair.target, exact[0], layout)
    target, reference, truth = (np.asarray(p.image) for p in (*photos, pair.truth))
    points = [np.asarray(face.landmarks) for face in exact]
    wanted = recognizer.embed(reference, points[1]), recognizer.embed(truth, points[0])
    rows, tiles = [], {"target": target, "reference": reference, "truth": truth}
    for geometry, (one, two) in zip(GEOMETRIES, (exact, read), strict=True):
        given = (target, one, reference, two, layout)
        results = {"target": target, "truth": truth}
        for color in COLORS:
            results[color] = swap_face(*given, config=SwapConfig(color=color, shape=0.0))
        try:
            results["preset"] = swap_like_prnet(*given)
        except CloneError:
            print("\nseamlessClone failed")
        for method, image in results.items():
            own = recognizer.embed(image, points[0])
            found = compare(image, pair, area)
            rows.append(
                {"geometry": geometry, "method": method}
                | {"psnr": found.psnr, "ciede2000": found.ciede2000}
                | {"to_reference": float(own @ wanted[0]), "to_truth": float(own @ wanted[1])}
            )
            if geometry == "network" and method not in ("target", "truth"):
                tiles[f"{method} {found.psnr:.1f}"] = image
    return rows, {name: label(to_bytes(image), name) for name, image in tiles.items()}


def table(rows: list[dict]) -> str:
    """Return a Markdown table: means of the cells."""
    lines = [
        "| light | yaw | method | dB exact | dE exact | dB network | dE network "
        "| identity: to reference | to truth |",
        "|---" * 9 + "|",
    ]
    for light, yaw, method in product(("one", "two"), YAWS, METHODS):
        own = [r for r in rows if (r["light"], r["yaw"], r["method"]) == (light, yaw, method)]
        cells = []
        for geometry in GEOMETRIES:
            for key, digits in (("psnr", 1), ("ciede2000", 1)):
                values = [r[key] for r in own if r["geometry"] == geometry]
                cells.append("" if method == "truth" else f"{np.mean(values):.{digits}f}")
        for key in ("to_reference", "to_truth"):
            cells.append(f"{np.mean([r[key] for r in own if r['geometry'] == 'network']):.2f}")
        lines.append(f"| {light} | {yaw:.0f} | {method} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
