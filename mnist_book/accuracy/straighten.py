"""Straightened digits: what need not be learned, taken out of the pictures beforehand.

Hands slant their digits differently, and write them wider or narrower, and that says little about
which digit it is. Here each picture is slanted back until it stands upright, and stretched part of
the way to the usual width and height. Sources: R. G. Casey, Moment normalization of handprinted
characters, IBM Journal of Research and Development, 1970 (doi:10.1147/rd.145.0548); Y. LeCun,
L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition,
Proceedings of the IEEE, 1998, section III (doi:10.1109/5.726791).
"""

import numpy as np

from mnist_book.accuracy.augment import SIDE, places_in_fine, upsample

# Pixels, standard deviations of the ink: the medians of MNIST's training images, made upright.
USUAL_WIDTH, USUAL_HEIGHT = 3.5, 5.5
MOST = 1.6  # no picture is stretched or squeezed further than by this factor


def straighten(images: np.ndarray, evenness: float = 0.5) -> np.ndarray:
    """Stand digits upright in the middle, and make their widths and heights more alike.

    Parameters
    ----------
    images : uint8 (n, 28, 28)
    evenness : how far widths and heights are brought to the usual ones, 0 (not at all) to 1

    Returns
    -------
    uint8 (n, 28, 28); pictures without ink stay as they are
    """
    straight = np.empty_like(images)
    for start in range(0, len(images), 500):  # some at a time, for the processor's cache
        part = slice(start, start + 500)
        fine = upsample(images[part])
        fine = fine.reshape(len(fine), -1)
        places = _places(images[part], evenness)
        straight[part] = np.take_along_axis(fine, places, axis=1).reshape(-1, SIDE, SIDE)
    return straight


def _places(images: np.ndarray, evenness: float) -> np.ndarray:
    """Say for each pixel (n, 784) where in the flat fine picture it comes from."""
    centre = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    y, x = np.repeat(centre, SIDE), np.tile(centre, SIDE)
    ink = images.reshape(len(images), -1).astype(np.float32)
    ink /= np.maximum(ink.sum(axis=1, keepdims=True), 1)
    moments = ink @ np.stack([x, y, x * x, x * y, y * y], axis=1)  # (n, 5)
    mean_x, mean_y, xx, xy, yy = (moments[:, [column]] for column in range(5))
    xx, xy, yy = xx - mean_x**2, xy - mean_x * mean_y, yy - mean_y**2
    slant = xy / np.maximum(yy, 1e-3)
    width, height = np.sqrt(np.maximum(xx - slant * xy, 0)), np.sqrt(np.maximum(yy, 0))
    wide = np.clip((width / USUAL_WIDTH) ** evenness, 1 / MOST, MOST)
    high = np.clip((height / USUAL_HEIGHT) ** evenness, 1 / MOST, MOST)
    return places_in_fine(mean_x + wide * x + slant * high * y, mean_y + high * y)
