"""The laboratory: a network that trains in the page, the book's bugs, and what finds them."""
