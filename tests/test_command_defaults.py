"""Defaults and choices of ``swap``, ``exchange`` and ``edit`` are their configs' own.

The commands write them out again: ``--help`` must not wait for JAX, which the classes need.
"""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import pytest

import uvface
from uvface.core.blending.composite import BlendConfig, BlendMethod
from uvface.core.commands import options
from uvface.core.commands.doctor import doctor
from uvface.core.commands.inspect import inspect as inspect_command
from uvface.core.commands.models import import_prnet
from uvface.core.commands.train import synthesize, train
from uvface.core.face_choice import FaceWord
from uvface.core.training.config import NetworkKind, Precision
from uvface.editing.commands.edit import edit
from uvface.editing.commands.edit_video import edit_video
from uvface.editing.complete import Completion
from uvface.editing.detail.finish import SharpnessMatch
from uvface.editing.edit import EditConfig
from uvface.editing.light import ColorMatch
from uvface.faceswap.command import benchmark, swap
from uvface.faceswap.exchange_command import exchange
from uvface.faceswap.photos import Preset, SwapOptions
from uvface.faceswap.swap import SwapConfig
from uvface.faceswap.video_command import swap_video


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _as_typed(value: Any) -> Any:
    """Return a value of a config as the command line writes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(
    ("command", "config", "left_out"),
    [
        (swap, SwapConfig(), {"blend", "feather"}),
        (exchange, SwapConfig(), {"blend", "feather"}),
        (edit, EditConfig(), {"blend", "color", "sharpness"}),
        (swap_video, SwapConfig(), {"blend", "feather"}),
        (edit_video, EditConfig(), {"blend", "color", "sharpness"}),
    ],
)
def test_every_default_of_a_command_is_the_config_s(
    command: Callable[..., None], config: SwapConfig | EditConfig, left_out: set[str]
) -> None:
    given = _defaults(command)
    names = {field.name for field in dataclasses.fields(config)} - left_out
    assert {n: given[n] for n in names} == {n: _as_typed(getattr(config, n)) for n in names}


def test_blend_and_preset_of_a_swap_are_the_configs_too() -> None:
    given = _defaults(swap)
    assert given["blend"] == BlendConfig().method == SwapConfig().blend.method
    assert given["blend"] == _defaults(exchange)["blend"]
    assert given["preset"] == SwapOptions().preset


_CHOSEN = {"like", "reference_face", "recognition"}


@pytest.mark.parametrize(
    ("command", "more"),
    [
        (swap, _CHOSEN | {"boxes"}),
        (edit, _CHOSEN | {"boxes"}),
        (exchange, {"keep", "boxes"}),
        (swap_video, _CHOSEN | {"quality", "shape"}),
        (edit_video, _CHOSEN | {"quality", "feather"}),
    ],
)
def test_a_command_and_the_function_of_its_name_have_the_same_defaults(
    command: Callable[..., None], more: set[str]
) -> None:
    given, function = _defaults(command), _defaults(getattr(uvface, command.__name__))
    shared = given.keys() & function.keys()
    assert {"strength", "faces"} | more <= shared
    switches = {n for n in shared if isinstance(given[n], bool)}  # --metadata, --no-metadata
    typed = {n: function[n] if n in switches else _as_typed(function[n]) for n in shared}
    assert {n: given[n] for n in shared} == typed
    assert given["weights"] == _defaults(uvface.load)["weights"]


@pytest.mark.parametrize(
    "command", [inspect_command, doctor, benchmark, import_prnet, synthesize, train]
)
def test_options_of_a_command_without_a_config_are_its_function_s(
    command: Callable[..., None],
) -> None:
    """But for how it is printed, whom it tells, and that weights and device make the model."""
    function = getattr(uvface, command.__name__)
    given, taken = ([*inspect.signature(one).parameters] for one in (command, function))
    assert ("weights" in given) == ("model" in taken)
    only = {"weights", "device", "quiet", "as_json"}
    told = {"report", "left_out"}
    own = [name for name in taken if name not in {"model"} | told]
    assert [name for name in given if name not in only] == own
    defaults, found = _defaults(command), _defaults(function)
    shared = {name: value for name, value in defaults.items() if name not in only}
    assert {name: value for name, value in found.items() if name not in told} == shared | (
        {"model": None} if "weights" in given else {}
    )


def test_choices_of_a_swap_are_those_of_the_literals() -> None:
    hints = get_type_hints(swap)
    literals = {
        "color": ColorMatch,
        "blend": BlendMethod,
        "complete": Completion,
        "sharpness": SharpnessMatch,
        "preset": Preset,
    }
    assert {n: get_args(hints[n]) for n in literals} == {
        n: get_args(t) for n, t in literals.items()
    }


def test_faces_are_chosen_by_the_same_words() -> None:
    assert options._FACE_WORDS == get_args(FaceWord)


def test_choices_of_a_training_are_those_of_the_literals() -> None:
    hints = get_type_hints(train)
    for name, literal in {"network": NetworkKind, "precision": Precision}.items():
        assert get_args(hints[name]) == get_args(literal)
