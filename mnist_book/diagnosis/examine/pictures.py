"""The pictures themselves: whether they still are pictures, whatever network is to read them."""

import numpy as np

from mnist_book.diagnosis.examine.probing import Said, finding, probe
from mnist_book.diagnosis.examine.subject import Subject

SIDE = 28
MOST = 150  # pictures that are looked at
HUGE = 1e4
ALIKE, UNLIKE = 0.6, 0.45  # correlations of neighbouring pixels: digits have about 0.8


def nearest_mean(subject: Subject) -> float:
    """Return for which share of the sample the mean of the others of its class is the nearest."""
    return float(nearest_their_own(subject.x, subject.y).mean())


def nearest_their_own(images: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Tell which pictures (n, inputs) are nearest to the mean of the others of their class."""
    x = np.nan_to_num(images.astype(np.float64), posinf=0, neginf=0)
    present = np.unique(y)
    means = np.stack([x[y == digit].mean(axis=0) for digit in present])
    distances = (x**2).sum(axis=1)[:, np.newaxis] - 2 * x @ means.T + (means**2).sum(axis=1)
    own = y[:, np.newaxis] == present
    counts = own.sum(axis=0)
    # Without itself, a picture is n / (n - 1) times as far from the mean of its class of n.
    factors = np.divide(counts, counts - 1, out=np.full(len(counts), np.inf), where=counts > 1)
    distances = np.where(own, factors**2 * distances, distances)
    return present[distances.argmin(axis=1)] == y


def neighbours(images: np.ndarray) -> float:
    """Return the correlation of pixels that touch, of pictures (n, 784)."""
    grid = images.reshape(-1, SIDE, SIDE)
    pairs = ((grid[:, :, :-1], grid[:, :, 1:]), (grid[:, :-1], grid[:, 1:]))
    if not all(a.std() > 0 and b.std() > 0 for a, b in pairs):
        return 0.0
    return float(np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs]))


def _some(subject: Subject) -> np.ndarray | None:
    """Return some of the pictures, (n, 784) float64; None if they have another size, or NaN."""
    images = subject.images
    some = images[:: max(len(images) // MOST, 1)][:MOST].astype(np.float64)
    fit = images.shape[1] == SIDE * SIDE and len(images) >= 20 and np.isfinite(some).all()
    return some if fit and np.ptp(some) > 0 else None


@probe()
def two_values(subject: Subject) -> Said:
    """Look for pictures of which nothing is left but the full ink: pixels // 255."""
    some = _some(subject)
    if some is None:
        return
    values, share = np.unique(some), float(np.mean(some == some.max()))
    # A threshold in the middle leaves 13 % of the pixels; // 255 leaves 0.5 % of MNIST's.
    most = 0.12 if subject.examples.given_as.kind in "iu" else 0.095
    full = 1 / 255 if subject.examples.scaled else 1  # what a 1 has become
    if len(values) == 2 and np.allclose(values, [0, full]) and share < most:
        given = f"{len(some)} images"
        returned = f"all pixels are 0 or 1, {share:.1%} of them 1"
        yield finding("data.two_values", given, returned, "values between 0 and 1 at the edges")


@probe()
def wrapped(subject: Subject) -> Said:
    """Look for bytes that went round at 256, and come right when they are turned back."""
    some = _some(subject)
    if some is None:
        return
    values = np.unique(some)
    low, step = values[0], np.diff(values).min()
    bytewise = (some - low) / step
    whole = bytewise.max() < 256 and np.abs(bytewise - bytewise.round()).max() < 0.01
    if len(values) > 256 or not whole:
        return
    codes = bytewise.round().astype(np.int64)
    if neighbours(some) > UNLIKE:
        yield from _wrapped_by_mean(codes)
        return
    background = int(np.bincount(codes.ravel()).argmax())
    before, after = neighbours(some), neighbours((codes - background) % 256)
    given = f"{len(some)} images from {low:.4g} to {some.max():.4g}"
    returned = f"the background is {low + background * step:.4g}, and there is less and more; "
    if 2 < background < 253 and after > ALIKE:
        returned += f"neighbouring pixels correlate by {before:.2f}"
        expected = f"{after:.2f}, which they have when all is turned back by {background} of 256"
        code = "idx.signed" if low < 0 and abs(low + 128) < 1 else "data.bytes_wrap"
        yield finding(code, given, returned, expected)
    elif len(np.unique(codes)) < 50 and np.isin(codes, np.arange(256) ** 2 % 256).all():
        returned = (
            f"{len(np.unique(codes))} different values, all of them squares less 256, 512 ..."
        )
        yield finding("data.bytes_wrap", given, returned, "squares up to 65,025")


def _wrapped_by_mean(codes: np.ndarray) -> Said:
    """Look for a mean picture that was subtracted in bytes: the paper is 256 less the mean."""
    paper = np.array([np.bincount(column).argmax() for column in codes.T])
    if not 0.1 < np.mean(paper != 0) < 0.9 or paper[paper != 0].min() < 64:
        return
    before, after = neighbours(codes), neighbours((codes - paper) % 256)
    if after > before + 0.03:
        given = f"{len(codes)} images in bytes"
        returned = f"where there is no ink, {paper.min()} in some places and {paper.max()} in "
        returned += f"others; neighbouring pixels correlate by {before:.2f}"
        expected = f"{after:.2f}, which they have when all places start at 0"
        yield finding("data.bytes_wrap", given, returned, expected)


@probe()
def extremes(subject: Subject) -> Said:
    """Look for a few numbers that are thousands of times larger than all others."""
    sizes = np.abs(subject.images[:1000].astype(np.float64))
    usual, largest = np.quantile(sizes, 0.99), sizes.max()
    if np.isfinite(largest) and largest > HUGE and largest > HUGE * usual:
        given = f"images up to {largest:.3g}; 99 % of their numbers are below {usual:.3g}"
        yield finding("data.not_scaled", given, expected="about 0 to 1", says="network_divided")


@probe(unless="data.bytes_wrap data.not_scaled idx.signed")
def scrambled(subject: Subject) -> Said:
    """Look for pictures whose pixels were mixed with other pictures' by a reshape.

    A fixed order of the pixels, the same for all pictures, is no bug for layers that see them as a
    row: the mean digits can still be told apart.
    """
    some, n = _some(subject), len(subject.images)
    if some is None or neighbours(some) > UNLIKE or subject.once(nearest_mean) > 0.6:
        return
    images = subject.images
    ways = {
        "images.reshape(784, -1).T": images.T.reshape(n, -1),
        "images.T.reshape(-1, 784)": images.reshape(SIDE, SIDE, n).T.reshape(n, -1),
        "images.transpose(1, 2, 0).reshape(-1, 784)": images.reshape(-1, n).T,
    }
    before = neighbours(some)
    for way, undone in ways.items():
        after = neighbours(undone[:MOST].astype(np.float64))
        if after > ALIKE:
            returned = f"neighbouring pixels correlate by {before:.2f}"
            expected = f"{after:.2f}, which they have when {way} is undone"
            yield finding("data.scrambled", f"{n} images", returned, expected)
            return
    if before < 0.3 and subject.once(nearest_mean) < 0.5:
        returned = f"neighbouring pixels correlate by {before:.2f}"
        yield finding("data.scrambled", f"{n} images", returned, "about 0.8, as in any picture")


@probe(unless="data.bytes_wrap idx.signed")
def signed_inside(subject: Subject) -> Said:
    """Look at what becomes of bytes inside of the network: bright ones must not be negative."""
    x = subject.x[[int(np.abs(subject.x).sum(axis=1).argmax())]].astype(np.float64)
    digits = subject.digits
    if digits.min() < 0 or digits.max() >= subject.classes:
        return  # a twin is made with labels, and bad ones have a finding of their own
    if not subject.provides("twin"):
        return
    if x.max() <= 128 or x.min() < 0 or subject.gain is None:
        return
    dark, bright = (
        list(np.flatnonzero(kind[0])[:5]) for kind in ((x > 20) & (x < 120), (x >= 130) & (x < 250))
    )
    seen = [np.array([subject.taken_for(x, k) for k in pixels]) for pixels in (dark, bright)]
    if min(map(len, seen)) < 2 or not (seen[0] > 0).all() or not (seen[1] < 0).all():
        return
    scale = float(np.median(seen[0] / x[0, dark]))
    if np.allclose(seen[1], scale * (x[0, bright] - 256), rtol=0.02):
        given = f"pixels of {x[0, bright[0]]:.0f} and {x[0, dark[0]]:.0f}"
        returned = f"{seen[1][0]:.3g} and {seen[0][0]:.3g}, where weights multiply them"
        yield finding("idx.signed", given, returned, "the brighter one larger", "network_inside")


PROBES = (two_values, extremes, wrapped, scrambled, signed_inside)
