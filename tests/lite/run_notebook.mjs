// Run a notebook on Pyodide in Node: node run_notebook.mjs PYODIDE_FOLDER STAGED_FOLDER NOTEBOOK [NAME=VALUE ...]
// PYODIDE_FOLDER is the site's static/pyodide, STAGED_FOLDER has the notebooks and their data, and NAME=VALUE is set in
// the environment. The last line that is printed is JSON: the processor seconds of each cell, of the first that failed the error, and
// the most memory that the process had.
import { pathToFileURL } from "node:url";
import path from "node:path";

const [pyodideFolder, staged, notebook, ...settings] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(path.resolve(pyodideFolder, "pyodide.mjs")));
const pyodide = await loadPyodide({
  indexURL: path.resolve(pyodideFolder),
  env: { HOME: "/home/pyodide", ...Object.fromEntries(settings.map((setting) => setting.split("="))) },
});
await pyodide.loadPackage(["why-isnt-it-learning"], { messageCallback: () => {} });
pyodide.mountNodeFS("/home/pyodide/book", path.resolve(staged));
pyodide.globals.set("notebook", notebook);
pyodide.setStdout({ batched: (line) => console.log(line) });
pyodide.runPython(`
import json, os
import js
import matplotlib
matplotlib.use("agg")
from IPython.core.interactiveshell import InteractiveShell

os.chdir("/home/pyodide/book")
with open(notebook, encoding="utf-8") as file:
    cells = [cell for cell in json.load(file)["cells"] if cell["cell_type"] == "code"]
shell = InteractiveShell.instance()
report = {"seconds": [], "error": None}
for number, cell in enumerate(cells):
    may_raise = "raises-exception" in cell["metadata"].get("tags", [])
    start = js.process.cpuUsage()
    result = shell.run_cell("".join(cell["source"]))
    report["seconds"].append(round(js.process.cpuUsage(start).user / 1e6, 2))
    error = result.error_before_exec or result.error_in_exec
    if error is not None and not may_raise:
        report["error"] = f"cell {number}: {type(error).__name__}: {error}"
        break
report["megabytes"] = round(js.process.resourceUsage().maxRSS / 1024)
print(json.dumps(report))
`);
