"""A page of the built site in a browser, which remembers everything that went wrong in it."""

from playwright.sync_api import Browser, Page


class Visit:
    """A page of the site in a browser of its own settings, its requests, and its `wrongs`."""

    def __init__(self, browser: Browser, address: str, name: str, width: int = 1280, theme: str = "light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=theme, reduced_motion="reduce", **options
        )
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.bytes = 0
        self.wrongs: list[str] = []
        self.page.on("request", lambda request: self._note_request(address, request.url))
        self.page.on("requestfailed", self._note_failure)
        self.page.on("response", self._note_response)
        self.page.on("pageerror", lambda error: self.wrongs.append(f"page error: {error}"))
        self.page.on("console", self._note_console)
        self.page.goto(address + name, wait_until="networkidle")
        for place in self.page.locator(".widget-output").all():  # a widget is drawn when it comes near
            place.scroll_into_view_if_needed()
            self.page.wait_for_timeout(60)
        self.page.evaluate("scrollTo(0, 0)")

    def _note_request(self, address: str, url: str) -> None:
        self.requests.append(url)
        if not url.startswith((address, "data:", "blob:")):
            self.wrongs.append(f"asks another host: {url}")

    def _note_failure(self, request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left while its icon still loaded
            self.wrongs.append(f"failed: {request.url}")

    def _note_response(self, response) -> None:
        self.bytes += int(response.headers.get("content-length", 0))
        if response.status >= 400:
            self.wrongs.append(f"{response.status}: {response.url}")

    def _note_console(self, line) -> None:
        if line.type in ("error", "warning"):
            self.wrongs.append(f"console {line.type}: {line.text}")

    def close(self) -> None:
        self.page.context.close()
