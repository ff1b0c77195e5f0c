"""Drawing: from the strokes of a pen to a digit, in a notebook and in a page."""
