"""The kernels: what each kind of operation becomes."""
