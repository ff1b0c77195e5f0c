"""Pictures stood upright, their sizes made more alike."""

import numpy as np
import pytest

from mnist_book.accuracy.straighten import MOST, USUAL_HEIGHT, USUAL_WIDTH, straighten
from mnist_book.dataset import load_digits


def drawn(slant, width, height, x=0.0, y=0.0):
    """Draw an ellipse (28, 28), filled: its standard deviations are width / 2 and height / 2."""
    row, column = np.mgrid[0:28, 0:28] - 13.5
    down = row - y
    across = column - x - slant * down
    inside = (across / width) ** 2 + (down / height) ** 2
    return np.rint(255 * np.clip(4 - 4 * inside, 0, 1)).astype(np.uint8)


def shape_of(image):
    """Measure the middle (x, y), the slant, and the standard deviations of the ink."""
    row, column = np.mgrid[0:28, 0:28] - 13.5
    x, y = np.average([column, row], axis=(1, 2), weights=np.stack([image] * 2))
    (xx, xy), (_, yy) = np.cov(column.ravel(), row.ravel(), ddof=0, aweights=image.ravel())
    return x, y, xy / yy, np.sqrt(xx - xy**2 / yy), np.sqrt(yy)


@pytest.mark.parametrize("slant", [-0.6, -0.2, 0.3, 0.5])
@pytest.mark.parametrize("size", [(5, 9), (8, 9), (7, 12)])
def test_a_slanted_picture_stands_upright_in_the_middle_and_keeps_its_size(slant, size):
    image = drawn(slant, *size, x=1.3, y=-0.7)
    before, after = shape_of(image), shape_of(straighten(image[np.newaxis], evenness=0)[0])
    assert before[2] == pytest.approx(slant, abs=0.02)
    assert np.abs(after[:3]).max() < 0.1
    assert np.abs(after[2]) < 0.02
    np.testing.assert_allclose(after[3:], before[3:], rtol=0.03)


@pytest.mark.parametrize("evenness", [0.5, 1.0])
def test_sizes_come_as_near_to_the_usual_ones_as_asked(evenness):
    slants, sizes = (0, 0.3, -0.3), ((5, 9), (9, 9), (7, 12))
    images = [drawn(slant, *size) for slant, size in zip(slants, sizes, strict=True)]
    usual = np.array([USUAL_WIDTH, USUAL_HEIGHT])
    for before, after in zip(images, straighten(np.stack(images), evenness), strict=True):
        assert abs(shape_of(after)[2]) < 0.02
        was, found = np.array(shape_of(before)[3:]), np.array(shape_of(after)[3:])
        np.testing.assert_allclose(found, usual * (was / usual) ** (1 - evenness), rtol=0.04)


@pytest.mark.parametrize(("side", "size"), [("width", (3, 9)), ("height", (7, 3))])
def test_nothing_is_stretched_out_of_all_proportion(side, size):
    thin = drawn(0, *size)
    before, after = shape_of(thin), shape_of(straighten(thin[np.newaxis], evenness=1)[0])
    place = ("width", "height").index(side) + 3
    assert after[place] / before[place] == pytest.approx(MOST, rel=0.08)


def test_a_picture_depends_on_no_other_and_what_has_no_shape_makes_no_fuss():
    images = np.zeros((600, 28, 28), np.uint8)
    images[1, 14, 3:25] = 255  # level: no height, no slant
    images[2, 3:25, 14] = 255
    images[3, 20, 5] = 1
    images[4] = 255
    images[499] = images[501] = drawn(0.3, 6, 10)
    together = straighten(images)
    for row in (0, 1, 2, 3, 4, 499, 501):
        np.testing.assert_array_equal(straighten(images[[row]])[0], together[row])
    assert not together[0].any()
    assert together[[1, 2, 3, 4, 499, 501]].any(axis=(1, 2)).all()


def test_the_usual_sizes_are_those_of_digits():
    images = load_digits().train_images[:2000]
    shapes = np.array([shape_of(image) for image in images])
    width, height = np.median(shapes[:, 3:], axis=0)
    assert width == pytest.approx(USUAL_WIDTH, rel=0.15)
    assert height == pytest.approx(USUAL_HEIGHT, rel=0.1)


def test_other_pictures_are_refused_by_name():
    for wrong in (np.zeros((3, 28, 28)), np.zeros((3, 784), np.uint8)):
        with pytest.raises(ValueError, match="images: found"):
            straighten(wrong)
