"""Distortions of pictures."""

import numpy as np
import pytest

from mnist_book.accuracy.augment import FINE_SIDE, FINER, Distorter, Strength, draw_tables, upsample

NONE = Strength(0, 0, 0, 0, 0)


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (12, 28, 28)).astype(np.uint8)
    pictures[0] = 0
    pictures[1] = 255
    return pictures


def test_the_fine_picture_goes_through_the_pixels_and_is_even_between(images):
    fine = upsample(images)
    assert fine.shape == (12, FINE_SIDE, FINE_SIDE)
    np.testing.assert_array_equal(fine[:, FINER:-FINER:FINER, FINER:-FINER:FINER], images)
    left, right = images[5, 10, 10].astype(float), images[5, 10, 11].astype(float)
    between = fine[5, 11 * FINER, 11 * FINER : 12 * FINER + 1]
    expected = left + (right - left) * np.arange(FINER + 1) / FINER
    np.testing.assert_allclose(between, expected, atol=1)
    assert not fine[:, 0].any()  # the margin is paper
    assert not fine[:, :, -1].any()


def test_without_strength_nothing_changes(images):
    distorter = Distorter(images, np.random.default_rng(1), NONE, pool=5)
    rows = np.array([3, 0, 11, 3])
    np.testing.assert_array_equal(distorter.distort(rows), images[rows].reshape(4, 784))


def centre(image):
    grey = image.reshape(28, 28).astype(float)
    pixel = np.arange(28)
    return np.array([grey.sum(axis=0) @ pixel, grey.sum(axis=1) @ pixel]) / grey.sum()


def bar(rows, columns):
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, rows, columns] = 255
    return image


def each(image, strength, count=300, seed=0):
    distorter = Distorter(image, np.random.default_rng(seed), strength, pool=count)
    return np.array([distorter.fine[table] for table in distorter.tables]).reshape(-1, 28, 28)


def test_a_shift_goes_as_far_as_it_says_and_both_ways():
    pictures = each(bar(slice(12, 16), slice(12, 16)), NONE._replace(shift=3.0))
    moved = np.array([centre(picture) for picture in pictures]) - 13.5
    assert np.abs(moved).max() < 3.3
    assert (moved.max(axis=0) > 2.5).all()
    assert (moved.min(axis=0) < -2.5).all()
    assert abs(np.corrcoef(moved.T)[0, 1]) < 0.2  # x and y have nothing to do with each other


def slope_of(picture):
    y, x = np.nonzero(picture > 127)
    return np.polyfit(x - x.mean(), y - y.mean(), 1)[0]


def test_a_rotation_turns_by_degrees():
    pictures = each(bar(slice(13, 15), slice(4, 24)), NONE._replace(rotation=20.0))
    angles = np.degrees(np.arctan([slope_of(picture) for picture in pictures]))
    assert 17 < angles.max() < 21.5
    assert -21.5 < angles.min() < -17


def test_a_rotation_keeps_right_angles_and_sizes():
    cross = np.maximum(bar(slice(11, 17), slice(5, 23)), bar(slice(5, 23), slice(11, 17)))
    pictures = each(cross, NONE._replace(rotation=20.0))
    assert abs(pictures.sum(axis=(1, 2)) / cross.sum() - 1).max() < 0.06
    middle = np.mean([centre(picture) for picture in pictures], axis=0)
    np.testing.assert_allclose(middle, 13.5, atol=0.05)


def test_turned_and_slanted_a_picture_keeps_its_area():
    square = bar(slice(8, 20), slice(8, 20))
    ink = each(square, NONE._replace(rotation=25.0, shear=0.4)).sum(axis=(1, 2)) / square.sum()
    assert abs(ink - 1).max() < 0.05


def test_a_shear_slants_one_direction_and_keeps_the_other():
    upright = each(bar(slice(4, 24), slice(13, 15)), NONE._replace(shear=0.3))
    lean = [slope_of(picture.T) for picture in upright]
    assert 0.25 < max(lean) < 0.36
    assert -0.36 < min(lean) < -0.25
    flat = each(bar(slice(13, 15), slice(4, 24)), NONE._replace(shear=0.3))
    assert max(abs(slope_of(picture)) for picture in flat) < 0.03


def test_a_stretch_is_even_on_a_logarithmic_scale():
    pictures = each(bar(slice(9, 19), slice(9, 19)), NONE._replace(stretch=0.3))
    sides = (pictures[:, 14] > 127).sum(axis=1) / 10, (pictures[:, :, 14] > 127).sum(axis=1) / 10
    for side in sides:
        assert 1.2 < side.max() < 1.45
        assert 0.65 < side.min() < 0.85
    assert abs(np.corrcoef(*sides)[0, 1]) < 0.2


def test_the_rubber_is_pulled_as_far_as_it_says_and_smoothly():
    strength = NONE._replace(elastic=2.0)
    tables = draw_tables(np.random.default_rng(2), 1500, strength)
    row, column = np.divmod(tables.reshape(-1, 28, 28), FINE_SIDE)
    y, x = np.mgrid[0:28, 0:28]
    pulled = np.stack([row / FINER - 1 - y, column / FINER - 1 - x])[:, :, 8:20, 8:20]
    np.testing.assert_allclose(pulled.std(axis=1), 2, rtol=0.12)
    neighbours = np.diff(pulled, axis=3).std()
    assert 0.2 < neighbours < 1.2
    assert abs(np.corrcoef(pulled[0].ravel(), pulled[1].ravel())[0, 1]) < 0.1


def test_refresh_draws_the_oldest_anew_and_those_alone(images):
    distorter = Distorter(images, np.random.default_rng(3), Strength(), pool=10)
    before = distorter.tables.copy()
    distorter.refresh(4)
    changed = [not np.array_equal(a, b) for a, b in zip(before, distorter.tables, strict=True)]
    assert changed == [True] * 4 + [False] * 6
    distorter.refresh(8)
    changed = [not np.array_equal(a, b) for a, b in zip(before, distorter.tables, strict=True)]
    assert changed == [True] * 10
    assert distorter.oldest == 2


def test_each_row_gets_its_own_picture_and_a_table_of_its_own(images):
    distorter = Distorter(images, np.random.default_rng(4), Strength(), pool=64)
    out = np.empty((40, 784), np.uint8)
    assert distorter.distort(np.full(40, 7), out=out) is out
    assert len(np.unique(out, axis=0)) > 20
    assert not distorter.distort(np.zeros(9, int)).any()  # the empty picture stays empty


def test_the_same_seed_gives_the_same_pictures(images):
    first, second = (
        Distorter(images, np.random.default_rng(5)).distort(np.arange(12)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_other_images_are_refused(images):
    with pytest.raises(ValueError, match=r"images: found float64 \(12, 28, 28\), expected uint8"):
        Distorter(images / 255, np.random.default_rng(0))
