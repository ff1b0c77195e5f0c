"""The one catalogue of bugs: what each is called, how it shows, what causes and cures it.

Checks and `examine` return a code and evidence; every word that a reader sees about the bug itself
comes from `bugs.toml`: the sentence in a report, and the entry in the field guide.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

BUGS = Path(__file__).with_name("bugs.toml")
REQUIRED = {"name": str, "chapter": int, "symptom": str, "check": str}
OPTIONAL = dict.fromkeys(("cause", "cure", "picture", "wrong", "right"), str) | {"says": dict}
CODE_SPAN = re.compile(r"`([a-z_]+\.[a-z_]+)`")


class CatalogueError(ValueError):
    """The catalogue of bugs is not as it should be, or was asked for what it does not hold."""


@dataclass(frozen=True)
class Bug:
    """An entry: what there is to say about the bug with this code.

    `symptom`, `cause`, `cure`, `picture` and `check` are Markdown. A code in backticks, such as
    `softmax.axis`, stands for a link to its entry.
    """

    code: str
    name: str
    chapter: int  # where the book explains it
    symptom: str  # what one sees, in words that people search for
    check: str  # the test that tells it from its neighbours
    says: Mapping[str, str]  # what a report says, by variant; {placeholders} are filled by values
    cause: str = ""
    cure: str = ""
    picture: str = ""  # what the field guide's picture of it shows
    wrong: str = ""  # a line of code, or a few, that has the bug
    right: str = ""  # the same without it

    def message(self, variant: str, values: Mapping[str, object]) -> str:
        """Return what a report says; the values fill the sentence's placeholders."""
        if variant not in self.says:
            known = ", ".join(self.says) or "none"
            raise CatalogueError(f"{self.code} says nothing called {variant!r}; there is {known}")
        missing = sorted(placeholders(self.says[variant]) - values.keys())
        if missing:
            raise CatalogueError(f"{self.code}, {variant!r} needs a value for {', '.join(missing)}")
        return self.says[variant].format(**values)

    @property
    def neighbours(self) -> list[str]:
        """The codes that its check tells it from."""
        named = CODE_SPAN.findall(self.check)
        return [code for code in named if code in CATALOGUE and code != self.code]


def placeholders(sentence: str) -> set[str]:
    """Return the names that stand in braces."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def load(path: Path = BUGS) -> dict[str, Bug]:
    """Read the catalogue, by code.

    Raises
    ------
    CatalogueError : a key is missing, unknown or of another type; a link leads nowhere
    """
    families = tomllib.loads(path.read_text("utf-8"))
    bugs = {
        f"{family}.{name}": _bug(f"{family}.{name}", entry)
        for family, entries in families.items()
        for name, entry in entries.items()
    }
    for bug in bugs.values():
        for link in CODE_SPAN.findall(f"{bug.symptom} {bug.cause} {bug.cure} {bug.check}"):
            if link.split(".")[0] in families and link not in bugs:
                raise CatalogueError(f"{bug.code} names `{link}`, which has no entry")
    return bugs


def _bug(code: str, entry: dict) -> Bug:
    for key, kind in (REQUIRED | OPTIONAL).items():
        if key in REQUIRED and not entry.get(key):
            raise CatalogueError(f"{code} has no {key}")
        if key in entry and type(entry[key]) is not kind:
            raise CatalogueError(f"{code}: {key} should be a {kind.__name__}")
    if unknown := entry.keys() - (REQUIRED | OPTIONAL):
        raise CatalogueError(f"{code} has an unknown key, {', '.join(sorted(unknown))}")
    if ("wrong" in entry) != ("right" in entry):
        raise CatalogueError(f"{code} has a wrong line or a right one; it takes both")
    prose = {key: _joined(entry[key]) for key in ("name", "symptom", "check")}
    prose |= {key: _joined(entry.get(key, "")) for key in ("cause", "cure", "picture")}
    code_lines = {key: entry.get(key, "").strip("\n") for key in ("wrong", "right")}
    says = {variant: _sentence(code, text) for variant, text in entry.get("says", {}).items()}
    return Bug(code, chapter=entry["chapter"], says=says, **prose, **code_lines)


def _sentence(code: str, text: object) -> str:
    """Check one of the sentences of a report."""
    if not isinstance(text, str) or not text.strip():
        raise CatalogueError(f"{code} says something that is no text: {text!r}")
    try:
        names = placeholders(text)
    except ValueError as error:
        raise CatalogueError(f"{code}: a brace in {text!r} has no partner") from error
    if not all(name.isidentifier() for name in names):
        raise CatalogueError(f"{code}: a placeholder in {text!r} has no name")
    return _joined(text)


def _joined(text: str) -> str:
    """Join the lines of a text that is wrapped in the file."""
    return " ".join(text.split())


CATALOGUE = load()


def entry(code: str) -> Bug:
    """Return what the catalogue holds under a code."""
    if code not in CATALOGUE:
        raise CatalogueError(f"{code} is not in the catalogue of bugs, {BUGS.name}")
    return CATALOGUE[code]
