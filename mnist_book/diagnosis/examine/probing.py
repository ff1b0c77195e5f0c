"""What a probe is, and what it can say.

A probe is a function that takes the subject and yields findings and notes. It measures one thing;
its words are elsewhere: those of findings in the catalogue of bugs, those of notes in `notes`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from mnist_book.diagnosis.evidence import lay_out
from mnist_book.diagnosis.examine.notes import Note
from mnist_book.diagnosis.examine.subject import Subject
from mnist_book.diagnosis.reports import Finding


def finding(
    code: str,
    given: str,
    returned: str = "",
    expected: str = "",
    says: str = "network",
    **values: object,
) -> Finding:
    """Make a finding: its code, what was seen, and which sentence of the catalogue says it."""
    evidence = lay_out(given=given, returned=returned, expected=expected)
    return Finding(code=code, evidence=evidence, says=says, values=values)


@dataclass(frozen=True)
class Cause:
    """A code, which of its sentences fits, and what fills that."""

    code: str
    says: str = "network"
    values: Mapping[str, object] = field(default_factory=dict)


Said = Iterator[Finding | Note]


@dataclass(frozen=True)
class Probe:
    """A function that looks for one kind of bug, and when to run it.

    Parameters
    ----------
    run : takes the subject, yields findings and notes
    needs : what the subject must provide: names of its methods, or of `Subject`'s attributes
    unless : codes, or beginnings of codes, that explain what this probe would find; "*" for all
    last : where it finds something, there is no use in going on
    """

    run: Callable[[Subject], Said]
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    last: bool = False

    def suits(self, subject: Subject, codes: list[str]) -> bool:
        """Tell whether to run it, after those findings."""
        explained = any("*" in self.unless or code.startswith(self.unless) for code in codes)
        return not explained and all(map(subject.provides, self.needs))


def probe(
    *, needs: str = "", unless: str = "", last: bool = False
) -> Callable[[Callable[[Subject], Said]], Probe]:
    """Make a probe of a function; names are separated by spaces."""
    return lambda run: Probe(run, tuple(needs.split()), tuple(unless.split()), last)
