"""What kernels are written with: views of memory, loops, frames, barriers, the clock."""
