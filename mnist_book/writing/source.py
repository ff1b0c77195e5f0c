"""The reader's file: read, looked through for blanks, and run, or why that cannot be done."""

import ast
import io
import sys
import tokenize
import traceback
import types
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from mnist_book.diagnosis.evidence import cleaned, lay_out
from mnist_book.diagnosis.running import PRINTED_LIMIT, Exit, Theirs, run
from mnist_book.writing.troubles import Trouble

LARGEST = 1 << 20  # bytes of a file
IMPORT_LIMIT = 10.0  # seconds of work until the file has come to its end
MODULE = "the_readers_file"  # its name as a module: not "__main__", and nobody else's


@dataclass
class Source:
    """What is in the file, without running it."""

    path: Path
    text: bytes
    blank: set[str] = field(default_factory=set)  # functions whose body is three dots
    lines: dict[str, int] = field(default_factory=dict)  # where each name is defined


def read(path: Path) -> Source:
    """Read a file and look through it.

    Raises
    ------
    Trouble : it is not there, is no text, or Python does not understand it
    """
    if not path.is_file():
        raise Trouble("file.absent", name=path.name)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise Trouble("file.huge", size=f"{size:,}")
        text = path.read_bytes()
    except OSError as error:
        raise Trouble("file.unreadable", lay_out(raised=cleaned(error, str))) from None
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Trouble("file.utf16")
    source = Source(path, text)
    try:  # Python itself does not look into comments
        encoding, _ = tokenize.detect_encoding(io.BytesIO(text).readline)
        text.decode(encoding)
    except (SyntaxError, ValueError) as error:
        raise Trouble("file.encoding", lay_out(raised=cleaned(error, str))) from None
    for node in _parsed(source).body:
        _note(node, source)
    return source


def _parsed(source: Source) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.text, source.path.name)
            compile(source.text, source.path.name, "exec")  # sees more: a return at the top
    except SyntaxError as error:
        raise _not_python(error, source) from None
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        seen = lay_out(raised=f"{type(error).__name__}: {cleaned(error, str)}")
        raise Trouble("file.syntax", seen, line="?") from None
    return tree


def _not_python(error: SyntaxError, source: Source) -> Trouble:
    message = cleaned(error.msg, str)
    line = error.lineno or 1
    code = {TabError: "file.tabs", IndentationError: "file.indentation"}.get(
        type(error), "file.syntax"
    )
    seen = lay_out(line=line_of(source, line), raised=f"{type(error).__name__}: {message}")
    return Trouble(code, seen, line=line)


def line_of(source: Source, number: int) -> str:
    """Return a line of the file, for evidence."""
    lines = source.text.decode("utf-8", "replace").splitlines()
    return cleaned(lines[number - 1].strip(), str, 72) if 0 < number <= len(lines) else ""


def _note(node: ast.stmt, source: Source) -> None:
    """Note where a name is defined, and whether it still waits for its code."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        source.lines[node.name] = node.lineno
        source.blank.discard(node.name)
        if _is_blank(node.body):
            source.blank.add(node.name)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                source.lines[target.id] = node.lineno
                source.blank.discard(target.id)


def _is_blank(body: list[ast.stmt]) -> bool:
    """Tell whether there is nothing but a docstring, three dots and the like."""
    return all(
        isinstance(statement, ast.Pass)
        or (
            isinstance(statement, ast.Expr | ast.Return)
            and isinstance(statement.value, ast.Constant)
            and (statement.value.value is Ellipsis or isinstance(statement, ast.Expr))
        )
        for statement in body
    )


def execute(source: Source) -> tuple[types.ModuleType, str]:
    """Run the file as an import does; return the module and what it printed.

    Raises
    ------
    Trouble : it does not come to its end
    """
    module = types.ModuleType(MODULE)
    module.__file__ = str(source.path)
    sys.modules[MODULE] = module  # where dataclasses, for one, look for it
    sys.path.append(str(source.path.absolute().parent))  # the last: it hides nobody's module
    sys.argv = [str(source.path)]

    def whole_file() -> None:
        exec(compile(source.text, str(source.path), "exec"), module.__dict__)

    try:
        _, printed = run(whole_file, (), IMPORT_LIMIT)
    except TimeoutError:
        raise Trouble("file.slow", limit=IMPORT_LIMIT) from None
    except Exit:
        raise Trouble("file.exits") from None
    except MemoryError:
        raise Trouble("file.memory") from None
    except Exception as error:
        raise _did_not_end(error, source) from None
    if len(printed.encode()) >= PRINTED_LIMIT:
        raise Trouble("file.prints", lay_out(printed=cleaned(printed, str, 80)))
    return module, printed


def _did_not_end(error: Exception, source: Source) -> Trouble:
    line = line_in(error, source) or 1
    raised = f"{type(error).__name__}: {cleaned(error, str)}"
    seen = lay_out(line=line_of(source, line), raised=raised)
    code = "file.raises"
    if isinstance(error, EOFError):
        code = "file.input"
    elif isinstance(error, ImportError):
        code = "file.import"
    return Trouble(code, seen, line=line)


def line_in(error: BaseException, source: Source) -> int | None:
    """Return the last line of the reader's file that an error went through."""
    numbers = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__, limit=-200)
        if frame.filename == str(source.path)
    ]
    return numbers[-1] if numbers else None


def get(module: types.ModuleType, name: str) -> Theirs:
    """Return what the file has under a name.

    Raises
    ------
    Trouble : it has nothing
    """
    if name not in module.__dict__:
        raise Trouble("piece.missing", name=name)
    return module.__dict__[name]
