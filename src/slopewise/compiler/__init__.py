"""From a traced function to a target; today the only target is the engine's interpreter."""

from slopewise.compiler.compiled import CompiledFunction, compile

__all__ = ["CompiledFunction", "compile"]
