"""Lays out what was seen: what was fed in, what came out, and what should have come out."""

LONGEST = 200  # characters of a text that somebody else wrote


def lay_out(**lines: str) -> str:
    """Lay out evidence, a line for each name: `lay_out(given="x (5, 3)", returned="None")`."""
    return "\n".join(
        f"{label.replace('_', ' ') + ':':<9} {text}" for label, text in lines.items() if text
    )


def cleaned(value: object, convert: type = repr, longest: int = LONGEST) -> str:
    """Make a line of text of whatever it is: printable, not too long, and never an error."""
    try:
        text = convert(value)
        shown = "".join(c if c.isprintable() else " " for c in text[: longest + 1])
    except Exception as error:  # its own __repr__ or __str__ is somebody else's code
        return f"a {type(value).__name__} that cannot be shown: {type(error).__name__}"
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."
