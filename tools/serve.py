"""Show the built site on http://localhost:8000, to this machine only (PORT=… for another port)."""

import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"


def serve(port: int) -> ThreadingHTTPServer:
    """A server of the site on 127.0.0.1; port 0 takes a free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(SimpleHTTPRequestHandler, directory=SITE))


if __name__ == "__main__":
    with serve(int(os.environ.get("PORT", "8000"))) as server:
        print(f"http://localhost:{server.server_port}   (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
