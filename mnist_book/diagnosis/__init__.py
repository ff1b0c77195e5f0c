"""Diagnosis: find out which bug a function, or a whole network, has."""

from mnist_book.diagnosis import checks
from mnist_book.diagnosis.examine import examine  # the function, in place of its package's name

__all__ = ["checks", "examine"]
