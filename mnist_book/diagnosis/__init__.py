"""Diagnosis: find out which bug a function, or a whole network, has."""

from mnist_book.diagnosis import checks
from mnist_book.diagnosis.examination import examine

__all__ = ["checks", "examine"]
