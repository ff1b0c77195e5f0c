"""Build the book for the browser, JupyterLite on Pyodide, into the book that is built: `make lite`.

    python lite/make.py HTML [--pyodide SOURCE] [--repository OWNER/NAME] [--work FOLDER]

HTML is the folder of the built book, and gets a folder `lite` and a button on each chapter's page.
Everything that the browser asks for comes from there. SOURCE, or the environment variable PYODIDE,
is where Pyodide's files come from: see `files.py`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from buttons import add_buttons
from files import DISTRIBUTION, WrongFile, get_all
from lock import LOCK, entry
from stage import ROOT, stage

BOOK = "why-isnt-it-learning"
AT_START = ["ipykernel", "comm", "pyodide-kernel", "ipython", "piplite", BOOK]


def build_wheel(folder: Path) -> Path:
    """Build the book's own wheel, from an sdist, so that nothing else gets in."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "build", "--no-isolation", f"--outdir={folder}", str(ROOT)]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if ran.returncode:
        raise WrongFile(f"the book's own wheel was not built:\n{ran.stdout}{ran.stderr}")
    return next(folder.glob("*.whl"))


def fill_pyodide(folder: Path, source: str, cache: Path) -> None:
    """Make the folder that the browser gets Python from: files, and the lock that names them."""
    lock = json.loads(LOCK.read_text("utf-8"))
    get_all(lock, source, folder, cache)
    wheel = build_wheel(cache / "own")
    own = entry(wheel, "own")
    # Named by its content: no browser takes the wheel of an earlier build from its cache.
    own["file_name"] = f"{BOOK}-{own['sha256'][:12]}.whl"
    shutil.copy(wheel, folder / own["file_name"])
    packages = lock["packages"] | {BOOK: own}
    wanted = {p["file_name"] for p in packages.values()} | set(lock["core"])
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()  # of an earlier build
    for package in packages.values():
        del package["origin"]  # not in Pyodide's format
    text = json.dumps({"info": lock["info"], "packages": packages})
    (folder / "pyodide-lock.json").write_text(text, "utf-8")


def settings(digits: str) -> dict:
    """Give JupyterLite's settings: everything from the site itself, and where changes are kept."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    kernel = {
        "disablePyPIFallback": True,  # nothing is asked of another host
        "loadPyodideOptions": {"packages": AT_START, "env": {"MNIST_DIGITS": digits}},
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "Why Isn't It Learning?",
            # A new version of the book begins with new copies: an old one would hide its chapters.
            "contentsStorageName": f"{BOOK} {version}",
            "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
        },
    }


def build(html: Path, source: str, work: Path) -> Path:
    """Build the folder `lite` of the site, and return it."""
    site, staged, target = work / "site", work / "notebooks", html / "lite"
    fill_pyodide(site / "static" / "pyodide", source, work / "cache")
    digits = stage(staged)
    config = {
        "contents": [str(staged)],
        "output_dir": str(target),
        "apps": ["notebooks", "tree"],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
    }
    for name, content in {
        "jupyter-lite.json": settings(digits),
        "jupyter_lite_config.json": {"LiteBuildConfig": config},
    }.items():
        (site / name).write_text(json.dumps(content, indent=1), "utf-8")
    shutil.rmtree(target, ignore_errors=True)
    for state in site.glob(".jupyterlite*"):  # of an earlier build, whose files it would keep
        state.unlink()
    command = [sys.executable, "-m", "jupyter", "lite", "build"]
    ran = subprocess.run(command, cwd=site, capture_output=True, encoding="utf-8", check=False)
    if ran.returncode:
        raise WrongFile(f"jupyter lite build failed:\n{ran.stdout}{ran.stderr}")
    return target


def main() -> int:
    """Build, and say how large it is; return 1 after an error."""
    parser = argparse.ArgumentParser(description="Build the book for the browser.")
    option = parser.add_argument
    option("html", type=Path, help="the folder of the built book")
    option(
        "--pyodide",
        default=os.environ.get("PYODIDE") or DISTRIBUTION,
        help="a folder, an address or a wheel, as files.py says [$PYODIDE, or %(default)s]",
    )
    option("--repository", default=os.environ.get("GITHUB_REPOSITORY"), help="OWNER/NAME at GitHub")
    option("--work", type=Path, default=ROOT / "_build" / "lite", help="for what lies between")
    options = parser.parse_args()
    if not (options.html / "index.html").is_file():
        print(f"error: {options.html}: found no index.html. Run make book first.", file=sys.stderr)
        return 1
    try:
        target = build(options.html.resolve(), options.pyodide, options.work.resolve())
    except WrongFile as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    pages = add_buttons(options.html, options.repository)
    sizes = [path.stat().st_size for path in target.rglob("*") if path.is_file()]
    print(f"{target}: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB; buttons on {pages} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
