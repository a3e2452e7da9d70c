"""What a run's bits depend on besides its settings: versions, machine, threads and mode."""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slopewise._version import __version__
from slopewise.compiler.targets import native_facts
from slopewise.engine.errors import RunError

_THREAD_VARIABLES = ("SLOPEWISE_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def environment(mode: str) -> dict[str, Any]:
    """Return a plain record of the environment, for run.json.

    Equality to the bit is promised between runs whose mode, CPU features and versions agree; in
    the interpreter the threads of NumPy's BLAS must agree too.

    Parameters
    ----------
    mode : "eager", "interpreter" or "native"
        How the training steps are run.

    Examples
    --------
    >>> environment("eager")["mode"]
    'eager'
    """
    machine_code = {"machine_code": native_facts()} if mode == "native" else {}
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
        **machine_code,
    }


_SAID = {"native": "as machine code", "interpreter": "in the interpreter"}


def check_same_mode(run: Path, recorded: Mapping[str, Any], mode: str) -> None:
    """Refuse to go on with a run in another mode, and warn where its bits may differ for another reason.

    Parameters
    ----------
    run : the run's folder
    recorded : what `environment` gave when the run began
    mode : how it would go on

    Raises
    ------
    RunError
        If the modes differ.

    Warns
    -----
    UserWarning
        If the version or, for machine code, the compiler or the processor differ.
    """
    if recorded["mode"] != mode:
        raise RunError(
            f"{run} was trained {_SAID.get(recorded['mode'], recorded['mode'])}, "
            f"and would go on {_SAID[mode]} with other bits: {_way_back(recorded['mode'])}, or fit again"
        )
    now = environment(mode)
    keys = ("slopewise", "machine_code") if mode == "native" else ("slopewise", "numpy", "cpu_features")
    changed = [key for key in keys if recorded.get(key) != now.get(key)]
    if changed:
        warnings.warn(
            f"{run} began with another {' and '.join(changed).replace('_', ' ')}: its bits may differ from "
            "those of a run that was never stopped",
            stacklevel=2,
        )


def _way_back(mode: str) -> str:
    if mode == "interpreter":
        return "set SLOPEWISE_TARGET=interpreter"
    return "unset SLOPEWISE_TARGET and see that llvmlite is installed"
