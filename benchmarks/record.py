"""Records of benchmarks: what was measured, and by which code, on which machine."""

import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

RECORDS = Path(__file__).parent / "records"


def origin(command: str, *packages: str) -> dict:
    """Say where a record comes from. Ask before measuring: the code may change meanwhile.

    Parameters
    ----------
    command : what makes the record
    packages : whose versions matter, besides NumPy's
    """
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return {
        "command": command,
        "commit": commit,
        "machine": platform.machine(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", *packages)},
    }


def write(name: str, record: dict) -> None:
    """Write a record to benchmarks/records/name.json."""
    RECORDS.mkdir(exist_ok=True)
    (RECORDS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
