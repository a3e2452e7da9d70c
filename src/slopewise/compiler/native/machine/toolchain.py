"""LLVM through llvmlite: what machine this is, and from the text of a module to code that can be entered.

llvmlite is imported when it is first needed, never by `import slopewise`. Whoever wants to run without it
asks `unavailable_reason()` first and takes the interpreter.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import sys
from functools import cache
from importlib import import_module
from threading import RLock
from time import perf_counter
from typing import Any, NamedTuple

from slopewise.engine.errors import SlopewiseError


class ToolchainError(SlopewiseError, RuntimeError):
    """Machine code that could not be made: a fault of the compiler, or of its installation."""


class Host(NamedTuple):
    """The machine that code is made for.

    Attributes
    ----------
    triple : architecture, vendor and system in LLVM's words, as in "x86_64-unknown-linux-gnu"
    cpu : the processor in LLVM's words, as in "znver3"
    features : its features, sorted: "+avx,+avx2,-avx512f,..."
    vector_bytes : size of its widest vector register: 16, 32 or 64
    has_fma : whether a multiplication and an addition can be one instruction with one rounding
    """

    triple: str
    cpu: str
    features: str
    vector_bytes: int
    has_fma: bool


class Pipeline(NamedTuple):
    """What LLVM is asked to do; part of a cached object's key.

    Kernels come to LLVM already in vectors, in SSA form, and code generation hoists and shares by itself, so
    that next to nothing (level 1) is enough: inlining, scalars out of memory, dead code. On the training
    steps of five small models, combining instructions and numbering values besides took a fifth of the time
    of compiling and made none of the steps faster. LLVM's own level 2 takes twice as long, its level 3 with
    vectorisers three times, and the code of all is as fast. Without effort in code generation it is four
    times slower.

    Attributes
    ----------
    level : int, passes over the module: 0 only inlines what must be, 1 our few, 2 and 3 LLVM's own
    codegen_level : int, effort of instruction selection and register allocation, 0 to 3
    vectorise : whether LLVM may vectorise loops and straight code by itself, at levels 2 and 3
    unroll : whether LLVM may unroll loops, at levels 2 and 3
    """

    level: int = 1
    codegen_level: int = 2
    vectorise: bool = False
    unroll: bool = False


DEFAULT_PIPELINE = Pipeline()


class Timings(NamedTuple):
    """Seconds that the stages of one compilation took."""

    parse: float
    optimise: float
    emit: float


# One at a time: target machines and the linker are shared. It is also held while the process forks, so that
# a child never inherits LLVM in the middle of something.
_LOCK = RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)

_LIBRARY_NUMBERS = itertools.count()


@cache
def unavailable_reason() -> str | None:
    """Return why machine code cannot be made here, or None if it can.

    Examples
    --------
    >>> unavailable_reason() is None
    True
    """
    if sys.maxsize < 2**32:
        return "machine code needs a 64-bit Python"
    try:
        _initialised()
    except ImportError as error:
        return f"llvmlite cannot be imported ({error}); pip install llvmlite"
    except (OSError, RuntimeError) as error:
        return f"llvmlite does not work on this machine ({error})"
    return None


def is_available() -> bool:
    """Tell whether machine code can be made here; without it, the interpreter runs every graph."""
    return unavailable_reason() is None


@cache
def host() -> Host:
    """Return the machine that this process runs on.

    Raises
    ------
    ToolchainError
        If llvmlite is missing or does not work.

    Examples
    --------
    >>> host().vector_bytes in (16, 32, 64)
    True
    """
    llvm = _binding()
    features = llvm.get_host_cpu_features()
    triple = llvm.get_process_triple()
    vector_bytes, has_fma = _vector_unit(triple, features)
    return Host(triple, llvm.get_host_cpu_name(), features.flatten(), vector_bytes, has_fma)


def _vector_unit(triple: str, features: dict[str, bool]) -> tuple[int, bool]:
    """Return the bytes of a vector register, and whether it can multiply and add at once."""
    if not triple.startswith(("x86_64", "i686")):
        return 16, triple.startswith(("aarch64", "arm64"))  # NEON has both always
    if features.get("avx512f"):
        return 64, True
    return (32 if features.get("avx") else 16), bool(features.get("fma"))


def pause_instruction(triple: str) -> str:
    """Return the assembly that slows a spinning loop down for the good of the other threads."""
    if triple.startswith(("x86_64", "i686")):
        return "pause"
    return "yield" if triple.startswith(("aarch64", "arm64")) else ""


@cache
def version() -> str:
    """Return the versions of llvmlite and LLVM, as in "llvmlite 0.50.0, LLVM 22.1.0"."""
    llvm = _binding()
    return (
        f"llvmlite {import_module('llvmlite').__version__}, LLVM {'.'.join(map(str, llvm.llvm_version_info))}"
    )


class Code:
    """Linked machine code; its addresses are valid as long as it is referenced. Threads may share it.

    Parameters
    ----------
    image : bytes, an object file made by `compile_ir` on this machine, now or earlier
    timings : Timings, None for an object that comes from the cache

    Raises
    ------
    ToolchainError
        If the bytes are no object of this machine.
    """

    def __init__(self, image: bytes, timings: Timings | None = None) -> None:
        self.image = image
        self.timings = timings
        self._addresses: dict[str, int] = {}
        self._trackers: list[Any] = []
        self._name = f"slopewise-{next(_LIBRARY_NUMBERS)}"
        with _LOCK:
            builder = _binding().JITLibraryBuilder().add_object_img(image)
            for name, address in symbols().items():
                builder.import_symbol(name, address)
            self._linker = _linker()
            try:
                self._trackers.append(builder.link(self._linker, self._name))
            except RuntimeError as error:
                raise ToolchainError(f"an object that cannot be linked: {error}") from None

    def address(self, name: str) -> int:
        """Return the address of an exported function or variable, to be called through ctypes.

        Raises
        ------
        ToolchainError
            If the code has no such name, or it refers to a symbol that this machine does not have.
        """
        with _LOCK:
            if name not in self._addresses:
                try:
                    tracker = self._linker.lookup(self._name, name)
                except RuntimeError as error:
                    raise ToolchainError(f"the code of {name} cannot be linked: {error}") from None
                self._trackers.append(tracker)
                self._addresses[name] = tracker[name]
            return self._addresses[name]


def compile_ir(text: str, pipeline: Pipeline = DEFAULT_PIPELINE) -> Code:
    """Compile a module of LLVM IR for this machine and link it.

    Parameters
    ----------
    text : str, a module as `llvmlite.ir` prints it; its triple and data layout are set here
    pipeline : Pipeline

    Returns
    -------
    Code
        With the object's bytes in `image`, for the cache, and `timings`.

    Raises
    ------
    ToolchainError
        If the module is malformed, or calls a function that neither it nor `symbols()` has.

    Examples
    --------
    >>> import ctypes
    >>> code = compile_ir('''
    ... define double @half(double %x) {
    ...   %y = fmul double %x, 0.5
    ...   ret double %y
    ... }''')
    >>> half = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(code.address("half"))
    >>> half(3.0)
    1.5
    """
    with _LOCK:
        start = perf_counter()
        module = _parse(text)
        parsed = perf_counter()
        _optimise(module, pipeline)
        optimised = perf_counter()
        image = _target_machine(pipeline.codegen_level).emit_object(module)
        emitted = perf_counter()
        return Code(image, Timings(parsed - start, optimised - parsed, emitted - optimised))


def optimised_ir(text: str, pipeline: Pipeline = DEFAULT_PIPELINE) -> str:
    """Return a module of LLVM IR as it is after LLVM's passes."""
    with _LOCK:
        module = _parse(text)
        _optimise(module, pipeline)
        return str(module)


def assembly(text: str, pipeline: Pipeline = DEFAULT_PIPELINE) -> str:
    """Return the assembly that a module of LLVM IR becomes on this machine."""
    with _LOCK:
        module = _parse(text)
        _optimise(module, pipeline)
        return str(_target_machine(pipeline.codegen_level).emit_assembly(module))


def _parse(text: str) -> Any:
    """Parse and verify a module; LLVM aborts the process later if it is given a malformed one."""
    llvm = _binding()
    try:
        module = llvm.parse_assembly(text, llvm.create_context())  # its own context: freed with the module
        module.triple = host().triple
        module.data_layout = str(_target_machine(0).target_data)
        module.verify()
    except RuntimeError as error:
        raise ToolchainError(f"malformed LLVM IR: {error}") from None
    known = symbols()
    unknown = [
        function.name
        for function in module.functions
        if function.is_declaration and not function.name.startswith("llvm.") and function.name not in known
    ]
    if unknown:
        raise ToolchainError(f"LLVM IR that calls what this machine does not have: {', '.join(unknown)}")
    return module


_LIGHT_PASSES = (
    "always_inliner",
    "sroa",
    "dead_code_elimination",
    "simplify_cfg",
    "global_dead_code_eliminate",
)


def _optimise(module: Any, pipeline: Pipeline) -> None:
    llvm = _binding()
    options = llvm.create_pipeline_tuning_options(speed_level=pipeline.level)
    options.loop_vectorization = options.slp_vectorization = pipeline.vectorise
    options.loop_interleaving = pipeline.vectorise
    options.loop_unrolling = pipeline.unroll
    builder = llvm.create_pass_builder(_target_machine(pipeline.codegen_level), options)
    if pipeline.level >= 2:
        passes = builder.getModulePassManager()
    else:
        passes = llvm.create_new_module_pass_manager()
        for name in _LIGHT_PASSES if pipeline.level == 1 else _LIGHT_PASSES[:1]:
            getattr(passes, f"add_{name}_pass")()
    passes.run(module, builder)


@cache
def _initialised() -> Any:
    llvm = import_module("llvmlite.binding")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()  # inline assembly
    llvm.Target.from_triple(llvm.get_process_triple())
    return llvm


def _binding() -> Any:
    """Return `llvmlite.binding`, ready to make code for this machine."""
    reason = unavailable_reason()
    if reason is not None:
        raise ToolchainError(reason)
    return _initialised()


@cache
def _target_machine(codegen_level: int) -> Any:
    """Return a target machine for this computer.

    Position-independent code of the small model finds constants next to itself and calls through stubs that
    the linker makes; llvmlite's default, the large model, spends an instruction and a register on each
    constant. It asks for a linker that keeps a module in one piece, which `_linker` is.
    """
    llvm = _binding()
    small = {"codemodel": "small", "reloc": "pic"} if _links_in_one_piece() else {}
    return llvm.Target.from_triple(host().triple).create_target_machine(
        cpu=host().cpu, features=host().features, opt=codegen_level, **small
    )


def _links_in_one_piece() -> bool:
    return sys.platform != "win32"  # JITLink is not yet at home with Windows' object format


@cache
def _linker() -> Any:
    """Return the linker of this process; it lives as long."""
    return _binding().create_lljit_compiler(
        _target_machine(2), use_jit_link=_links_in_one_piece(), suppress_errors=True
    )


# What generated code may call, and what LLVM itself calls where a machine lacks an instruction.
_MATHEMATICS = (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "cos", "cosh", "erf", "erfc",
    "exp", "exp2", "expm1", "floor", "fma", "fmax", "fmin", "fmod", "hypot", "ldexp", "lgamma", "log",
    "log10", "log1p", "log2", "nearbyint", "pow", "rint", "round", "roundeven", "sin", "sincos", "sinh",
    "sqrt", "tan", "tanh", "tgamma", "trunc",
)  # fmt: skip
_MEMORY = ("memcpy", "memmove", "memset", "memcmp", "bcmp", "bzero", "memset_pattern16")
_SYSTEM = ("clock_gettime", "sched_yield")
_THREADS = ("pthread_mutex_lock", "pthread_mutex_unlock", "pthread_cond_wait", "pthread_cond_broadcast")
_WINDOWS_THREADS = (
    "AcquireSRWLockExclusive", "ReleaseSRWLockExclusive", "SleepConditionVariableSRW",
    "WakeAllConditionVariable",
)  # fmt: skip


@cache
def symbols() -> dict[str, int]:
    """Return the addresses of the functions outside that generated code may call, by name.

    libm in both precisions, memory, clock and yielding. A function that this
    system lacks is left out: code that calls it is refused when it is compiled.

    Examples
    --------
    >>> {"sinf", "fmod", "memcpy"} <= symbols().keys()
    True
    """
    names = [*_MATHEMATICS, *(f"{name}f" for name in _MATHEMATICS), *_MEMORY, *_SYSTEM, *_THREADS]
    found = {}
    libraries = _system_libraries()
    for name in names:
        for library in libraries:
            if hasattr(library, name):
                found[name] = _address(getattr(library, name))
                break
    if sys.platform == "win32":
        found["sched_yield"] = _address(ctypes.CDLL("kernel32").SwitchToThread)
        for name in (*_WINDOWS_THREADS, "QueryPerformanceCounter"):
            found[name] = _address(getattr(ctypes.CDLL("kernel32"), name))
        found["__chkstk"] = _address(ctypes.CDLL("ntdll").__chkstk)
    return found


def _system_libraries() -> list[ctypes.CDLL]:
    if sys.platform == "win32":
        return [ctypes.CDLL("ucrtbase")]
    libraries = [ctypes.CDLL(None)]  # the process itself: Python links libc, and most often libm
    for name in ("libm.so.6", "libSystem.dylib"):
        try:
            libraries.append(ctypes.CDLL(name))
        except OSError:
            continue  # the other system's name
    return libraries


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0
