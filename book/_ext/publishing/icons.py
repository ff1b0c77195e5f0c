"""The few icons of the pages, drawn in place of the theme's font and script of 2,000 of them."""

# Paths of 24 by 24; Font Awesome's name is what the theme's templates ask for.
PATHS = {
    "angle-left": "M15 5l-7 7 7 7",
    "angle-right": "M9 5l7 7-7 7",
    "arrow-up": "M12 20V4m-7 7l7-7 7 7",
    "bars": "M3 6h18M3 12h18M3 18h18",
    "chevron-down": "M5 9l7 7 7-7",
    "circle-half-stroke": "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
    "download": "M12 3v12m-6-5l6 6 6-6M4 20h16",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4",
    "list": "M8 6h13M8 12h13M8 18h13M3 6h1M3 12h1M3 18h1",
    "magnifying-glass": "M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM14.5 14.5L21 21",
    "moon": "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
    "play": "M7 4l13 8-13 8z",
    "print": "M7 8V3h10v5M7 17H4V9h16v8h-3M7 14h10v7H7z",
    "sun": "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 1v3m0 16v3M1 12h3m16 0h3M4.2 4.2l2.1 2.1"
    "m11.4 11.4l2.1 2.1m0-15.6l-2.1 2.1M6.3 17.7l-2.1 2.1",
}
FILLED = {"circle-half-stroke": "M12 3a9 9 0 1 0 0 18z"}


def icon(name: str, classes: str = "") -> str:
    """Draw an icon in the colour of the text around it; it is decoration to a screen reader.

    Raises
    ------
    KeyError : there is no such icon; draw it in PATHS
    """
    filled = f'<path d="{FILLED[name]}" fill="currentColor"/>' if name in FILLED else ""
    return (
        f'<svg class="{f"icon {classes}".strip()}" viewBox="0 0 24 24" aria-hidden="true">'
        f'{filled}<path d="{PATHS[name]}"/></svg>'
    )
