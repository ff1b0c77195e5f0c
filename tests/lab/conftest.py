"""The laboratory's scripts in Node, or in Chromium where there is no Node."""

import json
import subprocess

import pytest
from lab_scripts import COMPUTING, NODE, PAGE

IN_NODE = """
process.argv.slice(1).forEach(require);
const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
Promise.resolve((%s)(given)).then((found) => console.log(JSON.stringify(found)));
"""


@pytest.fixture(scope="session")
def in_node():
    """Run a function of JavaScript on what Python gives, in a process of its own."""

    def in_node(function, given, scripts):
        command = [NODE, "-e", IN_NODE % function, *map(str, scripts)]
        run = subprocess.run(
            command, input=json.dumps(given), capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    return in_node


@pytest.fixture(scope="module")
def run(request):
    """Run a function of JavaScript on what Python gives, with the laboratory's scripts loaded."""
    scripts = [PAGE / name for name in COMPUTING]
    if NODE is not None:
        in_node = request.getfixturevalue("in_node")
        return lambda function, given: in_node(function, given, scripts)
    page = request.getfixturevalue("chromium").new_page()
    for script in scripts:
        page.add_script_tag(path=str(script))
    return page.evaluate
