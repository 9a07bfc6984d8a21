"""Train prn-lite anew, each time without one part of its data, and compare what it learnt.

    python docs/measure_ablation.py --pack ../shared/data --photo-skins SKINS -o OUT [--only NAME]

All runs have the same seed, steps and number of pictures. Pools and finished runs in OUT are used
again, so that ``--only`` may do one run per process. Writes OUT/table.md.
"""

import argparse
import json
from pathlib import Path
from unittest import mock

import jax
import numpy as np

import uvface
from uvface.core.compilation import keep_compiled_code
from uvface.core.synthesis import generator, layers
from uvface.core.training.config import AugmentConfig, TrainConfig
from uvface.core.training.loop import train_on_pool
from uvface.core.training.photos import evaluate

# What each run lacks, and the pools that it is trained on.
RUNS = {
    "nothing": ("whole", "turned"),
    "turned photos": ("whole",),
    "all photos": ("no_skins",),
    "glasses, hands and things": ("no_things", "turned"),
}
SEED, TEST_SEED = 901, 977


def main() -> None:
    """Make the pools, train, measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pack", type=Path, required=True, help="the data pack's folder")
    parser.add_argument("--photo-skins", type=Path, required=True, help="skins made from photos")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--faces", type=int, default=10000, help="drawn pictures of a pool")
    parser.add_argument("--turned", type=int, default=1000, help="turned photos")
    parser.add_argument("--steps", type=int, default=1200, help="of each run")
    parser.add_argument("--only", choices=RUNS, help="what the one run lacks")
    options = parser.parse_args()
    keep_compiled_code()
    names = [options.only] if options.only else list(RUNS)
    rows = {name: measure(options, train_without(options, name)) for name in names}
    if not options.only:
        (options.output / "table.md").write_text(table(rows))
    print(table(rows))


def make_pool(options: argparse.Namespace, kind: str) -> Path:
    """Draw a pool, or what it still lacks; the same seed draws the same heads in all."""
    folder = options.output / f"pool_{kind}"
    skins = None if kind == "no_skins" else options.photo_skins
    given = {"assets": options.pack, "photo_skins": skins, "seed": SEED, "pool": True}
    if kind == "turned":
        photos = options.pack / "photos_cc_by"
        uvface.synthesize(options.turned, folder, photos=photos, **given)
    elif kind == "no_things":
        jax.clear_caches()  # the shares are constants of what was compiled
        with (
            mock.patch.object(generator, "OCCLUDER_SHARE", 0.0),
            mock.patch.object(layers, "GLASSES_SHARE", 0.0),
        ):
            uvface.synthesize(options.faces, folder, **given)
        jax.clear_caches()
    else:
        uvface.synthesize(options.faces, folder, **given)
    return folder


def train_without(options: argparse.Namespace, name: str) -> Path:
    """Return the weights of a run; a finished one is not repeated."""
    folder = options.output / f"without_{name.replace(' ', '_').replace(',', '')}"
    weights = folder / "last.safetensors"
    if (folder / "done").is_file():
        return weights
    pools = [make_pool(options, kind) for kind in RUNS[name]]
    is_bare = "no_things" in RUNS[name]
    augment = AugmentConfig(p_occluder=0.0) if is_bare else AugmentConfig()
    config = TrainConfig(
        pool=pools[0],
        more_pools=tuple(pools[1:]),
        output=folder,
        minutes=None,
        steps=options.steps,
        validation=125,
        workers=1,
        augment=augment,
    )
    train_on_pool(config, resume=(folder / "last.checkpoint").is_file(), report=show)
    (folder / "done").touch()
    return weights


def show(progress) -> None:
    """Print where a run stands."""
    print(f"step {progress.step}  loss {progress.loss:.4f}  {progress.validation}", flush=True)


def measure(options: argparse.Namespace, weights: Path) -> dict[str, float]:
    """Return errors on fresh drawn faces (those with everything) and on people held out, in %."""
    model = uvface.load(weights)
    folder = options.output / "pool_test"
    sources = {"assets": options.pack, "photo_skins": options.photo_skins}
    uvface.synthesize(400, folder, seed=TEST_SEED, pool=True, **sources)
    found = evaluate([folder], model=model, protocol="synthetic", whole=True)
    row = {"drawn faces": found["mean"], "dense": found["dense"]}
    row |= {f"{name} degrees": part["nme"] for name, part in found["yaw"].items()}
    row |= {"covered IoU": found["covered_iou"], "people held out": held_out(options, model)}
    (weights.parent / "measured.json").write_text(json.dumps(row | {"all": found}, indent=1))
    return row


def held_out(options: argparse.Namespace, model) -> float:
    """Return the mean landmark error on the London photos that no skin was made from, in %."""
    photos, errors = np.load(options.photo_skins / "heldout.npz"), []
    for image, landmarks in zip(photos["images"], photos["landmarks68"], strict=True):
        points = landmarks[:, :2]
        low, high = points.min(axis=0), points.max(axis=0)
        face = model.reconstruct(image.astype(np.float32) / 255, boxes=[[*low, *high]])[0]
        distance = np.linalg.norm(np.asarray(face.landmarks)[:, :2] - points, axis=1)
        errors.append(100 * distance.mean() / np.sqrt(np.prod(high - low)))
    return float(np.mean(errors))


def table(rows: dict[str, dict[str, float]]) -> str:
    """Return the runs as a Markdown table."""
    names = list(next(iter(rows.values())))
    lines = ["| without | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(f"{row[key]:.2f}" for key in names) + " |"
        for name, row in rows.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
