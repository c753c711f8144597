"""Show the built site on http://localhost:8000, to this machine only (PORT=… for another port)."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"


def serve(port: int, folder: Path = SITE, handler: type = SimpleHTTPRequestHandler) -> ThreadingHTTPServer:
    """A server of a folder on 127.0.0.1; port 0 takes a free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(handler, directory=folder))


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        """Say nothing: who asks looks at the browser's side."""


@contextmanager
def served(folder: Path = SITE, handler: type = QuietHandler) -> Iterator[str]:
    """The address of a quiet server of `folder` in the background, on a free port, until the block ends."""
    with serve(0, folder, handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


if __name__ == "__main__":
    with serve(int(os.environ.get("PORT", "8000"))) as server:
        print(f"http://localhost:{server.server_port}   (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
