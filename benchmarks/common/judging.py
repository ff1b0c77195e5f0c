"""Judging networks by what they have not learned from."""

from collections.abc import Iterator

import numpy as np


def percent(mask: np.ndarray, digits: int = 3) -> float:
    """Turn a mask into its share of trues, in percent."""
    return round(100 * float(np.mean(mask)), digits)


def mean_and_deviation(values: list[float]) -> tuple[float, float]:
    """Compute the mean, and the standard deviation from a few of all seeds; 0 of one alone."""
    deviation = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return float(np.mean(values)), float(deviation)


def fold(number: int) -> np.ndarray:
    """Mark (60000,) the 10,000 of MNIST's training images that this fold, 0 to 3, holds out."""
    first = 15_000 * (number % 4)
    places = np.arange(60_000)
    return (first <= places) & (places < first + 10_000)


def folds_of_writers(writers: np.ndarray, order: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """Mark (n,) in turn the drawings of each `count`-th writer, in this order: nobody's twice.

    Parameters
    ----------
    writers : (n,), who made each drawing
    order : each writer once
    """
    for first in range(count):
        yield np.isin(writers, order[first::count])


def by_writer(right: np.ndarray, writers: np.ndarray) -> dict[str, float]:
    """Compute the share of trues for each writer."""
    return {str(writer): float(right[writers == writer].mean()) for writer in np.unique(writers)}
