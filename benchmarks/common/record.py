"""Records of benchmarks: what was measured, and by which code, on which machine."""

import json
import platform
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1]
RECORDS = BENCHMARKS / "records"


def origin(*packages: str) -> dict:
    """Say where a record comes from. Ask before measuring: the code may change meanwhile.

    Parameters
    ----------
    packages : whose versions matter, besides NumPy's
    """
    program, *arguments = sys.argv
    return {
        "command": shlex.join(["python", f"benchmarks/{Path(program).name}", *arguments]),
        "commit": _output("git", "describe", "--always", "--dirty"),
        "machine": platform.machine(),
        "processor": processor(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", *packages)},
    }


def processor() -> str:
    """Name the processor as its maker does, where the system says."""
    if platform.system() == "Linux":
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
        return names[0] if names else platform.machine()
    if platform.system() == "Darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string")
    return platform.processor()


def _output(*command: str) -> str:
    """Run a command in this repository; return what it prints."""
    run = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, encoding="utf-8", check=True)
    return run.stdout.strip()


def read(name: str) -> dict:
    """Read the record benchmarks/records/name.json."""
    return json.loads((RECORDS / f"{name}.json").read_text("utf-8"))


def write(name: str, record: dict) -> None:
    """Write a record to benchmarks/records/name.json; a list of numbers takes one line."""
    RECORDS.mkdir(exist_ok=True)
    text = re.sub(
        r"\[[\d\s,.eE+-]*\]", lambda m: " ".join(m[0].split()), json.dumps(record, indent=1)
    )
    (RECORDS / f"{name}.json").write_text(text + "\n", "utf-8")
