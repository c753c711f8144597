"""Where Tatoeba's English–French pairs come from: manythings.org, or the same file on your disk."""

import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.request import Request, urlopen

from tqdm.auto import tqdm

from lessons_lib import __version__
from lessons_lib.errors import UserError
from lessons_lib.translation.data.corpus import Pair, split_lines, text_columns
from lessons_lib.translation.data.textfile import decode_utf8, read_raw
from lessons_lib.translation.data.tokenizer import plain

ADDRESS = "https://www.manythings.org/anki/fra-eng.zip"
TEXT = "fra.txt"  # what the archive holds it as: English, tab, French, tab, attribution
SECONDS = 20  # to wait for the next bytes
MOST_PACKED, MOST_TEXT = 64 << 20, 256 << 20  # bytes
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")  # how a zip begins, and an empty one
PAGES = (b"<!doctype", b"<!--", b"<html", b"<head", b"<?xml")


class Source:
    """The pairs of one file, in its order.

    Args:
        file: the archive, or its text, which may be packed with gzip, xz or bzip2; None: fetched from `ADDRESS`.
        out: the folder to name in what is to be done where there is no network.

    Raises:
        ValueError: the file is not this archive or text, or is damaged.
        OSError: it cannot be fetched or read.
    """

    def __init__(self, file: Path | None, out: Path):
        give = f"--source {PurePosixPath(ADDRESS).name} --out {out}"
        self._fix = f"download {ADDRESS} by hand, and give it: lessons prepare --corpus tatoeba {give}"
        raw = self._fetch() if file is None else read_raw(file)
        self.name = ADDRESS if file is None else Path(file).name
        as_it_is = Path(file).read_bytes() if file is not None and Path(file).is_file() else raw
        self.sha256 = hashlib.sha256(as_it_is).hexdigest()
        self._text = decode_utf8(self._unpacked(raw), self.name)

    def pairs(self) -> Iterator[Pair]:
        """A pair a line, words one blank apart; a side that the line lacks is blank."""
        lines = split_lines(self._text)
        first = next((line for line in lines if line.strip()), "")
        source, target = text_columns([first.split("\t")])
        for line in lines:
            row = [*line.split("\t"), *[""] * target]
            yield Pair(plain(row[source]), plain(row[target]))

    def _fetch(self) -> bytes:
        # The site refuses urllib's own name.
        request = Request(ADDRESS, headers={"User-Agent": f"lessons_lib/{__version__}"})
        found = bytearray()
        try:
            with urlopen(request, timeout=SECONDS) as answer:
                size = answer.length
                with tqdm(total=size, desc="fetching", unit="B", unit_scale=True, disable=None, file=sys.stderr) as bar:
                    while len(found) <= MOST_PACKED and (piece := answer.read(1 << 16)):
                        found += piece
                        bar.update(len(piece))
            if len(found) <= MOST_PACKED and len(found) < (size or 0):
                raise ConnectionError(f"it breaks off after {len(found):,} of {size:,} bytes")
        except (OSError, HTTPException) as error:  # no network, a proxy, a site that is down or refuses
            reason = str(error) or type(error).__name__
            raise OSError(f"{ADDRESS} cannot be fetched ({reason}); {self._fix}") from None
        if len(found) > MOST_PACKED:
            raise UserError(f"{ADDRESS} gives more than {MOST_PACKED >> 20} MB, so it is not the archive; {self._fix}")
        return bytes(found)

    def _unpacked(self, raw: bytes) -> bytes:
        """The text; of an archive that one member alone is read, into memory and no further than `MOST_TEXT`."""
        if raw[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
            raise UserError(f"{self.name} is a web page, not the archive; {self._fix}")
        if not raw.startswith(ARCHIVES):
            return raw
        try:
            archive = zipfile.ZipFile(io.BytesIO(raw))
            members = [one for one in archive.infolist() if PurePosixPath(one.filename).name == TEXT]
            text = archive.open(members[0]).read(MOST_TEXT + 1) if len(members) == 1 else b""
        except Exception as error:  # zipfile raises as many kinds as there are damages
            raise UserError(f"{self.name} is damaged or cut off ({error}); {self._fix}") from None
        if len(members) != 1:
            held = ", ".join(map(repr, archive.namelist()[:3])) or "nothing"
            raise UserError(f"{self.name} holds {len(members) or 'no'} {TEXT}, but {held}; {self._fix}")
        if len(text) > MOST_TEXT:
            raise UserError(f"{self.name} unpacks to more than {MOST_TEXT >> 20} MB; {self._fix}")
        return text
