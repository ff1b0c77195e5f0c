"""Arguments that several benchmarks take."""

import argparse
from collections.abc import Sequence


def parser(doc: str) -> argparse.ArgumentParser:
    """Make a parser whose --help shows a program's own documentation."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def add_seeds(parser: argparse.ArgumentParser, default: Sequence[int] | None, said: str) -> None:
    """Add --seeds: which ones; `said` tells the default in words."""
    parser.add_argument("--seeds", type=int, nargs="*", default=default, help=f"[{said}]")


def add_at_once(parser: argparse.ArgumentParser) -> None:
    """Add --at-once: how many networks are trained at the same time, each by a process."""
    parser.add_argument("--at-once", type=int, default=1, help="how many networks at a time [1]")
