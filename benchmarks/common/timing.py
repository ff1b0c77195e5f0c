"""Times of calls, measured so that a noisy machine does not decide who is faster."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

Result = TypeVar("Result")


def timed(function: Callable[[], Result]) -> tuple[float, Result]:
    """Measure the seconds of a call; return them, and what the call returns."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def median_time(function: Callable[[], object], seconds: float = 0.4, least: int = 5) -> float:
    """Measure the median of a call's seconds, calling for about as long as asked."""
    function()  # the first one warms caches up
    times, end = [], time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        times.append(timed(function)[0])
    return float(np.median(times))


def in_turn(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Measure each call's seconds once a round, A B A B ...: what slows one down slows all."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            seconds[name].append(timed(call)[0])
    return seconds


def ratios(seconds: Sequence[float], others: Sequence[float]) -> list[float]:
    """Divide times by those of the same rounds: first quartile, median and third quartile."""
    quartiles = np.percentile(np.divide(seconds, others), [25, 50, 75])
    return [round(float(value), 3) for value in quartiles]
