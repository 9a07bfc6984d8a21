"""The released PRNet graph in plain numpy, float64: slow and literal.

Follows ``predictor.py`` of the release: ``tcl.conv2d`` / ``tcl.conv2d_transpose`` with 'SAME'
padding, ``batch_norm`` with epsilon 0.001 and the moving statistics, relu after every layer but the
last, whose output goes through a sigmoid.
"""

import numpy as np


def _before(kernel: int, stride: int) -> int:
    """Pixels that 'SAME' adds before, for sizes that the stride divides."""
    return max(kernel - stride, 0) // 2


def _convolve(x: np.ndarray, weights: np.ndarray, stride: int) -> np.ndarray:
    kernel = weights.shape[0]
    before = _before(kernel, stride)
    after = max(kernel - stride, 0) - before
    padded = np.pad(x, ((before, after), (before, after), (0, 0)))
    out = np.zeros((x.shape[0] // stride, x.shape[1] // stride, weights.shape[3]))
    for i in range(kernel):
        for j in range(kernel):
            part = padded[i : i + x.shape[0] : stride, j : j + x.shape[1] : stride]
            out += part @ weights[i, j]
    return out


def _convolve_transposed(x: np.ndarray, weights: np.ndarray, stride: int) -> np.ndarray:
    """Scatter: each input adds its share to the outputs that it was computed from."""
    kernel, before = weights.shape[0], _before(weights.shape[0], stride)
    height, width = x.shape[0] * stride, x.shape[1] * stride
    out = np.zeros((height + kernel, width + kernel, weights.shape[2]))
    for i in range(kernel):
        for j in range(kernel):
            out[i : i + height : stride, j : j + width : stride] += x @ weights[i, j].T
    return out[before : before + height, before : before + width]


def _normalise(x: np.ndarray, variables: dict[str, np.ndarray], scope: str) -> np.ndarray:
    get = {name: variables[f"{scope}/BatchNorm/{name}"].astype(np.float64) for name in
           ("gamma", "beta", "moving_mean", "moving_variance")}  # fmt: skip
    scale = get["gamma"] / np.sqrt(get["moving_variance"] + 0.001)
    return (x - get["moving_mean"]) * scale + get["beta"]


def _layer(x: np.ndarray, variables: dict[str, np.ndarray], scope: str, stride: int) -> np.ndarray:
    weights = variables[f"{scope}/weights"].astype(np.float64)
    return np.maximum(_normalise(_convolve(x, weights, stride), variables, scope), 0.0)


def _residual(
    x: np.ndarray, variables: dict[str, np.ndarray], scope: str, stride: int
) -> np.ndarray:
    shortcut = x
    if f"{scope}/shortcut/weights" in variables:
        weights = variables[f"{scope}/shortcut/weights"].astype(np.float64)
        shortcut = x[::stride, ::stride] @ weights[0, 0]
    x = _layer(x, variables, f"{scope}/Conv", 1)
    x = _layer(x, variables, f"{scope}/Conv_1", stride)
    x = x @ variables[f"{scope}/Conv_2/weights"][0, 0].astype(np.float64) + shortcut
    return np.maximum(_normalise(x, variables, scope), 0.0)


def run_prnet(crop: np.ndarray, variables: dict[str, np.ndarray]) -> np.ndarray:
    """Return the sigmoid output ``[256, 256, 3]`` of a crop ``[256, 256, 3]`` in [0, 1]."""
    root = "resfcn256"
    x = _layer(crop.astype(np.float64), variables, f"{root}/Conv", 1)
    for k in range(10):
        name = f"{root}/resBlock" + (f"_{k}" if k else "")
        x = _residual(x, variables, name, stride=2 if k % 2 == 0 else 1)
    # 8x8x512, then 16, 32, 64, 128, 256 pixels; the first of each size doubles it.
    strides = [1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 2, 1, 1, 1, 1]
    for k, stride in enumerate(strides):
        scope = f"{root}/Conv2d_transpose" + (f"_{k}" if k else "")
        weights = variables[f"{scope}/weights"].astype(np.float64)
        x = _normalise(_convolve_transposed(x, weights, stride), variables, scope)
        x = np.maximum(x, 0.0) if k < 16 else 1.0 / (1.0 + np.exp(-x))
    return x
