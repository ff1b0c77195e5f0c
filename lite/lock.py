"""Decide what the browser gets, to the byte, and write it down in `lock.json`.

    python lite/lock.py FOLDER

FOLDER has the `pyodide-lock.json` of Pyodide's distribution and its core files, as npm's package
`pyodide` has them: `npm pack pyodide@314.0.3`. This is done when a version changes, never by
`make lite`, which takes the files that are written down here and no others.

A package comes from Pyodide where it is compiled, from JupyterLite where it is part of its kernel,
and else from PyPI.
"""

import email
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

LOCK = Path(__file__).with_name("lock.json")
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
VERSION = "314.0.3"  # of Pyodide
FROM_PYODIDE = ("micropip", "numpy", "matplotlib")  # and what they need
FROM_PYPI = (
    "ipython==9.12.0",
    "ipywidgets==8.1.9",
    "anywidget==0.11.0",
    "threadpoolctl==3.6.0",
    "jedi==0.19.2",  # what ipython needs; later ones are 3 MB larger
)
KERNEL = ("piplite", "pyodide_kernel", "ipykernel", "widgetsnbextension")
# Needed by a package's metadata and by nothing that runs there: processes, terminals, downloads,
# and the side of the widgets that JupyterLite has itself.
LEFT_OUT = {"pexpect", "colorama", "psutil", "jupyterlab-widgets", "pooch", "tqdm"}
BROWSER = {  # what markers of requirements ask
    "sys_platform": "emscripten",
    "platform_system": "Emscripten",
    "platform_machine": "wasm32",
    "os_name": "posix",
    "python_version": "3.14",
    "python_full_version": "3.14.0",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "extra": "",
}
PURE = ("--only-binary=:all:", "--platform=any", "--python-version=3.14", "--implementation=py")


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kernel_wheels() -> list[Path]:
    """Find the wheels that come with JupyterLite's kernel, in the version that is installed."""
    extension = "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/static/pypi"
    found = sorted((Path(sys.prefix) / extension).glob("*.whl"))
    wheels = [path for path in found if path.name.partition("-")[0] in KERNEL]
    newest = {path.name.partition("-")[0]: path for path in wheels}  # two stubs of one package
    if set(newest) != set(KERNEL):
        raise FileNotFoundError(
            f"{Path(sys.prefix) / extension}: found wheels of {sorted(newest) or 'nothing'}, "
            f"expected {sorted(KERNEL)}. Install requirements-lite.txt into this environment."
        )
    return list(newest.values())


def needs(wheel: Path) -> list[Requirement]:
    """Read from a wheel what it needs in the browser."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    found = map(Requirement, metadata.get_all("Requires-Dist") or [])
    return [
        requirement
        for requirement in found
        if (requirement.marker is None or requirement.marker.evaluate(BROWSER))
        and canonicalize_name(requirement.name) not in LEFT_OUT
    ]


def entry(wheel: Path, origin: str) -> dict:
    """Describe a wheel as Pyodide's lock does; `origin` says where the file comes from."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        paths = [Path(path) for path in archive.namelist()]
    tops = {path.parts[0] for path in paths if path.suffix == ".py" or len(path.parts) > 1}
    imports = {top.removesuffix(".py") for top in tops if not top.endswith((".dist-info", ".data"))}
    return {
        "name": name,
        "version": str(version),
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": sha256(wheel),
        "package_type": "package",
        "imports": sorted(imports),
        "depends": sorted({canonicalize_name(r.name) for r in needs(wheel)}),
        "unvendored_tests": False,
        "origin": origin,
    }


def from_pyodide(names: Iterable[str], upstream: dict) -> dict:
    """Take packages, and what they need, from the lock of Pyodide's distribution."""
    found, names = {}, list(names)
    while names:
        name = names.pop()
        if name not in found:
            found[name] = upstream[name] | {"origin": "pyodide"}
            names += map(canonicalize_name, upstream[name]["depends"])
    return found


def from_pypi(wanted: list[Requirement], packages: dict, folder: Path) -> None:
    """Add packages from PyPI, and what they need, to those that are there."""
    while wanted:
        requirement = wanted.pop(0)
        name = canonicalize_name(requirement.name)
        if name in packages:
            continue
        requirement.marker = None
        place = folder / name
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *PURE]
        subprocess.run([*pip, "--abi=none", f"--dest={place}", str(requirement)], check=True)
        (wheel,) = place.glob("*.whl")
        packages[name] = entry(wheel, "pypi")
        wanted += needs(wheel)


def main(folder: Path) -> None:
    """Write `lock.json`."""
    upstream = json.loads((folder / "pyodide-lock.json").read_text("utf-8"))
    packages = from_pyodide(FROM_PYODIDE, upstream["packages"])
    wanted = [Requirement(name) for name in FROM_PYPI]
    for wheel in kernel_wheels():
        described = entry(wheel, "jupyterlite")
        packages[canonicalize_name(described["name"])] = described
        wanted += needs(wheel)
    with tempfile.TemporaryDirectory() as scratch:
        from_pypi(wanted, packages, Path(scratch))
    lock = {
        "pyodide": VERSION,
        "core": {name: sha256(folder / name) for name in CORE},
        "info": upstream["info"],
        "packages": dict(sorted(packages.items())),
    }
    LOCK.write_text(json.dumps(lock, indent=1) + "\n", "utf-8")
    print(f"{LOCK}: {len(packages)} packages")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
