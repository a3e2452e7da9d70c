"""The errors that users of Slopewise see, all of them a `SlopewiseError`.

A message says what was expected, what came, and how to go on, in the user's terms.
"""


class SlopewiseError(Exception):
    """Base class of every error that Slopewise raises on purpose."""


class ShapeError(SlopewiseError, ValueError):
    """Shapes that do not fit together."""


class AxisError(ShapeError, IndexError):
    """An axis that a tensor does not have, or an index that does not fit its shape."""


class DtypeError(SlopewiseError, TypeError):
    """A data type that an operation cannot take."""


class ArgumentError(SlopewiseError, ValueError):
    """An argument outside of what a function accepts."""


class GradientError(SlopewiseError, RuntimeError):
    """A gradient that cannot be had: no path, no rule, or a tape that was freed."""


class TraceError(SlopewiseError, RuntimeError):
    """Something that a traced function cannot do, such as looking at a value."""


class IndexOutOfRange(ArgumentError, IndexError):
    """An index beyond the end of an axis; iteration ends with it, as with any sequence."""


class DataError(SlopewiseError, ValueError):
    """A table, file or column that cannot be used; the message names file, row and column."""


class RunError(SlopewiseError, RuntimeError):
    """A run folder that cannot be read, written or resumed."""


class MissingLibraryError(SlopewiseError, ImportError):
    """A library of an extra that is not installed; the message holds the command that installs it."""
