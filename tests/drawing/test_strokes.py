"""Drawing: chapter 10."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mnist_book.drawing.strokes import (
    centre_ink,
    corners,
    curved,
    fit_to_box,
    on_curve,
    rasterize,
    stroke_segments,
    strokes_to_image,
    without_specks,
)

pytestmark = pytest.mark.filterwarnings("error")
quietly = settings(deadline=None, database=None, derandomize=True, max_examples=60)

SEVEN = [[[2.0, 1.0], [9.0, 1.5], [4.0, 14.0]], [[3.0, 7.0], [8.0, 6.0]]]
TRIANGLE = [[[0.0, 0.0], [10.0, 2.0], [3.0, 12.0], [0.0, 0.0]]]
WIDE = [[[0.0, 0.0], [30.0, 1.0], [20.0, 6.0]]]
SHAPES = {"seven": SEVEN, "triangle": TRIANGLE, "wide": WIDE}
each_shape = pytest.mark.parametrize("strokes", SHAPES.values(), ids=SHAPES.keys())


def moved(strokes, scale=1.0, by=(0.0, 0.0)):
    return [np.array(stroke) * scale + np.array(by) for stroke in strokes]


def ink_box(image):
    """Left, top, right and bottom of what is at least half ink."""
    rows, columns = np.nonzero(image >= 0.5)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def ink_centre(image):
    y, x = np.mgrid[0:28, 0:28] + 0.5
    return (image * x).sum() / image.sum(), (image * y).sum() / image.sum()


# --------------------------------------------------------------------------------- the picture


@each_shape
def test_a_picture_has_28_by_28_grey_levels_from_0_to_1(strokes):
    image = strokes_to_image(strokes)
    assert image.shape == (28, 28)
    assert image.dtype.kind == "f"
    assert image.min() == 0
    assert image.max() == 1
    assert ((image > 0) & (image < 1)).any()  # soft edges
    assert 0.03 < image.mean() < 0.3


@pytest.mark.parametrize(
    "strokes", [[], [[]], [[], []], [np.empty((0, 2))]], ids=["none", "empty", "two", "array"]
)
def test_no_ink_gives_a_blank_picture(strokes):
    image = strokes_to_image(strokes)
    assert image.shape == (28, 28)
    assert not image.any()


def test_an_empty_stroke_among_others_does_not_matter():
    np.testing.assert_array_equal(
        strokes_to_image([[], *SEVEN, np.empty((0, 2))]), strokes_to_image(SEVEN)
    )


@each_shape
@pytest.mark.parametrize("by", [(100.0, 0.0), (0.0, -100.0), (-3.7, 1e4)])
def test_where_it_was_drawn_does_not_matter(strokes, by):
    found = strokes_to_image(moved(strokes, by=by))
    np.testing.assert_allclose(found, strokes_to_image(strokes), atol=1e-9)


@each_shape
@pytest.mark.parametrize("scale", [1e-3, 0.1, 3.0, 1e6])
def test_how_large_it_was_drawn_does_not_matter(strokes, scale):
    found = strokes_to_image(moved(strokes, scale=scale))
    np.testing.assert_allclose(found, strokes_to_image(strokes), atol=1e-9)


@each_shape
def test_the_direction_and_order_of_strokes_do_not_matter(strokes):
    backwards = [stroke[::-1] for stroke in strokes][::-1]
    np.testing.assert_allclose(strokes_to_image(backwards), strokes_to_image(strokes), atol=1e-9)


@each_shape
def test_more_points_on_the_same_line_do_not_matter(strokes):
    finer = []
    for stroke in strokes:
        points = np.array(stroke)
        middles = (points[:-1] + points[1:]) / 2
        finer.append(np.insert(points, np.arange(1, len(points)), middles, axis=0))
    np.testing.assert_allclose(strokes_to_image(finer), strokes_to_image(strokes), atol=1e-7)


def test_whole_numbers_lists_and_arrays_are_the_same():
    as_lists = [[[0, 0], [3, 4]], [[1, 5]]]
    as_arrays = [np.array([[0, 0], [3, 4]], np.int16), np.array([[1, 5]], np.float32)]
    np.testing.assert_array_equal(strokes_to_image(as_lists), strokes_to_image(as_arrays))


def test_the_callers_strokes_are_not_changed():
    strokes = [np.array(stroke) for stroke in SEVEN]
    strokes_to_image(strokes)
    for stroke, original in zip(strokes, SEVEN, strict=True):
        np.testing.assert_array_equal(stroke, original)


L = [[[0.0, 0.0], [0.0, 12.0], [7.0, 12.0]]]
ARC = [[[8.0 * math.cos(a / 9), 8.0 * math.sin(a / 9)] for a in range(32)]]


@pytest.mark.parametrize(
    ("strokes", "tolerance"), [(L, 0.3), (ARC, 0.5), (TRIANGLE, 0.3), (SEVEN, 0.7), (WIDE, 0.7)]
)
@pytest.mark.parametrize("centre", [12.0, 14.0, 14.25, 15.5])
def test_the_inks_centre_of_mass_is_at_the_centre(strokes, tolerance, centre):
    # Where strokes meet at a sharp angle, they share ink, which moves it.
    x, y = ink_centre(strokes_to_image(strokes, centre=centre, box=15.0))
    assert x == pytest.approx(centre, abs=tolerance)
    assert y == pytest.approx(centre, abs=tolerance)


@pytest.mark.parametrize("centre", [12.0, 14.0, 14.25])
def test_the_centre_of_mass_of_a_straight_line_is_exactly_at_the_centre(centre):
    x, y = ink_centre(strokes_to_image([[[0, 0], [10, 3]]], centre=centre))
    assert (x, y) == (pytest.approx(centre, abs=0.02), pytest.approx(centre, abs=0.02))


def test_the_default_centre_is_a_quarter_pixel_off_the_middle():
    np.testing.assert_array_equal(
        strokes_to_image(SEVEN), strokes_to_image(SEVEN, pen=2.5, box=19.0, centre=14.25)
    )


def test_a_long_stroke_weighs_more_than_a_short_one_with_many_points():
    short = np.stack([np.full(50, 11.0), np.linspace(0, 1, 50)], axis=1)
    starts, _ = centre_ink(*stroke_segments([[[0, 0], [0, 10]], short]), 14.0)
    # Lengths 10 at x = 0 and 1 at x = 11: the centre of mass is at x = 1.
    assert starts[0, 0] == pytest.approx(14 - 1, abs=1e-6)


@each_shape
@pytest.mark.parametrize("box", [12.0, 16.0, 19.0])
@pytest.mark.parametrize("pen", [1.5, 2.5, 4.0])
def test_the_ink_fits_the_box(strokes, box, pen):
    left, top, right, bottom = ink_box(strokes_to_image(strokes, box=box, pen=pen))
    assert max(right - left, bottom - top) == pytest.approx(box, abs=1.01)


def test_proportions_are_kept():
    image = strokes_to_image([[[0, 0], [20, 0], [20, 10], [0, 10], [0, 0]]], pen=1.0, box=21.0)
    left, top, right, bottom = ink_box(image)
    assert right - left == pytest.approx(21, abs=1)
    assert bottom - top == pytest.approx(11, abs=1)


def test_a_horizontal_stroke_gives_a_wide_picture():
    left, top, right, bottom = ink_box(strokes_to_image([[[0, 5], [10, 5]]]))
    assert right - left == pytest.approx(19, abs=1)
    assert bottom - top == pytest.approx(2.5, abs=1)


def test_a_vertical_stroke_gives_a_tall_picture():
    left, top, right, bottom = ink_box(strokes_to_image([[[5, 0], [5, 10]]]))
    assert right - left == pytest.approx(2.5, abs=1)
    assert bottom - top == pytest.approx(19, abs=1)


def test_y_goes_down():
    # A T: the bar is at the top, where y is small.
    image = strokes_to_image([[[0, 0], [10, 0]], [[5, 0], [5, 12]]])
    _, top, _, bottom = ink_box(image)
    assert image[top + 1].sum() > 3 * image[bottom - 2].sum()


def test_x_goes_to_the_right():
    # An E without its middle, [: the bar is on the left, where x is small.
    image = strokes_to_image([[[8, 0], [0, 0], [0, 12], [8, 12]]])
    left, _, right, _ = ink_box(image)
    assert image[:, left + 1].sum() > 2 * image[:, right - 2].sum()


@pytest.mark.parametrize("dot", [[[3.0, 4.0]], [[3.0, 4.0], [3.0, 4.0]]], ids=["point", "twice"])
def test_a_dot_is_a_disc_in_the_centre(dot):
    image = strokes_to_image([dot], centre=14.0, pen=4.0)
    assert ink_centre(image) == (pytest.approx(14), pytest.approx(14))
    assert image.sum() == pytest.approx(math.pi * 2**2, rel=0.05)
    np.testing.assert_allclose(image, image.T, atol=1e-12)


def test_a_short_stroke_beside_a_long_one_is_drawn_but_weighs_little():
    line = [[0.0, 0.0], [0.0, 10.0]]
    image = strokes_to_image([line, [[6.0, 5.0], [6.0, 5.7]]], centre=14.0)
    assert image[:, :18].sum() > 20
    assert image[:, 18:].sum() > 3
    assert image[14, 12:16].max() == 1


@each_shape
def test_a_wider_pen_gives_more_ink(strokes):
    ink = [strokes_to_image(strokes, pen=pen).sum() for pen in (1, 1.5, 2, 2.5, 3, 4, 5)]
    assert all(thin < thick for thin, thick in pairwise(ink))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_points_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match=r"^strokes\[1\]: .*finite"):
        strokes_to_image([[[0.0, 0.0]], [[0.0, 1.0], [bad, 2.0]]])


@pytest.mark.parametrize(
    "stroke", [[1.0, 2.0], [[1.0], [2.0]], [[1.0, 2.0, 3.0]], [[[1.0, 2.0]]], 5.0]
)
def test_strokes_of_another_shape_are_refused(stroke):
    with pytest.raises(ValueError, match=r"^strokes\[0\]: found the shape"):
        strokes_to_image([stroke])


points = st.tuples(st.integers(-50, 50), st.integers(-50, 50))


@quietly
@given(st.lists(st.lists(points, min_size=1, max_size=6), min_size=1, max_size=3))
def test_every_drawing_gives_a_whole_picture(strokes):
    image = strokes_to_image(strokes)
    assert image.shape == (28, 28)
    assert np.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() > 0.9


@quietly
@given(st.lists(points, min_size=2, max_size=6))
def test_a_mirrored_drawing_gives_a_mirrored_picture(stroke):
    stroke = np.array(stroke, float)
    assume(np.ptp(stroke, axis=0).max() > 0)
    image = strokes_to_image([stroke], centre=14.0)
    mirrored = strokes_to_image([stroke * [-1, 1]], centre=14.0)
    np.testing.assert_allclose(mirrored, image[:, ::-1], atol=1e-6)
    swapped = strokes_to_image([stroke[:, ::-1]], centre=14.0)
    np.testing.assert_allclose(swapped, image.T, atol=1e-6)


# --------------------------------------------------------------------------------- its stages


def test_stroke_segments_by_hand():
    starts, ends = stroke_segments([[[0, 1], [2, 3], [4, 4]], [], [[9, 8]]])
    assert starts.tolist() == [[0, 1], [2, 3], [9, 8]]
    assert ends.tolist() == [[2, 3], [4, 4], [9, 8]]


def test_strokes_are_not_joined():
    gap = strokes_to_image([[[0, 0], [0, 10]], [[10, 0], [10, 10]]])
    assert gap[:, 13:15].sum() == 0


def test_few_points_of_a_circle_make_a_rounder_one():
    angles = np.linspace(0, 2 * np.pi, 9)  # 45 degrees apart
    octagon = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    (circle,) = curved([octagon], gap=0.15)
    assert len(circle) > 40
    inner = circle[5:-5]  # at its ends, a curve goes straight on
    assert np.hypot(*((octagon[:-1] + octagon[1:]) / 2).T).min() < 0.93
    assert np.hypot(*inner.T).min() > 0.97
    assert np.hypot(*inner.T).max() < 1.01


def test_a_curve_passes_every_point_at_its_time():
    points = np.random.default_rng(0).normal(0, 9, (7, 2))
    np.testing.assert_allclose(on_curve(points, np.arange(7)), points, atol=1e-7)


def test_a_curve_by_hand():
    # Equally far apart, in time too: in the middle the speed is the mean of those on both sides.
    points = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [2.0, 1.0]])
    leaving = arriving = np.array([0.5, 0.5])
    middle = (points[1] + points[2]) / 2 + (leaving - arriving) / 8
    np.testing.assert_allclose(on_curve(points, np.array([1.5])), [middle], atol=1e-7)
    quarter = points[1] + leaving * (9 / 64 - 3 / 64) + (points[2] - points[1]) * 10 / 64
    np.testing.assert_allclose(on_curve(points, np.array([1.25])), [quarter], atol=1e-7)


def test_a_curve_is_smooth_and_makes_no_loop_where_points_are_unevenly_far_apart():
    points = np.array([[0, 0], [10, 0], [10.5, 0.5], [10.5, 12]])
    steps = np.diff(on_curve(points, np.linspace(0, 3, 3001)), axis=0)
    turns = np.angle((steps[1:, 0] + 1j * steps[1:, 1]) / (steps[:-1, 0] + 1j * steps[:-1, 1]))
    assert np.abs(turns).max() < 0.05
    assert np.abs(turns).sum() < np.pi  # 90 degrees, and a little to and fro


def turning(angle, ratio):
    """A path of two steps: right by 10, then turned by an angle in degrees, and so much longer."""
    radians = math.radians(angle)
    then = [10 + 10 * ratio * math.cos(radians), 10 * ratio * math.sin(radians)]
    return np.array([[0.0, 0.0], [10.0, 0.0], then])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("angle", "ratio", "corner"),
    [
        (61, 2.05, True),
        (59, 2.05, False),
        (61, 1.95, False),
        (61, 0.48, True),
        (61, 0.52, False),
        (90, 3, True),
        (170, 0.1, True),
        (180, 5, True),
        (0, 5, False),
        (120, 1, False),
    ],
)
def test_a_corner_is_a_sharp_turn_between_steps_of_different_lengths(angle, ratio, corner, sign):
    path = turning(sign * angle, ratio)
    assert corners(np.diff(path, axis=0)).tolist() == [corner]
    assert corners(np.diff(path[::-1], axis=0)).tolist() == [corner]
    # Joined by straight lines there, all points are on one of the two.
    (finer,) = curved([path], gap=0.01)
    starts, ends = path[:-1], path[1:]
    off = [
        min(distance_to_segment(x, y, *line) for line in zip(starts, ends, strict=True))
        for x, y in finer
    ]
    assert len(finer) == 13
    assert (max(off) < 1e-9) == (corner or angle == 0)


def test_a_curve_is_the_same_backwards():
    points = np.random.default_rng(1).normal(0, 9, (30, 2)).cumsum(axis=0)
    assert 0 < corners(np.diff(points, axis=0)).sum() < 28
    (forwards,), (backwards,) = curved([points], gap=0.01), curved([points[::-1]], gap=0.01)
    np.testing.assert_allclose(backwards[::-1], forwards, atol=1e-9)


def test_only_where_points_are_far_apart_there_are_curves():
    stroke = np.array([[0, 0], [4, 0], [8, 1], [100, 60], [90, 100]])
    (finer,) = curved([stroke], gap=0.15)
    np.testing.assert_array_equal(finer[:3], stroke[:3])
    assert len(finer) == 3 + 6 + 6
    near = np.linspace([0, 0], [50, 100], 12)
    np.testing.assert_array_equal(curved([near], gap=0.15)[0], near)
    np.testing.assert_allclose(
        strokes_to_image([near], gap=0.15), strokes_to_image([near]), atol=1e-12
    )


@each_shape
def test_two_points_stay_a_line_and_dots_stay_dots(strokes):
    lines = [np.array(stroke)[:2] for stroke in strokes] + [np.array([[1.0, 2.0], [1.0, 2.0]])]
    np.testing.assert_allclose(
        strokes_to_image(lines, gap=0.01), strokes_to_image(lines), atol=1e-9
    )


@pytest.mark.parametrize("gap", [0, -1, math.nan, math.inf])
def test_a_gap_that_makes_no_sense_is_named(gap):
    with pytest.raises(ValueError, match=r"^gap: found"):
        strokes_to_image(SEVEN, gap=gap)


def test_fit_to_box_by_hand():
    starts, ends = fit_to_box(np.array([[10.0, 20.0]]), np.array([[14.0, 28.0]]), 16.0)
    np.testing.assert_allclose(starts, [[0, 0]], atol=1e-12)
    np.testing.assert_allclose(ends, [[8, 16]])


def test_centre_ink_by_hand():
    # Lengths 4 and 2: the centre of mass is (4 * (2, 0) + 2 * (0, 1)) / 6.
    starts, ends = np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([[4.0, 0.0], [0.0, 2.0]])
    shift = np.array([14 - 4 / 3, 14 - 1 / 3])
    new_starts, new_ends = centre_ink(starts, ends, 14.0)
    np.testing.assert_allclose(new_starts, starts + shift, rtol=1e-8)
    np.testing.assert_allclose(new_ends, ends + shift, rtol=1e-8)


def test_segments_shorter_than_a_pixel_are_drawn_whole():
    starts, ends = np.array([[14.5, 14.5]]), np.array([[15.1, 14.5]])
    image = rasterize(starts, ends, 1.0)
    assert image[14, 14] == 1
    assert image[14, 15] == pytest.approx(1 - 0.4)
    assert image[14, 13] == pytest.approx(0)
    several = rasterize(
        np.linspace([5, 8], [19.5, 20], 30)[:-1], np.linspace([5, 8], [19.5, 20], 30)[1:], 2.0
    )
    whole = rasterize(np.array([[5.0, 8.0]]), np.array([[19.5, 20.0]]), 2.0)
    np.testing.assert_allclose(several, whole, atol=1e-12)


def distance_to_segment(x, y, start, end):
    """Of a point to a segment, by cases, as in a geometry lesson."""
    (ax, ay), (bx, by) = start, end
    length = math.dist(start, end)
    if length == 0:
        return math.dist((x, y), start)
    ahead = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length
    if ahead <= 0:
        return math.dist((x, y), start)
    if ahead >= length:
        return math.dist((x, y), end)
    return abs((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / length


@pytest.mark.parametrize("pen", [0.5, 1.0, 2.5, 6.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_rasterize_equals_a_loop_over_pixels(pen, seed):
    rng = np.random.default_rng(seed)
    starts, ends = rng.uniform(-2, 30, (6, 2)), rng.uniform(-2, 30, (6, 2))
    ends[0] = starts[0]  # a dot
    ends[1, 0] = starts[1, 0]  # vertical
    ends[2, 1] = starts[2, 1]  # horizontal
    expected = np.empty((28, 28))
    for row in range(28):
        for column in range(28):
            distance = min(
                distance_to_segment(column + 0.5, row + 0.5, start, end)
                for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
            )
            expected[row, column] = min(max(pen / 2 - distance + 0.5, 0), 1)
    np.testing.assert_allclose(rasterize(starts, ends, pen), expected, atol=1e-12)
    assert 0 < expected.mean() < 0.9


def test_a_speck_beside_a_digit_changes_nothing():
    seven = np.array([[0, 0], [60, 0], [25, 100]])
    for speck in (np.array([[300, 40]]), np.array([[200, 200], [203, 204], [205, 199]])):
        with_speck = strokes_to_image([speck, seven])
        np.testing.assert_array_equal(with_speck, strokes_to_image([seven]))


def test_a_stroke_that_is_small_but_no_speck_stays():
    line, bar = np.array([[0, 0], [0, 100]]), np.array([[40, 50], [46, 50]])
    assert [len(stroke) for stroke in without_specks([line, bar])] == [2, 2]
    assert len(without_specks([line, bar * [0.99, 1]])) == 1
    assert len(without_specks([line, bar], share=0.5)) == 1


def test_dots_alone_are_no_specks():
    dots = [np.array([[5, 5]]), np.array([[9, 30]])]
    assert len(without_specks(dots)) == 2
    assert without_specks([]) == []
