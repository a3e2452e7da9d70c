"""What the namespace can do: `__array_namespace_info__` of the standard."""

from __future__ import annotations

from slopewise.array.arguments import CPU, check_device
from slopewise.array.data_types import KINDS, complex64, dtypes_of_kind, float32, int64
from slopewise.engine.aval import Dtype

__all__ = ["NamespaceInfo", "__array_namespace_info__"]

MAX_DIMENSIONS = 64  # NumPy's NPY_MAXDIMS


class NamespaceInfo:
    """Answers about capabilities, dtypes and devices; see `__array_namespace_info__`."""

    def capabilities(self) -> dict[str, bool | int | None]:
        """Return what the namespace supports. Shapes that depend on data are for eager calls only."""
        return {
            "boolean indexing": True,
            "data-dependent shapes": True,
            "max dimensions": MAX_DIMENSIONS,
        }

    def default_device(self) -> str:
        """Return the device on which tensors are made."""
        return CPU

    def devices(self) -> list[str]:
        """Return all devices."""
        return [CPU]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, Dtype]:
        """Return the dtypes that Python numbers become, and the one of indices."""
        check_device(device)
        return {
            "real floating": float32,
            "complex floating": complex64,
            "integral": int64,
            "indexing": int64,
        }

    def dtypes(
        self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, Dtype]:
        """Return dtypes by name, all of them or those of a kind (see `isdtype`)."""
        check_device(device)
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        return {dtype.name: dtype for name in kinds for dtype in dtypes_of_kind(name)}

    def __repr__(self) -> str:
        return f"<namespace info: devices {self.devices()}, kinds {', '.join(KINDS)}>"


def __array_namespace_info__() -> NamespaceInfo:
    """Return an object that answers what this namespace can do.

    Examples
    --------
    >>> import slopewise.array as xp
    >>> xp.__array_namespace_info__().default_dtypes()["real floating"]
    dtype('float32')
    """
    return NamespaceInfo()
