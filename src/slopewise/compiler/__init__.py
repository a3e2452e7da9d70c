"""From a traced function to a target: machine code, or the engine's interpreter."""

from slopewise.compiler.compiled import CompiledFunction, compile
from slopewise.compiler.retracing import RetraceWarning
from slopewise.compiler.targets import CompilationWarning

__all__ = ["CompilationWarning", "CompiledFunction", "RetraceWarning", "compile"]
