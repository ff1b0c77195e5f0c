"""What a check tells the reader: findings, as text in a terminal, as a card in a notebook."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

CHAPTERS = {
    "function": 2,
    "layout": 2,
    "linear": 2,
    "softmax": 3,
    "cross_entropy": 3,
    "leaky_relu": 4,
    "relu_gradient": 4,
    "network": 4,
    "init": 5,
    "gradients": 6,
    "data": 7,
    "train": 7,
    "network.collapsed": 8,
    "network.missing_digit": 8,
}


def chapter_of(code: str) -> int:
    """Tell which chapter explains what a code of a network's report means."""
    return CHAPTERS.get(code) or CHAPTERS[code.split(".")[0]]


SAYS = tomllib.loads(Path(__file__).with_name("examine_says.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and what usually causes exactly that."""

    code: str  # stable, like "linear.elementwise"
    message: str = ""  # what is wrong and the usual cause, in a sentence or two
    evidence: str = ""  # what was fed in, what came out, what should have come out
    chapter: int = 0  # where the book explains it
    says: str = ""  # which of the catalogue's sentences is the message
    values: Mapping[str, object] = field(default_factory=dict, hash=False)  # what fills it

    def __post_init__(self) -> None:
        if self.says:
            family, name = self.code.split(".")
            sentence = " ".join(SAYS[family][name]["says"][self.says].split())
            object.__setattr__(self, "message", sentence.format(**self.values))
            object.__setattr__(self, "chapter", chapter_of(self.code))


@dataclass(frozen=True)
class Report:
    """The findings about a function or a network, the most likely cause first.

    Parameters
    ----------
    subject : what was looked at
    findings : what is wrong with it
    notes : good to know, such as what was not there to be checked
    unchecked : what was there and could not be checked; nothing is called right then
    """

    subject: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all was checked, and nothing found."""
        return self.verdict == "right"

    @property
    def verdict(self) -> str:
        """Return "right", "not yet" where something was found, or else "not checked"."""
        if self.findings:
            return "not yet"
        return "not checked" if self.unchecked else "right"

    def __repr__(self) -> str:
        lines = [f"{self.subject}: {self.verdict}."]
        lines += [f"  not checked: {reason}" for reason in self.unchecked]
        for finding in self.findings:
            lines += [f"  {finding.message} [{finding.code}, chapter {finding.chapter}]"]
            lines += [f"    {line}" for line in finding.evidence.splitlines()]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # Words carry the meaning; colour repeats it. Inherited colours suit light and dark.
        colour = {"right": "#2e9e5b", "not yet": "#d55e00", "not checked": "#b08900"}[self.verdict]
        style = (
            f"border:1px solid {colour};border-left-width:6px;border-radius:4px;padding:.5em .9em"
        )
        rows = [
            f'<p style="margin:0"><strong>{escape(f"{self.subject}: {self.verdict}.")}</strong></p>'
        ]
        for reason in self.unchecked:
            rows.append(f'<p style="margin:.4em 0 0">Not checked: {escape(reason)}</p>')
        for finding in self.findings:
            rows.append(
                f'<p style="margin:.4em 0 0">{escape(finding.message)} '
                f'<a style="color:inherit" href="field-guide.html#{escape(finding.code)}">'
                f"{escape(finding.code)}</a>, "
                f"chapter {finding.chapter}</p>"
                '<pre style="margin:.2em 0 0;white-space:pre-wrap">'
                f"{escape(finding.evidence)}</pre>"
            )
        for note in self.notes:
            rows.append(f'<p style="margin:.4em 0 0">Note: {escape(note)}</p>')
        return f'<div role="note" style="{style}">{"".join(rows)}</div>'
