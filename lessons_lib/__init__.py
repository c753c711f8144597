"""The library of The Executable Transformer: one concept a file, in the order of the lessons."""

__version__ = "0.1.0"
