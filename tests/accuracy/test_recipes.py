"""Training by recipes."""

import numpy as np
import pytest

import mnist_book.accuracy.recipes
from mnist_book.accuracy.augment import Strength
from mnist_book.accuracy.recipes import (
    Recipe,
    learn,
    next_round,
    principal_components,
)
from mnist_book.dataset import load_practice_digits
from mnist_core import Network, cross_entropy, scale_pixels, softmax


@pytest.fixture(scope="module")
def practice():
    return load_practice_digits()


@pytest.fixture
def digits(practice):
    return practice.train_images[:96], practice.train_labels[:96]


# --- which images come ---------------------------------------------------------------------------


def test_a_round_takes_all_that_is_not_known_and_a_share_of_the_rest():
    missing = np.zeros(20_000, np.float32)
    missing[::4] = 0.02
    missing[1::4] = 0.01
    chosen = next_round(missing, 0.01, 0.2, np.random.default_rng(0))
    assert len(np.unique(chosen)) == len(chosen)
    of_kind = np.bincount(chosen % 4, minlength=4)
    np.testing.assert_array_equal(of_kind[:2], 5000)
    assert (abs(of_kind[2:] - 1000) < 4 * np.sqrt(5000 * 0.2 * 0.8)).all()
    assert abs(np.corrcoef(chosen, np.arange(len(chosen)))[0, 1]) < 0.05  # in random order


def test_a_whole_review_takes_everything():
    chosen = next_round(np.zeros(50), 0.0, 1.0, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(chosen), np.arange(50))


# --- principal components -----------------------------------------------------------------------


def test_principal_components_are_where_inputs_differ_most():
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    spread = np.array([0.1, 4, 0.5, 2, 1])
    x = (rng.normal(size=(4000, 5)) * spread) @ turn + 7
    mean, components = principal_components(x, 3)
    np.testing.assert_allclose(mean, x.mean(axis=0))
    np.testing.assert_allclose(components.T @ components, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(((x - mean) @ components).std(axis=0), [4, 2, 1], rtol=0.05)
    # The singular vectors of the centred inputs are the same, but for their signs.
    expected = np.linalg.svd(x - x.mean(axis=0))[2][:3].T
    np.testing.assert_allclose(abs((components * expected).sum(axis=0)), 1)


def test_all_components_lose_nothing():
    x = np.random.default_rng(1).normal(size=(50, 6))
    mean, components = principal_components(x, 6)
    np.testing.assert_allclose((x - mean) @ components @ components.T + mean, x)


@pytest.mark.parametrize("count", [0, 7])
def test_there_are_no_more_components_than_inputs(count):
    with pytest.raises(ValueError, match=f"count: found {count}, expected 1 to 6"):
        principal_components(np.zeros((50, 6)), count)


# --- the whole -----------------------------------------------------------------------------------


def test_a_round_that_fills_no_batch_is_refused(digits):
    images, labels = digits
    recipe = Recipe((4,), 2, batch=60, known=2.0, review=0.1)  # all is known, a tenth comes again
    with pytest.raises(ValueError, match=r"found \d+ images to learn from in a round, expected at"):
        learn(recipe, images, labels, rng=np.random.default_rng(0))


@pytest.mark.parametrize("components", [0, 30])
def test_a_step_does_what_the_recipe_says(digits, monkeypatch, components):
    """An independent training, written out, must give the same weights."""
    images, labels = digits
    recipe = Recipe(
        (12,),
        2,
        batch=32,
        slope=0.1,
        warm_up=0.5,
        label_smoothing=0.2,
        weight_decay=0.01,
        components=components,
    )
    mean, look = np.full(784, images.mean() / 255), np.eye(784)
    if components:
        look, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(784, components)))
        mean = np.linspace(0, 0.4, 784)

    def given(x, count):
        assert count == components
        assert x.shape[1] == 784
        assert abs(x.mean(axis=0) - (images / 255).mean(axis=0).ravel()).max() < 0.05
        return mean.astype(np.float32), look.astype(np.float32)

    monkeypatch.setattr(mnist_book.accuracy.recipes, "principal_components", given)
    monkeypatch.setattr(mnist_book.accuracy.recipes, "next_round", lambda m, *_: np.arange(len(m)))
    network = learn(recipe, images, labels, rng=np.random.default_rng(3))
    start = Network((components or 784, 12, 10), rng=np.random.default_rng(3), slope=0.1)
    w1, b1, w2, b2 = (array.astype(np.float64) for array in start.parameters)
    parameters = [w1, b1, w2, b2]
    velocity = [np.zeros_like(array) for array in parameters]
    for step in range(6):
        rate = 0.15 * [1 / 3, 2 / 3, 1, 1, 2 / 3, 1 / 3][step]
        rows = np.arange(32) + step % 3 * 32
        x = (images[rows].reshape(32, 784) / 255 - mean) @ look
        z = x @ w1 + b1
        a = np.where(z > 0, z, 0.1 * z)
        p = softmax(a @ w2 + b2)
        d = (p - 0.8 * np.eye(10)[labels[rows]] - 0.02) / 32
        d_z = (d @ w2.T) * np.where(z > 0, 1, 0.1)
        for k, gradient in enumerate([x.T @ d_z, d_z.sum(axis=0), a.T @ d, d.sum(axis=0)]):
            velocity[k] = 0.9 * velocity[k] - rate * (gradient + 0.01 * parameters[k])
            parameters[k] += velocity[k]
    expected = [look @ w1, b1 - mean @ look @ w1, w2, b2]
    assert network.slope == 0.1
    for found, array in zip(network.parameters, expected, strict=True):
        np.testing.assert_allclose(found, array, atol=2e-6)


def test_components_are_those_of_pictures_as_they_are_distorted(digits, monkeypatch):
    images, labels = digits
    samples = []

    def keep(x, count):
        samples.append(x)
        return principal_components(x, count)

    monkeypatch.setattr(mnist_book.accuracy.recipes, "principal_components", keep)
    for strength in (None, Strength(shift=6.0)):
        recipe = Recipe((4,), 1, batch=96, components=20, strength=strength)
        learn(recipe, images, labels, rng=np.random.default_rng(0))
    plain, distorted = (sample.mean(axis=0).reshape(28, 28) for sample in samples)
    np.testing.assert_allclose(plain, images.mean(axis=0) / 255, atol=0.03)
    assert 2 * plain[:2].max() < distorted[:2].max()  # shifted digits reach the rim


@pytest.mark.parametrize("components", [0, 50])
def test_the_trained_network_takes_plain_images(digits, components):
    images, labels = digits
    losses = []
    recipe = Recipe((12,), 1, batch=96, learning_rate=1e-9, components=components)
    network = learn(
        recipe,
        images,
        labels,
        rng=np.random.default_rng(0),
        on_batch=lambda step, loss: losses.append(loss),
    )
    after = cross_entropy(network.forward(scale_pixels(images)), labels)
    assert losses == [pytest.approx(after, rel=1e-5)]


def test_what_is_missing_is_what_the_network_does_not_give_the_digit(digits, monkeypatch):
    images, labels = digits
    seen = []

    def keep(missing, known, review, rng):
        seen.append((missing.copy(), known, review))
        return np.arange(len(missing))

    monkeypatch.setattr(mnist_book.accuracy.recipes, "next_round", keep)
    recipe = Recipe((12,), 2, batch=32, learning_rate=1e-9, known=0.3, review=0.4)
    network = learn(recipe, images, labels, rng=np.random.default_rng(0))
    p = network.predict_proba(scale_pixels(images))[np.arange(96), labels]
    np.testing.assert_array_equal(seen[0][0], 1)
    np.testing.assert_allclose(seen[1][0], 1 - p, atol=1e-5)
    assert [call[1:] for call in seen] == [(0.3, 0.4)] * 2


def test_distortions_fade_towards_the_end(digits, monkeypatch):
    images, labels = digits
    strengths = []

    class Distorter(mnist_book.accuracy.recipes.Distorter):
        def refresh(self, count):
            assert count == 3
            strengths.append(self.strength.shift)
            super().refresh(count)

    monkeypatch.setattr(mnist_book.accuracy.recipes, "Distorter", Distorter)
    recipe = Recipe(
        (4,), 10, batch=96, strength=Strength(shift=1.0), fresh=3, calm=0.5, calmest=0.2
    )
    learn(recipe, images, labels, rng=np.random.default_rng(0))
    np.testing.assert_allclose(strengths, [1, 1, 1, 1, 1, 1, 0.84, 0.68, 0.52, 0.36])


def test_the_same_seed_gives_the_same_network_and_another_one_another(digits):
    images, labels = digits
    recipe = Recipe((8,), 2, batch=32, strength=Strength(), known=0.5, review=0.5)
    first, again, other = (
        learn(recipe, images, labels, rng=np.random.default_rng(seed)).vector for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_recipe_learns(practice):
    recipe = Recipe((32,), 3, batch=32, strength=Strength(), calm=0.5, known=0.05, review=0.5)
    images, labels = practice.train_images, practice.train_labels
    network = learn(recipe, images, labels, rng=np.random.default_rng(0))
    found = network.predict(scale_pixels(practice.test_images))
    assert np.mean(found == practice.test_labels) > 0.85
