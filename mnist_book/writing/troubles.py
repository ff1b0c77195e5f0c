"""What is found, as plain values that travel as JSON, and the words for what is no bug."""

import tomllib
from pathlib import Path
from typing import TypedDict

from mnist_book.diagnosis.reports import Finding

SENTENCES: dict[str, str] = {
    f"{family}.{name}": sentence
    for family, sentences in tomllib.loads(
        Path(__file__).with_name("troubles.toml").read_text("utf-8")
    ).items()
    for name, sentence in sentences.items()
}


class Found(TypedDict):
    """One thing that is wrong."""

    code: str
    message: str
    evidence: str
    chapter: int | None  # None: nothing that a chapter explains


class Trouble(Exception):
    """Keeps a file, or a piece of it, from being checked."""

    def __init__(self, code: str, evidence: str = "", **values: object) -> None:
        super().__init__(code)
        self.found = trouble(code, evidence, **values)
        line = values.get("line")
        self.line = line if isinstance(line, int) else None


def trouble(code: str, evidence: str = "", **values: object) -> Found:
    """Word what keeps a file from being checked."""
    return Found(
        code=code, message=SENTENCES[code].format(**values), evidence=evidence, chapter=None
    )


def of_finding(finding: Finding) -> Found:
    """Take a finding of the diagnosis as plain values."""
    return Found(
        code=finding.code,
        message=finding.message,
        evidence=finding.evidence,
        chapter=finding.chapter,
    )
