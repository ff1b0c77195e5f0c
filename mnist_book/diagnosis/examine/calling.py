"""Calls a stranger's code: on copies, with a limit, and with an eye on what else it does."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from mnist_book.diagnosis.examine.plain import Raised
from mnist_book.diagnosis.examine.results import copied, described, identical
from mnist_book.diagnosis.running import Theirs, run


class Refused(Exception):
    """Ends a probe: the network gave nothing to go on with. If it is to blame, that is recorded."""


@dataclass(frozen=True)
class Incident:
    """What happened in a call besides a result."""

    kind: str  # "slow", "prints", "mutates", "raises", "nothing"
    name: str  # of the method
    given: str
    returned: str


class Calls:
    """Makes calls and records incidents.

    Attributes
    ----------
    hangs : a call did not come back in time; no other is made then
    work : seconds of processor time that the last call took, whatever else the machine does
    incidents : what has been recorded and not been taken yet
    failed : methods that gave an error, or a result of another form, and the first time that
    """

    def __init__(self, time_limit: float) -> None:
        self.time_limit, self.hangs, self.work = time_limit, False, 0.0
        self.incidents: list[Incident] = []
        self.failed: dict[str, str] = {}

    def attempt(self, name: str, function: Callable, *arguments: object, times: int = 1) -> Theirs:
        """Call on copies; return the result, or what was raised as `Raised`.

        `times` is how often the function will call the network's: it gets so many time limits.
        """
        if self.hangs:
            raise Refused
        copies, printed = [copied(argument) for argument in arguments], ""
        try:
            result, printed = run(self._timed, (function, *copies), self.time_limit * times)
        except TimeoutError:
            self.hangs = True
            given = described(*arguments)
            self.record("slow", name, given, f"nothing within {self.time_limit:g} s")
            raise Refused from None
        except Exception as error:  # the text of theirs may end the program, too
            result = Raised(error)
        if printed:
            self.record("prints", name, described(*arguments), repr(printed[:60]))
        if not all(map(identical, arguments, copies)):
            self.record("mutates", name, described(*arguments), "the array, changed")
        return result

    def accept(self, name: str, result: Theirs, *arguments: object) -> Theirs:
        """Return a result; an error, or nothing, is recorded and ends the probe."""
        if isinstance(result, Raised):
            self.record("raises", name, described(*arguments), str(result))
            raise Refused
        if result is None or result is Ellipsis:
            self.record("nothing", name, described(*arguments), str(result))
            raise Refused
        return result

    def record(self, kind: str, name: str, given: str, returned: str) -> None:
        """Record what happened."""
        self.incidents.append(Incident(kind, name, given, returned))

    def take(self) -> list[Incident]:
        """Hand out the incidents since the last time."""
        taken, self.incidents = self.incidents, []
        return taken

    def _timed(self, function: Callable, *arguments: object) -> object:
        clock = getattr(time, "thread_time", time.process_time)  # a browser has no threads
        start = clock()
        try:
            return function(*arguments)
        except BaseException as error:  # sys.exit() too; its text is made under the limit
            return Raised(error)
        finally:
            self.work = clock() - start
