"""Examine a whole network, ours or a stranger's, and name the bug that it has.

Nothing here looks at how a network is written. It is called, on copies, and what comes out is held
against what must come out of any right network; where that fails, further calls tell the usual
causes apart. There is a module for each stage of a network's life, with its probes; `subject` is
the network that they are about.

The verdict is

- "not yet" where something was found: the causes come first, in the order of a network's life,
  symptoms such as dead units after them;
- "not checked" where nothing was found, but something that the network has could not be looked at:
  it cannot be copied, its parameters are not those that it reads, its loss is another one at each
  call. Nothing is called right then;
- "no bug found" where all that it has was looked at, and it reads the pictures worse than the
  nearest mean does: it is not trained yet, or badly, or was on other pictures, which can't be told;
- "right" where it reads them, too, or they are too few to say. What it does not have, such as
  `step`, is noted, and so is what these pictures are too few for: it is right as far as it could be
  checked.

No clock on the wall decides anything: where a network is so slow that fewer numbers must do, the
processor time of its own calls says so, and never for a network of ordinary size.

Whatever a network does or returns, there is a report. Results are made plain values in the thread
of the call, `plain`, so that nothing of theirs runs outside of it.
"""

import contextlib
import random
import warnings
from collections.abc import Iterable, Iterator

import numpy as np

from mnist_book.diagnosis.evidence import cleaned
from mnist_book.diagnosis.examine import (
    bare_steps,
    bends,
    data,
    gradients,
    impulse,
    loss,
    modes,
    pictures,
    points,
    probabilities,
    reading,
    steps,
    training,
    units,
    weights,
)
from mnist_book.diagnosis.examine.calling import Calls, Refused
from mnist_book.diagnosis.examine.calls import finding_of
from mnist_book.diagnosis.examine.examples import Examples, fit
from mnist_book.diagnosis.examine.notes import NEEDED_FOR, Note, note, unchecked
from mnist_book.diagnosis.examine.probing import Probe, Said, finding
from mnist_book.diagnosis.examine.subject import Subject
from mnist_book.diagnosis.reports import Finding, Report

PROBES: tuple[Probe, ...] = (
    *pictures.PROBES,
    *data.PROBES,
    *points.PROBES,
    *probabilities.PROBES,
    modes.other_probabilities,
    reading.other_in_training,
    reading.dropout_scale,
    modes.running_averages,
    reading.other_form,
    *bends.PROBES,
    *weights.PROBES,
    *loss.PROBES,
    *gradients.PROBES,
    modes.dropout_in_step,
    *training.PROBES,
    *steps.PROBES,
    *impulse.PROBES,
    *bare_steps.PROBES,
    *units.PROBES,
    training.too_long,
    training.too_short,
    training.forgets,
    training.by_heart,
    *reading.PROBES,
)
ORDER = [
    "idx",
    "data",
    "layout",
    "linear",
    "function",
    "init",
    "softmax",
    "leaky_relu",
    "cross_entropy",
]
ORDER += ["gradients", "train", "network"]
LATER = "network_later"  # what does no harm yet explains nothing, and is no first cause
UPHILL = {"train.ascent", "gradients.sign"}
# Wrong with weights of any size, so that too large ones come after them.
AT_ANY_SIZE = ("gradients.", "train.early", "train.momentum", "train.adam", "train.direction")
SIDE_ISSUES = ("function.prints", "function.mutates", "function.not_array")  # never the first cause


def examine(
    network: object, images: np.ndarray, labels: np.ndarray, *, time_limit: float = 5.0
) -> Report:
    """Look for the usual bugs in a network, from its data to its training.

    Parameters
    ----------
    network : any object with `predict_proba(x) -> (batch, classes)`. The more of these it has, too,
        the more is checked: `parameters`, a list of arrays that it reads in place (or a dictionary
        of them); `loss_and_gradients(x, labels) -> (float, list like parameters)`;
        `activations(x)`, a list of each layer's output, logits last; `step(x, labels)`, one step of
        training; `loss(x, labels) -> float`, where there are no gradients. It works on a copy:
        your network stays as it is. Functions are given in a line:
        `types.SimpleNamespace(predict_proba=forward, parameters=[W1, b1, W2, b2])`; column-major
        code is wrapped in one: `types.SimpleNamespace(predict_proba=lambda x: net.predict(x.T).T,
        parameters=net.weights)`
    images : what the network is fed, (n, inputs) floats or (n, 28, 28), which reach it as rows
        (n, inputs). Bytes are scaled to 0..1 for `mnist_core.Network`, as its training does; others
        get them as floats from 0 to 255
    labels : integers (n,) or one-hot (n, classes), as the network's own methods take them
    time_limit : seconds of work that a single call may take; waiting counts for a quarter of that

    Returns
    -------
    the findings, the most likely cause first; what could not be checked; and notes, such as the
    sizes of activations and gradients, layer by layer

    Notes
    -----
    Your code runs, in threads with a limit. Held off are errors of all kinds, `sys.exit()` and
    endless recursion too; a call that does not end; on Linux, one that takes more than 4 GiB of
    memory; what it prints; results of any kind and size; and what it does to its arguments, your
    network, NumPy's error state, the filters of warnings and the global random generators.

    A thread is no sandbox. Not held off are files and the working directory, threads and processes
    that your code starts, other settings of Python, C code that keeps the interpreter to itself,
    as `sum(range(10**12))` does, and crashes. `mnist_book.diagnosis.running` has the whole list.
    """
    images, labels = _given(images), _given(labels)
    calls = Calls(time_limit)
    with _generators_kept(), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unusable = list(_unusable(network, images, labels, calls))
        if unusable:
            return Report("network", tuple(unusable))
        subject = Subject(network, Examples(images, labels, network), calls)
        originals = [(array, array.copy()) for array in subject.of_original]
        said = [*_introduction(subject), *_probed(subject), *_put_back(originals)]
    findings: dict[str, Finding] = {}
    for each in said:
        if isinstance(each, Finding):
            findings.setdefault(each.code, each)  # one for each code
    if "softmax.axis" in findings:
        findings.pop("function.raises", None)  # shapes that do not go together, and why
    if "gradients.bias" in findings and findings["gradients.bias"].says == "network_sign":
        findings.pop("leaky_relu.no_else", None)  # what biases should make positive, they don't
    if UPHILL & set(findings):
        findings.pop("init.positive", None)  # the way up is the same for all weights of a unit
    notes = {
        kind: tuple(each.text for each in said if isinstance(each, Note) and each.kind == kind)
        for kind in ("note", "unchecked", "doubt")
    }
    causes = tuple(sorted(findings.values(), key=lambda each: _rank(each, findings)))
    return Report("network", causes, notes["note"], notes["unchecked"], notes["doubt"])


def _given(values: object) -> np.ndarray:
    """Take pictures or labels as an array; one without a shape where that does not work."""
    try:
        return np.asarray(values)
    except ValueError:  # rows of different lengths
        return np.array(None)


def _unusable(
    network: object, images: np.ndarray, labels: np.ndarray, calls: Calls
) -> Iterator[Finding]:
    """Find what leaves nothing to examine."""
    if labels.dtype.kind in "OUS" and labels.size:
        first = labels.flat[0]
        given = f"labels of type {type(first).__name__}: {cleaned(first)}, ..."
        yield finding("data.labels", given, expected="whole numbers from 0", says="network_text")
    elif images.dtype.kind not in "biuf" and images.size:
        given = f"images {images.shape} of type {images.dtype}: {cleaned(images.flat[0])}, ..."
        yield finding("function.not_array", given, expected="floats", says="network_images")
    elif not fit(images, labels):
        given, expected = f"images {images.shape}, labels {labels.shape}", "(n, 784) or (n, 28, 28)"
        expected += ", and (n,)"
        yield finding("function.shape", given, expected=expected, says="network_pairs")
    else:
        yield from _no_predictions(network, calls)


def _no_predictions(network: object, calls: Calls) -> Iterator[Finding]:
    """Say that there is no predict_proba; a property of this name may also fail, or never end."""
    with contextlib.suppress(Refused):
        found = calls.attempt(
            "predict_proba", lambda: callable(getattr(network, "predict_proba", None))
        )
        if not calls.accept("predict_proba", found):
            given, expected = f"a {type(network).__name__}", "predict_proba(x) -> (batch, 10)"
            yield finding("function.nothing", given, expected=expected, says="network_no_method")
    yield from map(finding_of, calls.take())


def _introduction(subject: Subject) -> Iterator[Note]:
    """Say what is not there to be checked, and what there is that cannot be."""
    for name, needed_for in NEEDED_FOR.items():
        if name not in subject.has:
            needed_for = needed_for.removeprefix("the loss, ") if subject.losses else needed_for
            yield note("absent", name=name, needed_for=needed_for)
    if subject.shared:
        yield unchecked("shared", what=", ".join(dict.fromkeys(subject.shared)))
    if "parameters" in subject.has and not subject.arrays():
        yield unchecked("parameters", found=subject.parameters.text)


def _probed(subject: Subject) -> Said:
    """Run all probes that suit the subject; one that fails keeps no other from running."""
    codes: list[str] = []
    yield from map(finding_of, subject.calls.take())  # from copying it
    for probe in PROBES:
        said: list[Finding | Note] = []
        try:
            if subject.calls.hangs or not probe.suits(subject, codes):
                continue
            for each in probe.run(subject):
                said.append(each)
        except Refused:
            pass
        except Exception as error:  # ours, at something that nobody thought of
            name = f"{probe.run.__module__.rpartition('.')[2]}.{probe.run.__name__}"
            said.append(unchecked("failed", probe=name, error=cleaned(error)))
        caught = [finding_of(incident) for incident in subject.calls.take()]
        if probe.last and any(isinstance(each, Finding) for each in said):
            caught = [each for each in caught if each.code != "function.raises"]  # explained
        said += caught
        yield from said
        codes += [each.code for each in said if isinstance(each, Finding) and each.says != LATER]
        if probe.last and codes:
            return
    yield from _out_of_reach(subject)
    for name, failure in subject.calls.failed.items() if not codes else ():
        yield unchecked("failed_once", name=name, failure=failure)


def _out_of_reach(subject: Subject) -> Iterator[Note]:
    """Say which parameters could not be moved."""
    if subject.calls.hangs or not subject.arrays() or subject.probabilities is None:
        return
    if not subject.apart:  # which has been said
        return
    if subject.twin is None:
        yield unchecked("not_in_place")
        return
    named = subject.once(gradients.forgotten_biases)
    if unread := [k for k in subject.twin.unread if k not in named]:
        yield unchecked("some_not_in_place", numbers=", ".join(map(str, unread)))


def _put_back(originals: list[tuple[np.ndarray, np.ndarray]]) -> Iterator[Note]:
    """Restore parameters that changed all the same: they hid from the copy."""
    changed = [pair for pair in originals if pair[0].tobytes() != pair[1].tobytes()]
    for array, saved in changed:
        array[...] = saved
    if changed:
        yield unchecked("changed")


@contextlib.contextmanager
def _generators_kept() -> Iterator[None]:
    """Leave the global random generators as they were, whatever a network draws."""
    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(numpys)  # noqa: NPY002
        random.setstate(pythons)


def _rank(finding: Finding, codes: Iterable[str]) -> int:
    """Put causes before symptoms, in the order of a network's life."""
    late = finding.code in SIDE_ISSUES or finding.says == LATER
    if finding.code == "init.too_large":
        late = any(code.startswith(AT_ANY_SIZE) for code in codes)
    return len(ORDER) if late else ORDER.index(finding.code.split(".")[0])
