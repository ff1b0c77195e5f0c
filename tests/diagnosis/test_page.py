"""The page on diagnosis: its programs run, one after another, and give the reports that it says."""

import inspect
import re
from pathlib import Path

from mnist_book import checks

PAGE = (Path(__file__).parents[2] / "book" / "diagnose.md").read_text("utf-8")


def last_values(program, namespace):
    """Run a program of the page; return what its last line gives."""
    lines, last = program.rstrip().rsplit("\n", 1)
    exec(lines, namespace)
    return eval(last, namespace)


def test_the_programs_run_and_find_what_the_page_says():
    programs = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    namespace = {}
    softmax, fresh, overflows, rows = (last_values(program, namespace) for program in programs)
    shown = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1]
    assert str(softmax).split()[: len(shown.split())] == shown.split()
    assert fresh.ok
    assert overflows.findings[0].code == "softmax.overflow"
    assert not rows.findings


def test_every_check_is_named():
    named = set(re.findall(r"`(\w+)`", PAGE.split("## A whole network")[0]))
    functions = {name for name in checks.__all__ if inspect.isfunction(getattr(checks, name))}
    assert functions <= named
