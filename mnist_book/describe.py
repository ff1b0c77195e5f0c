"""Describes a value in a line, for messages about what was found."""

from pathlib import Path

import numpy as np


def describe(value: object) -> str:
    """Describe a value in a line: an array by type, shape, and its content if that is small."""
    if isinstance(value, np.ndarray):
        small = value.size <= 6 and value.dtype.kind in "biuf"
        content = f" {np.round(value.astype(float), 3).tolist()}" if small else ""
        if small and value.dtype.kind in "biu":
            content = f" {value.tolist()}"
        return f"{value.dtype} array of shape {value.shape}{content}"
    if isinstance(value, Path):
        return f"the file {value.name}"
    if isinstance(value, np.random.Generator):
        return "rng"
    if isinstance(value, np.generic):
        return f"{value.item():.6g}" if isinstance(value, np.floating) else str(value.item())
    if isinstance(value, list | tuple) and any(isinstance(item, np.ndarray) for item in value):
        return f"{type(value).__name__} of {', '.join(str(np.shape(item)) for item in value)}"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
