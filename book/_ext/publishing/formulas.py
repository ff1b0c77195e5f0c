"""Formulas as MathML, which browsers set by themselves: no script runs, and nothing jumps."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

# What the converter doesn't know, and what it does: spaces between lines are the style sheet's.
KNOWN = {
    r"\\\\\s*\[[^]]*\]": r"\\\\",
    r"\\(begin|end)\{(aligned|split)\}": r"\\\1{align*}",
}
# What the converter writes, and what browsers space as TeX does.
CORRECTIONS = {
    r"<mi>(log|ln|arctan)</mi>(?!<mo)": r'<mi>\1</mi><mspace width="0.167em"/>',
    r"<mo>(/|&#x0002F;)</mo>": '<mo lspace="0" rspace="0">/</mo>',
    r"<mo>(:|&#x0003A;)</mo>": '<mo lspace="0" rspace="0.28em">:</mo>',
    r"<mo>&#x02202;</mo>": "<mi>∂</mi>",
    r'<menclose notation="updiagonalstrike">(.*?)</menclose>': r'<mrow class="struck">\1</mrow>',
}


def to_mathml(latex: str, display: bool = False) -> str:
    """Convert a formula.

    Raises
    ------
    ValueError : the converter left a part of it as TeX
    """
    text = " ".join(latex.split())
    for pattern, replacement in KNOWN.items():
        text = re.sub(pattern, replacement, text)
    mathml = convert(text, display="block" if display else "inline")
    for pattern, correction in CORRECTIONS.items():
        mathml = re.sub(pattern, correction, mathml)
    left = re.search(r"\\[a-zA-Z]+|&(?!#)", mathml)
    if left:
        raise ValueError(f"formula {latex!r}: found {left[0]} in its MathML, expected none of it")
    return mathml


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a sentence."""
    translator.body.append(to_mathml(node.astext()))
    raise nodes.SkipNode


def visit_display(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula of its own, in a box in which a wide one scrolls."""
    translator.body.append(f'<div class="formula">{to_mathml(node.astext(), display=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Make this the way in which Sphinx writes mathematics."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
