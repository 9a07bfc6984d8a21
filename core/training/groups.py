"""Figures of groups of faces: by yaw, by the skin's tone, by what covers the face, by region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..synthesis.kinds import KINDS, TONES, tone_name
from .evaluate import BINS, FaceError
from .exact import ExactErrors, hidden_overlap, intersection_over_union

__all__ = ["group_figures"]

_Pair = tuple[FaceError, ExactErrors]


def group_figures(errors: Sequence[FaceError], exact: Sequence[ExactErrors]) -> dict[str, Any]:
    """Return tables of synthetic faces, in percent of the face size.

    Args:
        errors: landmark errors of the faces.
        exact: dense errors of the same faces.

    Returns:
        ``dense``, ``covered_iou``, ``hidden_iou``, ``regions`` (mean 3D distance of each), ``yaw``,
        and, where the pool says so, ``tones`` and ``occluders``. A row of a group holds the number
        of faces, the landmark error (``nme``) with the standard error of that mean (``sem``),
        ``dense`` and ``covered_iou``. A face is in the group of every kind that covers 2 % of it
        or more; the overlap of a kind is that of the texels that it covers.
    """
    pairs = list(zip(errors, exact, strict=True))
    tables: dict[str, Any] = {
        "dense": _percent(one.dense for one in exact),
        "covered_iou": _rounded(intersection_over_union(exact)),
        "hidden_iou": _rounded(hidden_overlap(exact)),
        "regions": {
            name: _percent(one.regions[name] for one in exact) for name in exact[0].regions
        },
        "yaw": _table(
            pairs,
            [f"{low:.0f}-{min(high, 90.0):.0f}" for low, high in BINS],
            lambda pair: (_yaw_bin(pair[0]),),
        ),
    }
    if all(one.ita is not None for one in exact):
        tables["tones"] = _table(
            pairs, [name for name, _ in TONES], lambda pair: (tone_name(pair[1].ita or 0.0),)
        )
    if all(one.has_kinds for one in exact):
        tables["occluders"] = _table(pairs, KINDS, lambda pair: pair[1].kinds(), by_kind=True)
    return tables


def _yaw_bin(error: FaceError) -> str:
    yaw = abs(float(error.angles[0]))
    low, high = next((low, high) for low, high in BINS if low <= yaw < high)
    return f"{low:.0f}-{min(high, 90.0):.0f}"


def _table(
    pairs: Sequence[_Pair],
    names: Sequence[str],
    groups: Callable[[_Pair], Sequence[str]],
    *,
    by_kind: bool = False,
) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for name in names:
        rows = [pair for pair in pairs if name in groups(pair)]
        if not rows:
            table[name] = {"faces": 0}
            continue
        exact = [one for _, one in rows]
        kind = name if by_kind and name != KINDS[0] else None
        # "none" has nothing to find; its overlap would only punish what is found in error.
        overlap = None if by_kind and kind is None else intersection_over_union(exact, kind=kind)
        nme = np.array([error.nme for error, _ in rows])
        table[name] = {
            "faces": len(rows),
            "nme": _percent(nme),
            "sem": _standard_error(nme),
            "dense": _percent(one.dense for one in exact),
            "covered_iou": _rounded(overlap),
        }
        if kind is not None:
            table[name]["covered_share"] = _covered_share(exact, kind)
    return table


def _covered_share(exact: Sequence[ExactErrors], kind: str) -> float:
    """Return the share of the camera-facing texels that a kind covers in these faces, percent."""
    covered = sum(int(one.covered[KINDS.index(kind)]) for one in exact)
    return round(100.0 * covered / max(sum(one.facing for one in exact), 1), 1)


def _standard_error(values: np.ndarray) -> float | None:
    """Return the standard error of the mean, percent; None of a single value."""
    if len(values) < 2:
        return None
    return round(100.0 * float(values.std(ddof=1) / np.sqrt(len(values))), 3)


def _percent(values: Iterable[float]) -> float:
    return round(100.0 * float(np.mean(list(values))), 3)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
