"""Check our toy checkpoints and the reference graph against TensorFlow itself.

Not collected by pytest: run it in an environment that has TensorFlow,
``python check_with_tensorflow.py FOLDER``. It reads a bundle that `bundles.write_bundle` wrote with
TensorFlow's reader, has TensorFlow write a checkpoint of random weights under PRNet's names, and
compares `prnet_reference.run_prnet` with TensorFlow's own operations. The folder then holds
``tf_weights`` (the checkpoint), ``crop.npy`` and ``expected.npy`` for
`uvface.core.network.prnet_checkpoint.load_prnet`.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from bundles import write_bundle
from prnet_reference import run_prnet

WIDTHS = [512, 256, 256, 256, 128, 128, 128, 64, 64, 64, 32, 32, 16, 16, 3, 3, 3]
STRIDES = [1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 2, 1, 1, 1, 1]
ROOT = "resfcn256"


def suffixed(name: str, number: int) -> str:
    """Return TensorFlow's name of the n-th layer of a kind."""
    return f"{ROOT}/{name}" + (f"_{number}" if number else "")


class Graph:
    """The released graph in TensorFlow's operations; makes its variables as it goes."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(3)
        self.variables: dict[str, np.ndarray] = {}

    def _weights(self, name: str, shape: tuple[int, ...], fan: int) -> np.ndarray:
        values = self.rng.normal(0.0, np.sqrt(2.0 / fan), shape).astype(np.float32)
        self.variables[f"{name}/weights"] = values
        return values

    def norm(self, x: tf.Tensor, scope: str) -> tf.Tensor:
        """Batch norm with its moving statistics."""
        count = int(x.shape[-1])
        draw = {
            "gamma": self.rng.uniform(0.5, 1.5, count),
            "beta": self.rng.normal(0.0, 0.3, count),
            "moving_mean": self.rng.normal(0.0, 0.3, count),
            "moving_variance": self.rng.uniform(0.5, 1.5, count),
        }
        values = {name: array.astype(np.float32) for name, array in draw.items()}
        self.variables |= {f"{scope}/BatchNorm/{name}": v for name, v in values.items()}
        return tf.nn.batch_normalization(
            x, values["moving_mean"], values["moving_variance"], values["beta"], values["gamma"],
            0.001,
        )  # fmt: skip

    def conv(self, x: tf.Tensor, scope: str, width: int, kernel: int, stride: int) -> tf.Tensor:
        """Convolution alone."""
        source = int(x.shape[-1])
        weights = self._weights(scope, (kernel, kernel, source, width), kernel**2 * source)
        return tf.nn.conv2d(x, weights, stride, "SAME")

    def block(self, x: tf.Tensor, scope: str, width: int, stride: int) -> tf.Tensor:
        """Residual block."""
        shortcut = x
        if stride != 1 or int(x.shape[-1]) != width:
            shortcut = self.conv(x, f"{scope}/shortcut", width, 1, stride)
        x = tf.nn.relu(self.norm(self.conv(x, f"{scope}/Conv", width // 2, 1, 1), f"{scope}/Conv"))
        x = self.conv(x, f"{scope}/Conv_1", width // 2, 4, stride)
        x = tf.nn.relu(self.norm(x, f"{scope}/Conv_1"))
        x = self.conv(x, f"{scope}/Conv_2", width, 1, 1) + shortcut
        return tf.nn.relu(self.norm(x, scope))

    def up(self, x: tf.Tensor, scope: str, width: int, stride: int) -> tf.Tensor:
        """Transposed convolution and norm."""
        source, size = int(x.shape[-1]), int(x.shape[1]) * stride
        weights = self._weights(scope, (4, 4, width, source), 16 * source)
        x = tf.nn.conv2d_transpose(x, weights, (1, size, size, width), stride, "SAME")
        return self.norm(x, scope)

    def run(self, crop: np.ndarray) -> np.ndarray:
        """Return the sigmoid output."""
        x = self.conv(tf.constant(crop[None]), f"{ROOT}/Conv", 16, 4, 1)
        x = tf.nn.relu(self.norm(x, f"{ROOT}/Conv"))
        for k in range(10):
            x = self.block(x, suffixed("resBlock", k), 32 * 2 ** (k // 2), 2 if k % 2 == 0 else 1)
        for k, (width, stride) in enumerate(zip(WIDTHS, STRIDES, strict=True)):
            x = self.up(x, suffixed("Conv2d_transpose", k), width, stride)
            x = tf.nn.relu(x) if k < 16 else tf.nn.sigmoid(x)
        return x.numpy()[0]


def main(folder: Path) -> None:
    """Run all checks."""
    rng = np.random.default_rng(0)
    toy = {f"scope_{k}/name": rng.normal(size=(k, 3)).astype(np.float32) for k in range(1, 60)}
    write_bundle(folder / "toy", toy, checksums=True)
    reader = tf.train.load_checkpoint(str(folder / "toy"))
    assert all((reader.get_tensor(name) == values).all() for name, values in toy.items())
    print("TensorFlow reads our bundles")

    graph, crop = Graph(), rng.random((256, 256, 3)).astype(np.float32)
    expected = graph.run(crop)
    print(
        "reference against TensorFlow:", np.abs(run_prnet(crop, graph.variables) - expected).max()
    )
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, values in graph.variables.items():
            tf.compat.v1.get_variable(name, initializer=values)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / "tf_weights"))
    np.save(folder / "crop.npy", crop)
    np.save(folder / "expected.npy", expected)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
