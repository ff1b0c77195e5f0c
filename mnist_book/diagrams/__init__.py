"""Schematic pictures of the chapters as inline SVG: the network, a product, the way back.

They are drawn in the colour of the text around them, so that they fit light pages and dark ones,
and 360 units wide, so that their letters are readable on a phone. What is pointed out has the
accent's colour and is thicker, which is seen in grey, too.
"""

from mnist_book.diagrams.layers import network
from mnist_book.diagrams.matrices import product
from mnist_book.diagrams.passes import forward_and_backward
from mnist_book.diagrams.svg import Diagram

__all__ = ["Diagram", "forward_and_backward", "network", "product"]
