"""Symptoms: numbers that exploded, units that are dead, answers that are always the same."""

import numpy as np

from mnist_book.diagnosis.evidence import cleaned
from mnist_book.diagnosis.examine.notes import doubt, note
from mnist_book.diagnosis.examine.objective import objective
from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.results import as_array, cross_entropy, is_matrix, is_weights
from mnist_book.diagnosis.examine.subject import Subject

DIGITS = 10


@probe(needs="activations probabilities")
def form(subject: Subject) -> Said:
    """There must be an array (batch, units) for each layer."""
    if not subject.layers:
        result = subject.call("activations", subject.x)
        layers = result if isinstance(result, tuple | list) else [result]
        shapes = cleaned([as_array(a).shape for a in layers])
        given, wanted = f"x {subject.x.shape}", "(batch, units)"
        yield finding("function.shape", given, shapes, wanted, says="network_activations")


@probe()
def exploded(subject: Subject) -> Said:
    """Look for NaN, infinity and giant numbers."""
    arrays = {f"parameters[{k}]": array for k, array in enumerate(subject.arrays())}
    limits = {name: 100.0 if is_weights(array) else 1e4 for name, array in arrays.items()}
    layers = subject.layers if subject.provides("probabilities") else []
    for k, activations in enumerate(layers):
        arrays[f"activations[{k}]"], limits[f"activations[{k}]"] = activations, 1e5
    sizes = {name: float(np.abs(a).max()) for name, a in arrays.items() if a.size}
    bad = [f"{name} up to {size:.3g}" for name, size in sizes.items() if not size <= limits[name]]
    if bad:
        given = f"{len(subject.x)} images"
        yield finding("network.exploded", given, ", ".join(bad), "below 100")


@probe(needs="probabilities", unless="*")
def not_a_number(subject: Subject) -> Said:
    """Look for NaN among the probabilities that nothing else explains."""
    if not subject.finite:
        given = f"{len(subject.x)} images"
        yield finding("network.exploded", given, "NaN among the probabilities", "below 100")


@probe()
def sizes(subject: Subject) -> Said:
    """Note how large activations and gradients are, layer by layer."""
    layers = subject.layers if subject.provides("probabilities") else []
    gradients = [g for g in _gradients(subject) if is_matrix(g)]
    for kind, found in (("activations", layers), ("gradients of the weights", gradients)):
        if found:
            shown = ", ".join(f"{float(np.std(a)):.2g}" for a in found)
            yield note("sizes", kind=kind, sizes=shown)


@probe(unless="gradients.zero")
def dead(subject: Subject) -> Said:
    """Count units that are the same for all examples."""
    layers = subject.layers if subject.provides("probabilities") else []
    shares = []
    for a in layers[:-1]:
        scale = max(float(np.abs(np.nan_to_num(a)).max()), 1e-300)
        shares.append((float(np.mean(np.ptp(a, axis=0) <= 1e-12 * scale)), a.shape[1]))
    if not layers:
        weights = subject.weights
        places = [k for k, array in enumerate(subject.arrays()) if is_matrix(array)]
        unread = subject.twin.unread if subject.twin else []
        for k, gradient in enumerate(_gradients_of_weights(subject)[:-1]):
            if places[k] in unread or not all(later.any() for later in weights[k + 1 :]):
                continue  # nothing comes back from where it does not go, or through weights of 0
            still = np.logical_not(gradient.any(axis=0))
            shares.append((float(still.mean()), len(still)))
    if any(share > (0.7 if units >= 16 else 0.85) for share, units in shares):
        returned = f"dead, layer by layer: {', '.join(f'{share:.0%}' for share, _ in shares)}"
        yield finding("network.dead", f"{len(subject.x)} examples", returned, "few")


def _gradients(subject: Subject) -> list[np.ndarray]:
    """Return the sample's gradients, an empty list if there are none."""
    if not {"loss_and_gradients", "parameters"} <= subject.has:
        return []
    result = subject.attempt("loss_and_gradients", subject.x, subject.labels_for(subject.y))
    if not isinstance(result, tuple | list) or len(result) != 2:
        return []
    return [as_array(gradient) for gradient in subject.in_order(result[1])]


def _gradients_of_weights(subject: Subject) -> list[np.ndarray]:
    """Return the gradients of weight matrices, as (inputs, outputs)."""
    pairs = zip(subject.arrays(), _gradients(subject), strict=False)
    matrices = [g for array, g in pairs if is_matrix(array) and g.ndim == 2]
    inputs = subject.x.shape[1]
    columns = matrices and matrices[0].shape[1] == inputs != matrices[0].shape[0]
    return [g.T for g in matrices] if columns else matrices


@probe(needs="finite")
def collapsed(subject: Subject) -> Said:
    """Look for one answer to all images."""
    p, classes = subject.probabilities, subject.classes
    if len(np.unique(subject.y)) < 5:
        return
    if np.ptp(p, axis=1).max() < 1e-9:
        yield note("tied")
        return
    counts = np.bincount(p.argmax(axis=1), minlength=classes)
    same = np.ptp(p, axis=0).max() < 1e-9 and not _may_learn(subject)
    # A network that has not learned yet may answer alike, but is not sure of it.
    if np.allclose(p.sum(axis=1), 1, atol=1e-3):
        wrong = cross_entropy(p, subject.y) > np.log(classes) + 1
    else:  # of outputs that are questions of their own: fresh ones say yes to several of them
        no, yes = np.sort(np.median(p, axis=0))[-2:]
        wrong = bool(no < 0.5 and yes > 0.9)
    if counts.max() >= 0.98 * len(p) and (same or wrong):
        returned = f"predictions per digit {counts.tolist()}"
        expected = f"about {np.bincount(subject.y, minlength=classes).tolist()}"
        given, digit = f"{len(p)} images", counts.argmax()
        yield finding("network.collapsed", given, returned, expected, digit=digit)


def _may_learn(subject: Subject) -> bool:
    """Tell whether weights have gradients, as those of a last layer that starts at 0."""
    return any(float(np.abs(g).max()) > 1e-12 for g in _gradients(subject) if is_matrix(g))


@probe(needs="finite", unless="init.too_large gradients")
def missing(subject: Subject) -> Said:
    """Look for digits that never are the answer, of a network that knows its digits.

    Where each output is a question of its own, with squared error, one may have settled at 0 early,
    where its gradient is next to nothing.
    """
    p, present = subject.probabilities, np.bincount(subject.y, minlength=subject.classes)
    counts = np.bincount(p.argmax(axis=1), minlength=subject.classes)
    never = [
        k for k in np.flatnonzero((counts == 0) & (present >= 20)) if _ruled_out(subject, int(k))
    ]
    if len(never) and len(np.unique(subject.y)) >= 5 and subject.accuracy > 0.6:  # no beginner
        returned, expected = f"predictions per digit {counts.tolist()}", f"about {present.tolist()}"
        given, digits = f"{len(p)} images", " and ".join(map(str, never))
        if _settles(subject):
            yield doubt("missing", digits=digits)
        else:
            yield finding("network.missing_digit", given, returned, expected, digits=digits)


def _settles(subject: Subject) -> bool:
    """Tell a loss that may leave an output at 0: squared error, or one that isn't known."""
    if np.allclose(subject.probabilities.sum(axis=1), 1, atol=1e-3) and not subject.losses:
        return False
    asked = subject.once(objective).name if subject.losses else ""
    return asked not in ("cross_entropy", "binary")


@probe(needs="finite", unless="network.missing_digit data")
def absent(subject: Subject) -> Said:
    """Look for a digit that is missing among the labels, and that the network does not know.

    One that knows all digits takes strange pictures for any of them.
    """
    counts, p = np.bincount(subject.digits, minlength=subject.classes), subject.probabilities
    usual = len(subject.digits) / DIGITS
    lost = [int(k) for k in np.flatnonzero(counts == 0)]
    if subject.classes != DIGITS or not lost or usual < 30 or subject.accuracy < 0.6:
        return
    if len(lost) > 2 or np.delete(counts, lost).min() < 0.3 * usual:
        return  # a choice of some digits, perhaps
    answers = np.bincount(_of_strange_pictures(subject).argmax(axis=1), minlength=DIGITS)
    never = [k for k in lost if not answers[k] and p[:, k].max() < 0.1]
    if never and np.count_nonzero(answers) >= DIGITS - 2:
        given, digits = f"{len(subject.digits)} labels", " and ".join(map(str, never))
        returned = (
            f"labels per digit {counts.tolist()}; answers to strange pictures {answers.tolist()}"
        )
        expected = f"about {usual:.0f} labels of each"
        yield finding(
            "network.missing_digit", given, returned, expected, "network_labels", digits=digits
        )


def _of_strange_pictures(subject: Subject) -> np.ndarray:
    """Return what it predicts for pictures that are none of the digits."""
    x, rng = subject.x.astype(np.float64), np.random.default_rng(3)
    low, high = x.min(), x.max()
    mixed = [x[rng.permutation(len(x))] for _ in range(3)]
    kinds = [x[:, ::-1], low + high - x, np.roll(x, x.shape[1] // 2, axis=1), sum(mixed) - 2 * low]
    kinds += [np.maximum(*mixed[:2]), rng.permuted(x, axis=1), np.roll(x, 5, axis=1)]
    found = [subject.predict(kind.astype(subject.x.dtype)) for kind in kinds]
    fit = [p for p in found if p.shape == subject.probabilities.shape]
    return np.concatenate([subject.probabilities, *fit])


def _ruled_out(subject: Subject, digit: int) -> bool:
    """Tell a digit that the network has never seen from one that it does not know well yet."""
    p = subject.probabilities[subject.y == digit, digit]
    return float(p.mean()) < 0.2 * float(np.mean(subject.y == digit))


PROBES = (form, exploded, not_a_number, sizes, dead, collapsed, missing, absent)
