"""The paper's network in other runtimes, to measure ours against: ONNX Runtime and PyTorch.

`Peer` functions compute what `PRN` computes, from the same weights. Batch norms are folded in for
all of them (`fold_norm`), and PyTorch gets channels-last tensors, the fastest that it offers
without a compiler; transposed convolutions stay what they are. Nothing here is imported unless
a comparison is asked for, and neither runtime is needed for anything else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from flax import nnx
from jaxtyping import Float

from ..arguments import name_list
from ..errors import InputError
from ..onnx_runtime import load_onnxruntime
from .prn import PRN
from .prn_fast import conv_stride, fold_norm, variable_values

__all__ = ["PEERS", "Peer", "make_peer", "parse_peers", "require_peers"]

Crops = Float[np.ndarray, "b 3 256 256"]  # channels first, as both runtimes take them
Peer = Callable[[Crops], Crops]  # -> sigmoids, position maps before their scale
PEERS = {"onnxruntime": ("onnx", "onnxruntime"), "torch": ("torch",)}  # and what they need


def parse_peers(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return the runtimes that are named, as a list or separated by commas; ``none`` names none.

    Raises:
        InputError: one is unknown.
    """
    names = name_list(given, "runtimes")
    if unknown := set(names) - set(PEERS):
        raise InputError(f"{min(unknown)!r}; choose from {', '.join(PEERS)}, or none")
    return names


def require_peers(names: Sequence[str]) -> None:
    """Raise an `InputError` where one of `PEERS` is not installed."""
    for name in names:
        missing = [package for package in PEERS[name] if find_spec(package) is None]
        if missing:
            raise InputError(
                f"cannot compare with {name}: {' and '.join(missing)} not installed; "
                f"run: pip install {' '.join(missing)}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Step:
    """One layer: a linear map of an earlier result, plus another result, then a function."""

    kind: Literal["Conv", "ConvTranspose", "Mul"]  # as ONNX calls it
    source: int  # 0 is the input, k the result of step k
    kernel: np.ndarray  # [out, in, h, w]; [in, out, h, w] where transposed; [1, in, 1, 1] for Mul
    bias: np.ndarray | None  # [out]; none for Mul
    stride: int = 1
    added: int | None = None
    ending: Literal["relu", "sigmoid", "none"] = "relu"

    @property
    def pads(self) -> tuple[int, int]:
        """Pixels before and after along both axes, of the input or cut off the output."""
        total = max(self.kernel.shape[2] - self.stride, 0)
        return total // 2, total - total // 2


def _conv(layer: Any, source: int) -> _Step:
    scale, shift = fold_norm(layer.norm)
    kernel = (variable_values(layer.conv.kernel) * scale).transpose(3, 2, 0, 1)
    return _Step(
        kind="Conv", source=source, kernel=kernel, bias=shift, stride=conv_stride(layer.conv)
    )


def _block(block: Any, source: int) -> list[_Step]:
    """Return shortcut, reduce, conv and expand."""
    first = source + 1
    scale, shift = fold_norm(block.norm)
    shortcut = _Step(
        kind="Mul", source=source, kernel=scale.reshape(1, -1, 1, 1), bias=None, ending="none"
    )
    if block.shortcut is not None:
        shortcut = dataclasses.replace(
            shortcut,
            kind="Conv",
            kernel=(variable_values(block.shortcut.kernel) * scale).transpose(3, 2, 0, 1),
            bias=np.zeros_like(shift),
            stride=conv_stride(block.shortcut),
        )
    expand = _Step(
        kind="Conv",
        source=first + 2,
        kernel=(variable_values(block.expand.kernel) * scale).transpose(3, 2, 0, 1),
        bias=shift,
        added=first,
    )
    return [shortcut, _conv(block.reduce, source), _conv(block.conv, first + 1), expand]


def _steps(network: PRN) -> list[_Step]:
    steps = [_conv(network.stem, 0)]
    for block in network.down:
        steps += _block(block, len(steps))
    for layer in network.up:
        scale, shift = fold_norm(layer.norm)
        kernel = (variable_values(layer.conv.kernel) * scale[:, None]).transpose(3, 2, 0, 1)
        stride = conv_stride(layer.conv)
        kind: Any = "ConvTranspose"
        steps.append(_Step(kind=kind, source=len(steps), kernel=kernel, bias=shift, stride=stride))
    steps[-1] = dataclasses.replace(steps[-1], ending="sigmoid")
    return steps


def _onnx_nodes(number: int, step: _Step) -> list[Any]:
    """Return the nodes of a step; the last one makes ``x<number>``."""
    from onnx import helper

    before, after = step.pads
    options = {"pads": [before, before, after, after], "strides": [step.stride] * 2}
    inputs = [f"x{step.source}", f"kernel{number}"]
    todo: list[tuple[str, list[str], dict[str, Any]]] = (
        [("Mul", inputs, {})]
        if step.bias is None
        else [(step.kind, [*inputs, f"bias{number}"], options)]
    )
    if step.added is not None:
        todo.append(("Add", [f"x{step.added}"], {}))
    if step.ending != "none":
        todo.append((step.ending.capitalize(), [], {}))
    nodes: list[Any] = []
    for k, (kind, given, attributes) in enumerate(todo):
        before_it = list(nodes[-1].output) if nodes else []
        made = f"x{number}" if k == len(todo) - 1 else f"x{number}_{k}"
        nodes.append(helper.make_node(kind, before_it + given, [made], **attributes))
    return nodes


def _onnxruntime(network: PRN) -> Peer:
    from onnx import TensorProto, helper, numpy_helper

    steps = _steps(network)
    arrays = [
        numpy_helper.from_array(np.ascontiguousarray(values), f"{kind}{k}")
        for k, step in enumerate(steps, 1)
        for kind, values in (("kernel", step.kernel), ("bias", step.bias))
        if values is not None
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3, 256, 256])
        for name in ("x0", f"x{len(steps)}")
    ]
    nodes = [node for k, step in enumerate(steps, 1) for node in _onnx_nodes(k, step)]
    graph = helper.make_graph(nodes, "prn", ends[:1], ends[1:], arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = load_onnxruntime().InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )

    def run(crops: Crops) -> Crops:
        found: Crops = session.run(None, {"x0": crops})[0]
        return found

    return run


def _torch(network: PRN) -> Peer:
    import torch
    from torch.nn import functional

    layout = torch.channels_last
    steps = _steps(network)
    weights = [
        (
            torch.tensor(step.kernel).contiguous(memory_format=layout),
            None if step.bias is None else torch.tensor(step.bias),
        )
        for step in steps
    ]

    def convolve(x: Any, step: _Step, kernel: Any, bias: Any) -> Any:
        if step.kind == "Mul":
            return x * kernel
        before, after = step.pads
        if step.kind == "ConvTranspose":
            y = functional.conv_transpose2d(x, kernel, bias, step.stride, before)
            return y[:, :, : y.shape[2] - after + before, : y.shape[3] - after + before]
        if before != after:
            x, before = functional.pad(x, (before, after, before, after)), 0
        return functional.conv2d(x, kernel, bias, step.stride, before)

    def run(crops: Crops) -> Crops:
        results = [torch.from_numpy(crops).contiguous(memory_format=layout)]
        with torch.inference_mode():
            for step, (kernel, bias) in zip(steps, weights, strict=True):
                y = convolve(results[step.source], step, kernel, bias)
                if step.added is not None:
                    y = y + results[step.added]
                if step.ending != "none":
                    y = torch.relu_(y) if step.ending == "relu" else torch.sigmoid(y)
                results.append(y)
        found: Crops = results[-1].numpy()
        return found

    return run


def make_peer(name: str, network: nnx.Module) -> Peer:
    """Return the paper's network, weights and all, in another runtime.

    Args:
        name: one of `PEERS`, installed.
        network: a `PRN` in evaluation.
    """
    if not isinstance(network, PRN):
        raise InputError(f"only prn runs in {name}, not {type(network).__name__}")
    return {"onnxruntime": _onnxruntime, "torch": _torch}[name](network)
