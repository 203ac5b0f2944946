"""Torchvision's data sets, also if its compiled operators do not fit the installed torch.

torchvision's wheel on the package registry is built for CUDA. With a CPU build of torch its
operators do not load, and ``import torchvision`` fails when it registers a shape rule for an
operator that is not defined. Declaring the two schemas is enough, because this project never uses
those operators.
"""

from __future__ import annotations

import torch

__all__ = ["RAW_ONLY", "datasets"]

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_library: torch.library.Library | None = None  # the schemas exist as long as this object

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
    """Makes torchvision read the raw files, which were checked.

    Otherwise it prefers ``processed/*.pt`` beside them, from a torchvision before 0.9.
    """

    def _check_legacy_exist(self) -> bool:
        return False


# torchvision names the folder after the class, so these have the names of their parents.
RAW_ONLY = {
    parent.__name__: type(parent.__name__, (_RawFiles, parent), {})
    for parent in (datasets.MNIST, datasets.FashionMNIST)
}
