"""``python -m uvface.core.training POOL RUN``: training without the command line around it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .config import TrainConfig
from .loop import Progress, train_on_pool


def _show(progress: Progress) -> None:
    errors = "".join(f" {k} {100 * v:.3f}%" for k, v in progress.validation.items())
    sys.stdout.write(
        f"step {progress.step} {100 * progress.share:.1f}% {progress.images_per_second:.1f} img/s"
        f" lr {progress.learning_rate:.2e} pool {progress.samples}"
        f" loss {progress.loss:.4f}{errors}\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Parse, train, say where the weights are."""
    defaults = TrainConfig(pool=Path(), output=Path())
    parser = argparse.ArgumentParser(prog="python -m uvface.core.training")
    parser.add_argument("pool", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--resume", action="store_true")
    options = {
        "minutes": float, "steps": int, "network": str, "initial": str, "seed": int, "batch": int,
        "learning_rate": float, "cooldown": float, "workers": int,
        "report_minutes": float, "negatives": Path, "landmark_weight": float, "ema_decay": float,
        "warmup_steps": int, "mask_weight": float, "cover_weight": float, "refresh_minutes": float,
    }  # fmt: skip
    for name, kind in options.items():
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=kind, default=getattr(defaults, name))
    chosen = vars(parser.parse_args())
    resume = chosen.pop("resume")
    weights = train_on_pool(TrainConfig(**chosen), resume=resume, report=_show)
    sys.stdout.write(f"weights: {weights}\n")


if __name__ == "__main__":
    main()
