"""The slider of a chapter's pictures, in a page without a kernel: by keyboard, eye and ear."""

import matplotlib.pyplot as plt

from mnist_book.notebook import Explorer


def test_the_arrow_keys_change_the_picture_and_what_is_said(chromium):
    values = ("none", 0.5, "a < b")

    def draw(value):
        figure, ax = plt.subplots(figsize=(1, 1))
        ax.set_title(value)
        return figure

    explorer = Explorer(draw, values, "strength:", lambda value: f"Strength {value}.", start=1)
    page = chromium.new_page()
    page.set_content(explorer._repr_mimebundle_()["text/html"])
    slider = page.get_by_label("strength:")

    def found():
        pictures = page.locator("img:visible")
        assert pictures.count() == 1
        said, shown = slider.get_attribute("aria-valuetext"), page.locator("output").inner_text()
        return said, shown, pictures.get_attribute("alt")

    assert found() == ("0.5", "0.5", "Strength 0.5.")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert found() == ("a < b", "a < b", "Strength a < b.")
    page.keyboard.press("Home")
    assert found() == ("none", "none", "Strength none.")
    page.close()
