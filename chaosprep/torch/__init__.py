"""Training: datasets for PyTorch, a baseline network, its predictions. Needs `chaosprep[train]`.

The only room that imports torch; nothing of it is imported before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chaosprep.torch.extra import check_extra

if TYPE_CHECKING:
    from chaosprep.torch.slices import SliceDataset as SliceDataset
    from chaosprep.torch.streaming import SliceStream as SliceStream
    from chaosprep.torch.volumes import VolumeDataset as VolumeDataset

_DATASETS = {"SliceDataset": "slices", "SliceStream": "streaming", "VolumeDataset": "volumes"}
__all__ = ["SliceDataset", "SliceStream", "VolumeDataset"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class
    if name not in _DATASETS:
        raise AttributeError(f"module 'chaosprep.torch' has no attribute {name!r}")
    check_extra("torch")
    return getattr(import_module(f"chaosprep.torch.{_DATASETS[name]}"), name)
