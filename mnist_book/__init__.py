"""What the chapters use besides NumPy and the core: digits, checks for anybody's code, figures."""

from mnist_book.dataset import load_digits
from mnist_book.diagnosis import checks, examine

__all__ = ["checks", "examine", "load_digits"]
