"""What a check tells the reader: findings, as text in a terminal, as a card in a notebook."""

from dataclasses import dataclass
from html import escape

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


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and what usually causes exactly that."""

    code: str  # stable, like "linear.elementwise"
    message: str  # what is wrong and the usual cause, in a sentence or two
    evidence: str  # what was fed in, what came out, what should have come out
    chapter: int  # where the book explains it


@dataclass(frozen=True)
class Report:
    """The findings about one function, the most likely cause first; none if all is well."""

    subject: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()  # good to know, such as what could not be checked

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __repr__(self) -> str:
        lines = [f"{self.subject}: {'right' if self.ok else 'not yet'}."]
        for finding in self.findings:
            lines += [f"  {finding.message} [{finding.code}, chapter {finding.chapter}]"]
            lines += [f"    {line}" for line in finding.evidence.splitlines()]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # Words carry the meaning; colour repeats it. Inherited colours suit light and dark.
        colour, word = ("#2e9e5b", "right") if self.ok else ("#d55e00", "not yet")
        style = (
            f"border:1px solid {colour};border-left-width:6px;border-radius:4px;padding:.5em .9em"
        )
        rows = [f'<p style="margin:0"><strong>{escape(self.subject)}: {word}.</strong></p>']
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
