"""The schematic pictures: well-formed, described in words, the same each time, nothing cut off."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from mnist_book.diagrams import forward_and_backward, network, product
from mnist_book.diagrams.layers import PARTS
from mnist_book.diagrams.svg import WIDTH

SVG = "{http://www.w3.org/2000/svg}"
LEFT = [[1, 2, 0], [0.5, -1, 3]]
RIGHT = [[2, -1], [0.5, 4], [1, -3]]
DRAWN = {
    "network": lambda: network(),
    "all of it": lambda: network(PARTS),
    "one layer": lambda: network(["layer", "weights", "backward", "training"], (784, 10)),
    "large sizes": lambda: network("weights", (784, 512, 10)),
    **{part: lambda part=part: network(today=part) for part in PARTS},
    "product": lambda: product(LEFT, RIGHT, 1, 1),
    "long sum": lambda: product(np.arange(10).reshape(2, 5) / -4, np.ones((5, 2)), 1, 0),
    "forward and backward": forward_and_backward,
}


@pytest.fixture(params=DRAWN)
def draw(request):
    return DRAWN[request.param]


@pytest.fixture
def svg(draw):
    return ET.fromstring(draw()._repr_html_())


def width_of(text, size):
    """Estimate a text's width by letters as wide as those of DejaVu, which are wide ones."""
    letter = 0.605 if "monospace" in text.get("font-family", "") else 0.53
    return letter * size * len(text.text)


def test_says_in_words_what_it_shows(svg, draw):
    assert svg.get("role") == "img"
    title, description = svg[0], svg[1]
    assert (title.tag, description.tag) == (SVG + "title", SVG + "desc")
    assert len(title.text) > 10
    assert len(description.text) > 40
    assert repr(draw()) == f"{title.text}. {description.text}"


def test_is_the_same_each_time(draw):
    """Tests of the notebooks compare it with what is stored."""
    assert draw()._repr_mimebundle_() == draw()._repr_mimebundle_()


def test_its_letters_are_readable_on_a_phone_and_none_is_cut_off(svg):
    _, _, width, height = map(float, svg.get("viewBox").split())
    assert width == WIDTH
    size = float(svg.get("font-size"))
    assert size * 340 / width > 10.5
    texts = svg.findall(SVG + "text")
    assert len(texts) > 5
    for text in texts:
        assert text.get("text-anchor") == "middle"
        middle, half = float(text.get("x")), width_of(text, size) / 2
        assert middle - half >= -1, text.text
        assert middle + half <= width + 1, text.text
        assert size <= float(text.get("y")) <= height - 3, text.text


def test_no_two_texts_overlap(svg):
    size = float(svg.get("font-size"))
    boxes = []
    for text in svg.findall(SVG + "text"):
        middle, half = float(text.get("x")), width_of(text, size) / 2
        boxes.append((middle - half, middle + half, float(text.get("y")), text.text))
    for number, (left, right, y, content) in enumerate(boxes):
        for left_2, right_2, y_2, content_2 in boxes[:number]:
            apart = right < left_2 or right_2 < left or abs(y - y_2) >= size
            assert apart, (content, content_2)


def test_brings_no_colour_that_vanishes_on_light_or_dark_paper(svg):
    colours = {element.get(kind) for element in svg.iter() for kind in ("fill", "stroke")}
    assert colours <= {None, "none", "currentColor", "#0a7cc4"}


@pytest.mark.parametrize("part", PARTS)
def test_the_part_of_today_is_seen_in_grey(part):
    """Bolder letters or thicker lines, not the colour alone."""

    def weights(diagram):
        svg = ET.fromstring(diagram._repr_html_())
        bold = {text.text for text in svg.findall(SVG + "text") if text.get("font-weight")}
        thick = sum(float(element.get("stroke-width") or 0) >= 2 for element in svg)
        return len(bold), thick

    (bold, thick), (bold_before, thick_before) = weights(network(part)), weights(network())
    assert bold > bold_before
    assert thick > thick_before


def test_an_unknown_part_is_an_error_that_names_the_known_ones():
    with pytest.raises(ValueError, match=r"found \['sofmax'\], expected pixels, layer, .*softmax"):
        network("sofmax")
    with pytest.raises(ValueError, match=r"found \['bend'\], expected pixels"):
        network("bend", (784, 10))
    with pytest.raises(ValueError, match=r"sizes: found \(784, 64, 64, 10\)"):
        network(sizes=(784, 64, 64, 10))


def test_a_product_shows_the_right_numbers():
    texts = [text.text for text in ET.fromstring(product(LEFT, RIGHT, 1, 1)._repr_html_())]
    assert "z[1, 1] = 0.5 · (−1) + (−1) · 4 + 3 · (−3) = −13.5" in texts
    assert "(2, 3) @ (3, 2) → (2, 2)" in texts
    assert [texts.count(number) for number in ("3", "7", "3.5", "−13.5")] == [2, 1, 1, 1]


def test_a_product_that_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match=r"found the shapes \(2, 3\) and \(2, 3\)"):
        product(LEFT, LEFT)
    with pytest.raises(ValueError, match="found 10 \\+ 10 columns"):
        product(np.eye(10), np.eye(10))
