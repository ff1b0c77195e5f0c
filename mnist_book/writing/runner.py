"""Starts the process for a reader's file, listens to it, and ends it with all that it has started.

Nothing of the reader's is waited for without a limit, and Ctrl-C always works: the process is in a
group of its own, which gets no Ctrl-C from the terminal, and is killed as a whole whatever happens.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mnist_core

PATIENCE = 60.0  # seconds on the clock without a line from the process
TICK = 0.02  # seconds between two looks
KEPT = 2000  # bytes of what it prints that are kept: Python's last words when it crashes
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class Stopped(Exception):
    """The process was ended because `stop` said so."""


def answers(
    task: str,
    path: Path,
    *,
    folder: Path | None = None,
    patience: float = PATIENCE,
    stop: Callable[[], bool] = lambda: False,
    **details: object,
) -> Iterator[dict[str, Any]]:
    """Run a task of `child` on a file; yield what it says, line by line.

    The last line is of the kind "end", or "died" where the process did not get there: with `why`,
    "work", "silence", "crash" or "exit", and `how`, in words.

    Parameters
    ----------
    folder : the process's working directory, if not this one's
    patience : seconds on the clock without a line, after which it is ended
    stop : asked now and then; if it says so, the process is ended

    Raises
    ------
    Stopped : it was ended because of `stop`
    """
    with tempfile.TemporaryDirectory(prefix="reader-", ignore_cleanup_errors=True) as room:
        file = Path(room) / "answers"
        file.touch()
        told = {"task": task, "path": str(path.absolute()), "answers": str(file), **details}
        with _process(told, folder or Path.cwd()) as (process, printed):
            yield from _listen(process, file, printed, patience, stop)


def _listen(
    process: subprocess.Popen,
    file: Path,
    printed: bytearray,
    patience: float,
    stop: Callable[[], bool],
) -> Iterator[dict[str, Any]]:
    last = time.monotonic()
    with file.open(encoding="utf-8", errors="replace") as lines:
        while True:
            ended = process.poll() is not None  # asked before reading, so that nothing is missed
            for line in iter(lines.readline, ""):
                last = time.monotonic()
                answer = _understood(line)
                yield answer
                if answer["kind"] == "end":
                    return
            if ended:
                yield _death(process.returncode, printed)
                return
            if stop():
                raise Stopped
            if time.monotonic() - last > patience:
                yield {"kind": "died", "why": "silence", "how": f"{patience:g} seconds"}
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TICK)


def _understood(line: str) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:  # broken off, or the reader's code has found the file
        answer = None
    return answer if isinstance(answer, dict) and "kind" in answer else {"kind": "unknown"}


def _death(status: int, printed: bytearray) -> dict[str, Any]:
    """Say how a process has ended that did not come to its end."""
    if os.name == "posix" and status == -signal.SIGXCPU:
        return {"kind": "died", "why": "work", "how": "too much work"}
    if status < 0:
        with contextlib.suppress(ValueError):
            return {"kind": "died", "why": "crash", "how": signal.Signals(-status).name}
    words = printed.decode("utf-8", "replace").strip().splitlines()
    why = "crash" if words and "Error" in words[-1] else "exit"
    how = words[-1][:200] if why == "crash" else f"exit status {status}"
    return {"kind": "died", "why": why, "how": how}


@contextlib.contextmanager
def _process(
    told: Mapping[str, object], folder: Path
) -> Iterator[tuple[subprocess.Popen, bytearray]]:
    """Start a process; kill it and its group at the end. Its last words are collected."""
    house = str(Path(mnist_core.__file__).parent)
    others = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    environment = (
        os.environ
        | ONE_THREAD
        | {
            "PYTHONPATH": os.pathsep.join([house, *others]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8",
            "MPLBACKEND": "agg",
        }
    )
    # -P: no module that lies in the working directory is taken for one of Python's.
    command = [sys.executable, "-P", "-m", "mnist_book.writing.child", json.dumps(told)]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a group of its own, on POSIX
    )
    printed = bytearray()
    reader = threading.Thread(target=_drain, args=(process, printed), daemon=True)
    reader.start()
    try:
        yield process, printed
    finally:
        _kill(process)
        reader.join(1)  # a grandchild that has left the group may hold the pipe for ever


def _drain(process: subprocess.Popen, printed: bytearray) -> None:
    """Read all that a process prints, and keep the end of it."""
    assert process.stdout
    with contextlib.suppress(OSError, ValueError):
        while chunk := process.stdout.read1(1 << 16):  # type: ignore[attr-defined]
            printed += chunk
            del printed[:-KEPT]


def _kill(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)  # the group outlives its first process
        else:
            process.kill()
    process.wait()
