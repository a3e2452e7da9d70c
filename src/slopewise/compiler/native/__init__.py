"""The native target: a graph as machine code for this CPU, made with LLVM."""
