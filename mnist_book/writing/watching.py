"""Looks again at each save.

The file is asked for its time and size a few times a second: one file, and it works on every disk
and with every editor, also those that put a new file in the old one's place.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

TICK = 0.25  # seconds between two looks

State = tuple[int, int] | None


def state_of(path: Path) -> State:
    """Return what changes when a file is saved; None where there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def changes(path: Path, wait: Callable[[float], None] = time.sleep) -> Iterator[Callable[[], bool]]:
    """Yield at once, and then whenever the file has changed.

    What is yielded tells whether it has changed again meanwhile, so that a check can be given up.
    """
    while True:
        seen = state_of(path)
        yield lambda seen=seen: state_of(path) not in (seen, None)  # type: ignore[misc]
        while state_of(path) in (seen, None):
            wait(TICK)
