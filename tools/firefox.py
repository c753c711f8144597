"""Try the widgets of the built site in a Firefox that is installed: python -m tools.firefox [its path]

The tests drive Chromium, and the course depends on no driver of another browser. So here the pages look at themselves:
this script stands at their head, tells the server what went wrong, and goes on to the next page.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from queue import Empty, Queue

from tools.serve import SITE, QuietHandler, serve

SECONDS = 300  # for a page, on a machine that does other things, too
LOOK = """<head><script>
const wrongs = [];
addEventListener("error", ({ message }) => wrongs.push(message));
addEventListener("unhandledrejection", ({ reason }) => wrongs.push(`${reason}`));
console.error = (...what) => wrongs.push(what.join(" "));
addEventListener("load", async () => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const sees = async (what, is) => {
    for (let i = 0; i < 2000 && !is(); i++) await new Promise((go) => setTimeout(go, 100));
    if (!is()) wrongs.push(`there is no ${what}`);
  };
  const reads = (selector, text) => sees(text, () => all(selector).every((node) => node.textContent.includes(text)));
  for (const place of all(".widget-output")) {
    place.scrollIntoView(); // it is drawn when it comes near
    await new Promise((go) => setTimeout(go, 100));
  }
  await sees("widget", () => all(".is-drawn .course-widget").length === all(".widget-output").length);
  for (const button of all(".tw-go, .pg-go + button")) button.click();
  await reads(".translator-widget .cw-summary", "French: J'attends depuis une heure.");
  await reads(".pg-message", "The run after 1 steps: loss ");
  const next = await fetch("/told", { method: "POST", body: JSON.stringify(wrongs) });
  location = await next.text();
});
</script>"""


def main(*path: str) -> None:
    firefox = next(filter(shutil.which, path or ("firefox", "firefox-esr")), None)
    pages = {page: page.read_text("utf8") for page in sorted(SITE.rglob("*.html"))}
    left = [str(page.relative_to(SITE)) for page, text in pages.items() if '<div class="widget-output">' in text]
    if not firefox or not left:
        sys.exit("no Firefox here; install one, or give its path" if left else "the site is not built; run: make book")
    told: Queue = Queue()

    class Looked(QuietHandler):
        def answer(self, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # it had begun to fetch the page that follows, and lets it go
                self.wfile.write(text.encode())

        def do_GET(self) -> None:
            page = SITE / self.path.lstrip("/")
            if page in pages:
                self.answer(pages[page].replace("<head>", LOOK, 1))
            else:
                super().do_GET()

        def do_POST(self) -> None:
            told.put((left.pop(0), json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.answer(f"/{left[0]}" if left else "about:blank")

    wrong = False
    with serve(0, SITE, Looked) as server, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{left[0]}"
        command = [firefox, "--headless", "--profile", profile, address]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in [*left]:
                page, wrongs = told.get(timeout=SECONDS)
                print(page, *wrongs or ["works"], sep="\n  ", flush=True)
                wrong = wrong or bool(wrongs)
        except Empty:
            sys.exit(f"{left[0]} said nothing for {SECONDS} s")
        finally:
            browser.terminate()
            browser.wait()
            server.shutdown()
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
