"""Settings for all tests."""

from hypothesis import settings

# No deadline: timings on shared machines mean nothing. Derandomized: the same examples each time.
settings.register_profile("slopewise", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("slopewise")
