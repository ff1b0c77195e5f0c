"""Whatever a network's members are, `examine` ends with a report that can be read, never "right".

All of it takes minutes; by default each hostile function stands for one member, chosen by chance
that is the same each time. `FUZZ=all` in the environment runs each in the place of every member.
"""

import copy
import importlib.util
import os
import random
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest

from mnist_book import examine


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOSTILE, NETWORKS = load("hostile").HOSTILE, load("networks")
METHODS = NETWORKS.METHODS
LIMIT = 1.0  # seconds of work in a call

# pytest wants to know of errors that nobody can catch, as in a __del__ that raises.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


def examined(network):
    """Examine a network; the report must be short, and no error of ours."""
    report = examine(network, *NETWORKS.examples(), time_limit=LIMIT)
    text = repr(report)
    assert "error in the examination" not in text, text
    assert len(text) < 4000
    for finding in report.findings:
        assert len(finding.message + finding.evidence) < 2000
    text.encode("utf-8")
    assert "<script" not in report._repr_html_()
    return report


def members(label):
    """Return the members that a hostile function takes the place of."""
    names = [*METHODS, "parameters"]
    if HOSTILE[label] is None:  # which is as if it was not there
        return ["predict_proba"]
    return names if os.environ.get("FUZZ") == "all" else [random.Random(label).choice(names)]


@pytest.mark.parametrize("label", HOSTILE)
def test_no_network_with_a_hostile_member_is_right(label):
    for name in members(label):
        network = NETWORKS.small_network()
        setattr(network, name, HOSTILE[label])
        assert not examined(network).ok, name


if __name__ == "__main__":
    import sys, traceback

    os.environ["FUZZ"] = "all"
    which = sys.argv[1:]
    for label in HOSTILE:
        for name in members(label):
            if which and name not in which:
                continue
            network = NETWORKS.small_network()
            setattr(network, name, HOSTILE[label])
            t = time.perf_counter()
            c = time.process_time()
            try:
                r = examined(network)
                bad = "RIGHT" if r.ok else ""
                codes = [f.code for f in r.findings] or [u[:70] for u in r.unchecked]
                print(
                    f"{time.process_time() - c:.2f} {time.perf_counter() - t:.2f} {name:20} {label:40} {bad} {len(repr(r))} {codes}",
                    file=sys.__stdout__,
                    flush=True,
                )
            except BaseException as e:
                print(
                    f"{time.process_time() - c:.2f} {time.perf_counter() - t:.2f} {name:20} {label:40} CRASH {type(e).__name__}: {str(e)[:1500]}",
                    file=sys.__stdout__,
                    flush=True,
                )
                if not isinstance(e, AssertionError):
                    traceback.print_exc(limit=-4, file=sys.__stdout__)
