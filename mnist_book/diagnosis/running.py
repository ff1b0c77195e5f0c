"""Runs somebody else's function so that what it does ends with its call, as far as a thread allows.

Held off:

- *A call that does not end.* It is stopped after `TIME_LIMIT` seconds of work. What counts is the
  processor time of its own thread, so that a busy machine changes no verdict. Waiting, as in
  `time.sleep`, counts for a part of that, so that a call that only waits ends as well; on Linux,
  waiting for the processor itself counts for nothing.
- *Errors of every kind*, `sys.exit()` too, endless recursion, and, on Linux, a call that takes more
  than `MEMORY_LIMIT` bytes of memory: they come back as exceptions.
- *Output* to `sys.stdout` and `sys.stderr`, of which the first `PRINTED_LIMIT` bytes are kept;
  streams that the function exchanges for others are put back.
- *Warnings, and NumPy's error state*: neither that of the caller nor what the function makes of it
  changes the result or outlives the call.

Not held off, for a thread is no sandbox:

- *C code that does not let go of the interpreter*, as in `sum(range(10**12))` or a regular
  expression that backtracks for ever: no other thread runs meanwhile, and nothing is stopped.
- *A loop that catches every exception* is told to stop a hundred times. If that does not help, it
  is left running; it slows down what comes after, and it may print.
- *What the function changes outside*: its own globals, files, the working directory, NumPy's global
  generator, Python's settings. Its arguments change, too, unless the caller passes copies.
- *The end of the process*: `os._exit`, a crash in C code, no memory left on Windows or macOS.
- *Output past Python*, as by `os.write` or another process.

Where there are no threads, as in a browser, the call runs without a limit of time.
"""

import contextlib
import ctypes
import io
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np

Theirs: TypeAlias = Any  # of somebody else's code: nothing is known of its type
TIME_LIMIT = 5.0  # seconds of work in one call; the inputs of a check need milliseconds
MEMORY_LIMIT = 4 << 30  # bytes that one call may add to the process
PRINTED_LIMIT = 10_000  # bytes of output that are kept
TICK = 0.05  # seconds between two looks at a call that runs
WAITING = 0.25  # what a second of waiting counts, in seconds of work


class Exit(RuntimeError):
    """A function raised what ends a program, such as SystemExit."""


def run(
    function: Callable, arguments: tuple = (), limit: float | None = None
) -> tuple[Theirs, str]:
    """Call a function in a thread of its own; return its result and what it printed.

    Parameters
    ----------
    limit : seconds of work, `TIME_LIMIT` if None

    Raises
    ------
    TimeoutError : the call took longer than that; it was told to stop
    Exit : the function tried to end the program
    Exception : whatever the function raised
    """
    limit = TIME_LIMIT if limit is None else limit
    outcome: dict[str, Theirs] = {}

    def target() -> None:
        outcome["clock"] = _clock_of_this_thread()
        try:
            with np.errstate(all="ignore"):
                outcome["result"] = function(*arguments)
        except BaseException as error:  # sys.exit() too must not pass
            outcome["error"] = error

    printed, ignored = _Beginning(), _Beginning()
    with (
        contextlib.redirect_stdout(printed.stream()),
        contextlib.redirect_stderr(ignored.stream()),
        warnings.catch_warnings(),
        _memory_held(),
    ):
        warnings.simplefilter("ignore")
        in_time = _run_in_thread(target, outcome, limit)
    if not in_time:
        raise TimeoutError(f"no answer within {limit:g} seconds of work")
    if "error" in outcome:
        raise _as_exception(outcome["error"])
    return outcome["result"], printed.text()


def _run_in_thread(target: Callable[[], None], outcome: dict, limit: float) -> bool:
    """Run a function in a thread; tell whether it came to an end in time."""
    thread = threading.Thread(target=target, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # there are no threads in a browser
        target()
        return True
    try:
        return _ends_in_time(thread, outcome, limit)
    finally:  # also when the reader interrupts
        _stop(thread)


def _ends_in_time(thread: threading.Thread, outcome: dict, limit: float) -> bool:
    spent = worked = 0.0
    while spent < limit:
        thread.join(TICK)
        if not thread.is_alive():
            return True
        before = worked
        with contextlib.suppress(OSError, KeyError):  # it has just ended, or not quite begun
            worked = outcome["clock"]()
        # Ticks are counted, not what a clock on the wall says: both threads wait for the machine.
        idle = 0.0 if _wants_to_run(thread.native_id) else TICK * WAITING
        spent += max(worked - before, idle)
    return False


def _wants_to_run(number: int | None) -> bool:
    """Tell whether a thread runs, or would if the machine let it; False where that is not told."""
    try:
        fields = Path(f"/proc/self/task/{number}/stat").read_text("ascii", "replace")
    except OSError:  # not Linux, or it has just ended
        return False
    return fields.rpartition(")")[2].split()[0] == "R"


def _clock_of_this_thread() -> Callable[[], float]:
    """Return a clock of the calling thread's processor time that other threads can read."""
    try:
        clock = time.pthread_getcpuclockid(threading.get_ident())
    except (AttributeError, OSError):  # macOS, Windows, a browser: that of all threads together
        start = time.process_time()
        return lambda: time.process_time() - start
    return lambda: time.clock_gettime(clock)


def _stop(thread: threading.Thread) -> None:
    """Raise SystemExit in a thread until it ends; give up on one that catches it each time."""
    for _ in range(100):
        if not thread.is_alive():
            return
        _raise_in(thread.ident or 0)
        thread.join(0.01)


class _Raised(BaseException):
    """What a thread raises in itself, so that Python stops looking for what it has to raise."""


def _raise_in(ident: int) -> None:
    """Raise SystemExit in a thread once it runs again, without holding up the others till then.

    A thread that waits may never run again. Until it does, Python 3.11 looks for exceptions that
    are to be raised at every step of every thread, and where functions are traced, as coverage and
    debuggers do, it doesn't get beyond the beginning of one. Finding one here ends its search.
    """
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    there, here = ctypes.c_ulong(ident), ctypes.c_ulong(threading.get_ident())
    exit_there, found_here = ctypes.py_object(SystemExit), ctypes.py_object(_Raised)
    with contextlib.suppress(_Raised):
        raise_in(there, exit_there)
        raise_in(here, found_here)
        for _ in range(10):  # it is raised at the end of the call, or at a turn of a loop
            pass


def _as_exception(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else Exit(type(error).__name__)


@contextlib.contextmanager
def _memory_held() -> Iterator[None]:
    """Let the process grow by `MEMORY_LIMIT` at most, where the system can see to that: Linux."""
    try:
        import resource  # Windows has no such limits

        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        before, hard = resource.getrlimit(resource.RLIMIT_AS)
    except (OSError, ImportError):
        yield
        return
    limits = pages * resource.getpagesize() + MEMORY_LIMIT, before, hard
    most = min(limit for limit in limits if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))


class _Beginning(io.RawIOBase):
    """Keeps the first bytes that are written to it, and drops the rest."""

    def __init__(self) -> None:
        self.kept = bytearray()

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, data: Theirs) -> int:
        """Take all bytes, keep the first."""
        self.kept += data[: max(PRINTED_LIMIT - len(self.kept), 0)]
        return len(data)

    def text(self) -> str:
        """Return what was kept."""
        return self.kept.decode("utf-8", "replace")

    def stream(self) -> io.TextIOWrapper:
        """Make a text stream of it that has a buffer, as sys.stdout has."""
        return io.TextIOWrapper(cast(BinaryIO, self), "utf-8", "replace", write_through=True)
