"""The glossary explains the words that chapters introduce, and no others."""

import re
from functools import cache

import pytest
from chapters import BOOK, BUILDING, NOT_YET, PATHS, cells

# Set in bold, but not as words that need an explanation elsewhere.
EXCEPTIONS: set[str] = set()
# Words of chapters that are not rewritten yet.
COMING = {"control", "gradient descent", "overfitting", "validation set"} if NOT_YET else set()


def entries():
    """Read the glossary's entries: lines that are not indented are words, one or more."""
    page = (BOOK / "notation.md").read_text("utf-8")
    glossary = re.search(r"```\{glossary\}\n(.*?)```", page, re.DOTALL)[1]
    return [re.findall(r"^\S.*$", entry, re.MULTILINE) for entry in glossary.split("\n\n")]


def terms():
    return {plain(word) for words in entries() for word in words}


def plain(text):
    """Write words as they are compared: small letters, one space, no plural's s."""
    return re.sub(r"s\b", "", " ".join(text.lower().replace("’", "'").split()))


@cache
def prose(number):
    """Join a chapter's text, without its code and its formulas."""
    return "\n".join(cell.source for cell in cells(number, "markdown"))


def introduced(text):
    """Find the words set in bold; a bold sentence, or a label of a paragraph, ends with a mark."""
    bold = re.findall(r"(?<!\*)\*\*([^*\n]+?)\*\*(?!\*)", text)
    return [
        words
        for words in bold
        if re.fullmatch(r"[A-Za-z][\w' ’-]*", words) and len(words.split()) <= 3
    ]


def test_the_words_are_in_order():
    letters = [words[0].lower() for words in entries()]
    assert len(letters) > 50
    assert letters == sorted(letters)


def test_each_word_of_the_glossary_is_used_in_a_chapter():
    text = plain("\n".join(map(prose, PATHS)))
    unused = {word for word in terms() if not re.search(rf"\b{re.escape(word)}\b", text)}
    assert not unused - COMING


def test_a_word_that_is_introduced_is_told_from_a_bold_sentence():
    text = "The **learning rate**. **What you need.** **Never take a logarithm of a softmax**"
    assert introduced(text) == ["learning rate"]


@pytest.mark.parametrize("number", BUILDING)
def test_a_word_that_a_chapter_introduces_is_in_the_glossary(number):
    missing = {word for word in introduced(prose(number)) if plain(word) not in terms()}
    assert not missing - EXCEPTIONS
