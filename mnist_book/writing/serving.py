"""Serves a page on which the reader's network answers, on this machine, in the reader's process."""

import http.server
import json
import socketserver
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import numpy as np

from mnist_book.drawing import pad
from mnist_book.writing import limits
from mnist_book.writing.training import Readers
from mnist_book.writing.troubles import Trouble

PAGE = Path(__file__).parent / "page"
HOST = "127.0.0.1"
LARGEST = 1 << 20  # bytes of a drawing
POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"


def files() -> dict[str, tuple[str, bytes]]:
    """Return what the page is made of: type and content by path."""
    *scripts, _ = pad.SCRIPTS  # the last one is the notebook's
    script = "".join((pad.PAGE / name).read_text("utf-8") for name in scripts)
    script += (PAGE / "served.js").read_text("utf-8")
    return {
        "/": ("text/html", (PAGE / "index.html").read_bytes()),
        "/pad.js": ("text/javascript", script.encode()),
        "/pad.css": ("text/css", (pad.PAGE / "pad.css").read_bytes()),
    }


def answer_of(network: Readers) -> Callable[[bytes], dict[str, object]]:
    """Make a function from the bytes of a drawing to what the page shows."""

    def predict(pixels: np.ndarray) -> np.ndarray:
        return network.predict_proba(pixels.astype(np.float64))

    recognize = pad.reader_of(predict)

    def answer(body: bytes) -> dict[str, object]:
        try:
            strokes = pad.checked_strokes(json.loads(body)["strokes"])
            found = recognize(strokes) if strokes else pad.EMPTY
        except Trouble as problem:
            return {"error": problem.found["message"]}
        except (ValueError, KeyError, TypeError) as error:
            return {"error": str(error)[:300]}
        return {
            "digit": found.digit,
            "probabilities": found.probabilities.tolist(),
            "reason": found.reason,
        }

    return answer


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers the page; nobody else, as a page from elsewhere has another origin or host."""

    answer: Callable[[bytes], dict[str, object]]
    files: dict[str, tuple[str, bytes]]
    timeout = 10

    def do_GET(self) -> None:
        """Send a file of the page."""
        if not self._is_ours():
            return
        kind, content = self.files.get(self.path, ("", b""))
        if kind:
            self._send(f"{kind}; charset=utf-8", content)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Answer a drawing."""
        if not self._is_ours():
            return
        length = self.headers.get("Content-Length", "")
        if self.path != "/answer" or not length.isdecimal() or int(length) > LARGEST:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        limits.allow_work()
        answer = type(self).answer(self.rfile.read(int(length)))
        self._send("application/json", json.dumps(answer).encode())

    def _is_ours(self) -> bool:
        port = self.connection.getsockname()[1]
        ours = {f"{HOST}:{port}", f"localhost:{port}"}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") in ours and (
            origin is None or origin.removeprefix("http://") in ours
        ):
            return True
        self.send_error(HTTPStatus.FORBIDDEN)
        return False

    def _send(self, kind: str, content: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the terminal is the reader's."""


def serve(network: Readers, port: int, say: Callable[..., None]) -> None:
    """Serve the page until the process ends; say where it is."""
    handler = type(
        "PadHandler",
        (Handler,),
        {"answer": staticmethod(answer_of(network)), "files": files()},
    )
    # One drawing after the other: the reader's functions may keep what they know in globals.
    with socketserver.TCPServer((HOST, port), handler) as server:
        say("serving", address=f"http://{HOST}:{server.server_address[1]}/")
        server.serve_forever()
