"""What the chapters use besides NumPy: checks for the exercises, figures, help for notebooks."""

from mnist_book.examination import examine

__all__ = ["examine"]
