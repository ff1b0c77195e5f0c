"""The laboratory's scripts, for the tests that run them."""

import shutil
from pathlib import Path

import mnist_book.lab

PAGE = Path(mnist_book.lab.__file__).parent / "page"
NAMES = "lab random arithmetic instruments run session switches cases"
COMPUTING = tuple(f"{name}.js" for name in NAMES.split())  # in this order
NODE = shutil.which("node")
