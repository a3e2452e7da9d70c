"""What a run's bits depend on besides its settings: versions, machine, threads and mode."""

from __future__ import annotations

import os
import platform
from typing import Any

import numpy as np

from slopewise._version import __version__

_THREAD_VARIABLES = ("SLOPEWISE_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def environment(mode: str) -> dict[str, Any]:
    """Return a plain record of the environment, for run.json.

    Equality to the bit is promised between runs whose mode, CPU features, thread settings and versions agree.

    Parameters
    ----------
    mode : "eager", "interpreter" or "native"
        How the training steps are run.

    Examples
    --------
    >>> environment("eager")["mode"]
    'eager'
    """
    config: Any = np.show_config(mode="dicts")
    simd = config.get("SIMD Extensions", {})
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return {
        "slopewise": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": " ".join(str(blas.get(key, "")) for key in ("name", "version")).strip() or None,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu_features": sorted({*simd.get("baseline", []), *simd.get("found", [])}),
        "cpu_count": os.cpu_count(),
        "threads": {name: os.environ[name] for name in _THREAD_VARIABLES if name in os.environ},
        "mode": mode,
    }
