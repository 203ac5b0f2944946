"""The same networks without PyTorch: every forward with its backward, written out by hand.

For a layer y = f(x), ``forward`` returns y and stores what ``backward`` needs. ``find_gradients``
takes dL/dy and stores the gradients of the layer's weights in ``gradients``; ``backward`` does that
and returns dL/dx. ``loss.backward()`` in PyTorch is the same chain. Shapes: B batch, C channels,
H rows, W columns, I inputs, O outputs, K kernel side.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["Network", "NumpyEngine", "cross_entropy", "log_softmax"]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log(softmax(z)) = z - log(sum(exp(z))), row by row: (B, 10) -> (B, 10).

    The largest logit is subtracted first: the result is the same, and exp never overflows.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the loss L, the mean of -log p[label], and its gradient dL/dlogits = (p - y) / B.

    p is softmax(logits) and y the one-hot labels, both (B, 10).
    """
    log_p = log_softmax(logits)
    rows = np.arange(len(labels))
    loss = -log_p[rows, labels].sum() / len(labels)
    gradient = np.exp(log_p)
    gradient[rows, labels] -= 1
    gradient /= len(labels)
    return float(loss), gradient


class Layer(ABC):
    """A layer; one that has weights fills ``weights`` and ``gradients``."""

    def __init__(self) -> None:
        self.weights: dict[str, np.ndarray] = {}
        self.gradients: dict[str, np.ndarray] = {}

    @abstractmethod
    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return y = f(x)."""

    @abstractmethod
    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Return dL/dx, given dL/dy; find the gradients of the weights on the way."""

    def find_gradients(self, dy: np.ndarray) -> None:
        """Store dL/dw of every weight in ``gradients``, given dL/dy."""
        raise NotImplementedError(f"{type(self).__name__} has no weights.")

    def update(self, learning_rate: float) -> None:
        """Take one step of plain SGD in place: w = w - lr dL/dw. It uses the gradients up."""
        for name, gradient in self.gradients.items():
            gradient *= learning_rate
            self.weights[name] -= gradient


class Flatten(Layer):
    def forward(self, x: np.ndarray) -> np.ndarray:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy.reshape(self.shape)


class ReLU(Layer):
    def forward(self, x: np.ndarray) -> np.ndarray:
        self.positive = x > 0
        return x * self.positive

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy * self.positive


class Linear(Layer):
    def __init__(self, W: np.ndarray, b: np.ndarray) -> None:
        super().__init__()
        self.weights = {"weight": W, "bias": b}  # (O, I), (O,)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x  # (B, I)
        return x @ self.weights["weight"].T + self.weights["bias"]  # (B, O)

    def find_gradients(self, dy: np.ndarray) -> None:
        self.gradients = {"weight": dy.T @ self.x, "bias": dy.sum(axis=0)}

    def backward(self, dy: np.ndarray) -> np.ndarray:
        self.find_gradients(dy)
        return dy @ self.weights["weight"]


class Conv2d(Layer):
    def __init__(self, W: np.ndarray, b: np.ndarray, stride: int, padding: int) -> None:
        super().__init__()
        self.weights = {"weight": W, "bias": b}  # (O, C, K, K), (O,)
        self.stride, self.padding = stride, padding

    def forward(self, x: np.ndarray) -> np.ndarray:
        p, s, k = self.padding, self.stride, self.weights["weight"].shape[2]
        self.padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))  # (B, C, H+2p, W+2p)
        windows = sliding_window_view(self.padded, (k, k), axis=(2, 3))
        self.windows = windows[:, :, ::s, ::s]  # (B, C, H', W', K, K)
        y = np.tensordot(self.windows, self.weights["weight"], axes=((1, 4, 5), (1, 2, 3)))
        return (y + self.weights["bias"]).transpose(0, 3, 1, 2)  # (B, O, H', W')

    def find_gradients(self, dy: np.ndarray) -> None:
        self.gradients = {
            "weight": np.tensordot(dy, self.windows, axes=((0, 2, 3), (0, 2, 3))),
            "bias": dy.sum(axis=(0, 2, 3)),
        }

    def backward(self, dy: np.ndarray) -> np.ndarray:
        self.find_gradients(dy)
        W, s, p = self.weights["weight"], self.stride, self.padding
        height, width = dy.shape[2:]
        dx = np.zeros_like(self.padded)
        for i in range(W.shape[2]):  # each kernel weight saw a shifted copy of the image
            for j in range(W.shape[3]):
                part = np.tensordot(dy, W[:, :, i, j], axes=(1, 0)).transpose(0, 3, 1, 2)
                dx[:, :, i : i + s * height : s, j : j + s * width : s] += part
        return dx[:, :, p : dx.shape[2] - p, p : dx.shape[3] - p]


class MaxPool2d(Layer):
    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: np.ndarray) -> np.ndarray:
        k, (b, c, h, w) = self.side, x.shape
        blocks = x.reshape(b, c, h // k, k, w // k, k).transpose(0, 1, 2, 4, 3, 5)
        flat = blocks.reshape(b, c, h // k, w // k, k * k)
        self.winner = flat.argmax(axis=-1)[..., None]  # the first of equals, as in PyTorch
        return np.take_along_axis(flat, self.winner, axis=-1)[..., 0]

    def backward(self, dy: np.ndarray) -> np.ndarray:
        k, (b, c, h, w) = self.side, dy.shape
        flat = np.zeros((b, c, h, w, k * k), dtype=dy.dtype)
        np.put_along_axis(flat, self.winner, dy[..., None], axis=-1)
        blocks = flat.reshape(b, c, h, w, k, k).transpose(0, 1, 2, 4, 3, 5)
        return blocks.reshape(b, c, h * k, w * k)


class Network:
    """A stack of layers with the weights of an ``nn.Sequential``, copied."""

    def __init__(self, layers: dict[str, Layer]) -> None:
        self.layers = layers

    @classmethod
    def copy_of(cls, model: Any, dtype: type = np.float32) -> Network:
        """Copy the layers and weights of a model of `mnist_core.nn.architectures`.

        Raises
        ------
        ValueError
            If the model holds a layer that is not written out here.
        """
        return cls({name: _copy_layer(layer, dtype) for name, layer in model.named_children()})

    def forward(self, x: np.ndarray) -> np.ndarray:
        """(B, 1, 28, 28) -> (B, 10), the logits."""
        for layer in self.layers.values():
            x = layer.forward(x)
        return x

    def backward(self, dlogits: np.ndarray) -> None:
        """Find the gradients of all weights, from the last layer to the first.

        It stops at the lowest layer that has weights: the layers below need no gradient.
        """
        layers = list(self.layers.values())
        lowest = next(i for i, layer in enumerate(layers) if layer.weights)
        for layer in reversed(layers[lowest + 1 :]):
            dlogits = layer.backward(dlogits)
        layers[lowest].find_gradients(dlogits)

    def training_step(self, x: np.ndarray, labels: np.ndarray, learning_rate: float) -> float:
        """Take one step of plain SGD; return the loss before it."""
        loss, dlogits = cross_entropy(self.forward(x), labels)
        self.backward(dlogits)
        for layer in self.layers.values():
            layer.update(learning_rate)
        return loss

    def weights(self) -> dict[str, np.ndarray]:
        """Return all weights under PyTorch's names, such as ``l1.weight``."""
        return {
            f"{name}.{key}": value
            for name, layer in self.layers.items()
            for key, value in layer.weights.items()
        }


class NumpyEngine:
    """Trains a copy of a model in NumPy, with the methods of ``training.engine.Engine``."""

    def __init__(self, model: Any) -> None:
        self.network = Network.copy_of(model)

    def train(self, x: Any, labels: Any, learning_rate: float) -> float:
        """Take one step; x is (B, 1, 28, 28) float32, labels (B,) int64, as tensors."""
        with np.errstate(all="ignore"):  # the loss shows that a run diverges
            return self.network.training_step(x.numpy(), labels.numpy(), learning_rate)

    def numbers(self, losses: list[float]) -> np.ndarray:
        """Return losses that `train` returned as an array: (N,) float32."""
        return np.array(losses, dtype=np.float32)

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights themselves (not copies) under PyTorch's names."""
        return self.network.weights()

    def optimiser_state(self) -> dict[str, np.ndarray]:
        """Return the optimiser's state: plain SGD has none."""
        return {}

    def restore(self, weights: dict[str, Any], state: dict[str, Any]) -> None:
        """Continue from saved weights.

        Raises
        ------
        ValueError
            If they do not fit the network.
        """
        arrays = self.weights()
        shapes = {name: tuple(array.shape) for name, array in weights.items()}
        if state or shapes != {name: array.shape for name, array in arrays.items()}:
            raise ValueError("the saved weights do not fit this network.")
        for name, array in arrays.items():
            array[...] = np.asarray(weights[name])


def _copy_layer(layer: Any, dtype: type) -> Layer:
    def array(tensor: Any) -> np.ndarray:
        return tensor.detach().numpy().astype(dtype)

    match type(layer).__name__:
        case "Flatten":
            return Flatten()
        case "ReLU":
            return ReLU()
        case "Linear" if layer.bias is not None:
            return Linear(array(layer.weight), array(layer.bias))
        case "Conv2d" if layer.dilation == (1, 1) and layer.groups == 1:
            return Conv2d(array(layer.weight), array(layer.bias), layer.stride[0], layer.padding[0])
        case "MaxPool2d" if layer.stride == layer.kernel_size:
            return MaxPool2d(layer.kernel_size)
    raise ValueError(f"expected a layer that is written out in NumPy, got {layer}.")
