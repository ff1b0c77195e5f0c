"""What a check tells the reader: findings, as text in a terminal, as a card in a notebook."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from mnist_book.diagnosis.catalogue import entry


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its code, and what was seen. The catalogue has the words for it.

    Parameters
    ----------
    code : stable, like "linear.elementwise"; an entry of the catalogue
    evidence : what was fed in, what came out, what should have come out
    says : which of the entry's sentences the report says
    values : what fills that sentence's placeholders

    Raises
    ------
    CatalogueError : there is no such code or sentence, or a value is missing
    """

    code: str
    evidence: str = ""
    says: str = "usual"
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _ = self.message  # what is missing shows at once, not when the report is read

    @property
    def message(self) -> str:
        """What is wrong and what usually causes that, in a sentence or two."""
        return entry(self.code).message(self.says, self.values)

    @property
    def chapter(self) -> int:
        """The chapter that explains it."""
        return entry(self.code).chapter

    @property
    def link(self) -> str:
        """Where the field guide has its entry, seen from a page of the book."""
        return f"field-guide.html#{self.code}"


@dataclass(frozen=True)
class Report:
    """The findings about a function or a network, the most likely cause first.

    Parameters
    ----------
    subject : what was looked at
    findings : what is wrong with it
    notes : good to know, such as what was not there to be checked
    unchecked : what was there and could not be checked; nothing is called right then
    doubts : what it does badly although no bug was found; it is not called right then
    """

    subject: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all was checked, and nothing found."""
        return not self.findings and not self.unchecked

    @property
    def verdict(self) -> str:
        """Return "not yet" where something was found, "not checked", "no bug found", or "right"."""
        if self.findings:
            return "not yet"
        if self.unchecked:
            return "not checked"
        return "no bug found" if self.doubts else "right"

    def __repr__(self) -> str:
        lines = [f"{self.subject}: {self.verdict}."]
        lines += [f"  not checked: {reason}" for reason in self.unchecked]
        lines += [f"  but: {doubt}" for doubt in self.doubts]
        for finding in self.findings:
            lines += [f"  {finding.message} [{finding.code}, chapter {finding.chapter}]"]
            lines += [f"    {line}" for line in finding.evidence.splitlines()]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # Words carry the meaning; colour repeats it. Inherited colours suit light and dark.
        colour = {"right": "#2e9e5b", "not yet": "#d55e00"}.get(self.verdict, "#b08900")
        style = (
            f"border:1px solid {colour};border-left-width:6px;border-radius:4px;padding:.5em .9em"
        )
        rows = [
            f'<p style="margin:0"><strong>{escape(f"{self.subject}: {self.verdict}.")}</strong></p>'
        ]
        for reason in self.unchecked:
            rows.append(f'<p style="margin:.4em 0 0">Not checked: {escape(reason)}</p>')
        for doubt in self.doubts:
            rows.append(f'<p style="margin:.4em 0 0">But {escape(doubt)}.</p>')
        for finding in self.findings:
            rows.append(
                f'<p style="margin:.4em 0 0">{escape(finding.message)} '
                f'<a style="color:inherit" href="{escape(finding.link)}">'
                f"{escape(finding.code)}</a>, "
                f"chapter {finding.chapter}</p>"
                '<pre style="margin:.2em 0 0;white-space:pre-wrap">'
                f"{escape(finding.evidence)}</pre>"
            )
        for note in self.notes:
            rows.append(f'<p style="margin:.4em 0 0">Note: {escape(note)}</p>')
        return f'<div role="note" style="{style}">{"".join(rows)}</div>'
