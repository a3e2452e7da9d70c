"""A sample of the Pro deck on diagnosing a training run that goes wrong."""
