"""Limits for the process in which a reader's file runs: time, memory, files, other processes.

Where there is a `resource` module (Linux, macOS), the system itself ends a process that works for
too long and refuses memory and huge files; on macOS it does not keep to the limit of memory. On
Windows there is no such module: there the process that started this one ends it when nothing has
come from it for a while, and memory has no limit.

Processes that the reader's code would start are refused where Python is asked for them. This is no
sandbox: C code can do as it likes. Whatever it has started ends with its group.
"""

import sys
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEMORY = 2 << 30  # bytes, of the process in all
FILE = 64 << 20  # bytes, of a file that it writes
WORK = 20  # seconds of processor time for a piece; the right ones need a tenth of one
REFUSED = frozenset(
    (
        "_winapi.CreateProcess",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.kill",
        "os.killpg",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "pty.spawn",
        "subprocess.Popen",
    )
)

MEMORY_IS_LIMITED = sys.platform == "linux"


class RefusedProcess(RuntimeError):
    """The reader's code asked for another process."""


def limit_size() -> None:
    """Limit memory and files, before anything of the reader's runs."""
    if resource is None:
        return
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, FILE)):
        _lower(kind, most)
    _lower(resource.RLIMIT_CORE, 0)


def allow_work(seconds: float = WORK) -> None:
    """Let the system end this process if it works for longer than that from now on."""
    if resource is None:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime + seconds) + 1)


def _lower(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(kind, (soft, hard))
    except (OSError, ValueError):  # a system that does not know this limit
        return


class ProcessGuard:
    """Refuses processes, once it is on; what was asked for since `forget` is in `asked`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        sys.addaudithook(self._hook)

    def forget(self) -> None:
        """Begin anew."""
        self.asked.clear()

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in REFUSED:
            self.asked.append(event)
            raise RefusedProcess(f"{event} is not allowed here")
