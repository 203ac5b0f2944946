"""Torchvision, also where its compiled operators do not fit the installed torch.

torchvision's wheel on the package registry is built for CUDA. Beside a CPU build of torch its
operators cannot load, and ``import torchvision`` fails while it registers a shape rule for an
operator that nobody defined. Declaring the two schemas is enough: this project uses torchvision's
data sets, never those operators.
"""

from __future__ import annotations

import torch

__all__ = ["RAW_ONLY", "datasets"]

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_library: torch.library.Library | None = None  # kept: the schemas live as long as it does

try:
    from torchvision import datasets
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    _library = torch.library.Library("torchvision", "FRAGMENT")
    _library.define("nms" + _SCHEMA)
    _library.define("qnms" + _SCHEMA)
    from torchvision import datasets


class _RawFiles:
    """Keeps torchvision to the raw files, which were checked.

    Its data sets prefer ``processed/*.pt`` beside them, left there by a torchvision before 0.9.
    """

    def _check_legacy_exist(self) -> bool:
        return False


# The folder is named after the class, so these have the names of their parents.
RAW_ONLY = {
    parent.__name__: type(parent.__name__, (_RawFiles, parent), {})
    for parent in (datasets.MNIST, datasets.FashionMNIST)
}
