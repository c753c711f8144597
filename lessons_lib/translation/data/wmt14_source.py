"""Where WMT14's rows come from: the Hugging Face hub, or a folder in the same form."""

from collections.abc import Iterator
from pathlib import Path

from lessons_lib.errors import UserError
from lessons_lib.translation.data.cleaning import one_line
from lessons_lib.translation.data.corpus import Pair

HUB = {"dataset": "wmt/wmt14", "config": "fr-en", "revision": "b199e406369ec1b7634206d3ded5ba45de2fe696"}
SECONDS = 10  # to wait for the hub before saying that it cannot be reached
ROW = '{"translation": {"en": …, "fr": …}}'
RETRIES, PAUSE = 5, 2  # when a stream breaks: so many times, after so many seconds


class Source:
    """The splits of WMT14 as streams of pairs that can go on where they were left.

    Args:
        folder: holds the splits train, validation and test in files that `datasets` reads (train.jsonl,
            train-00000-of-00002.parquet …) with WMT14's rows: ``{"translation": {"en": …, "fr": …}}``; None: the hub.

    Raises:
        ValueError: the folder is none, or `datasets` is not installed.
    """

    def __init__(self, folder: Path | None = None):
        try:
            import datasets
        except ImportError:
            raise UserError(
                "--corpus wmt14 needs the library `datasets`; install it: pip install 'datasets>=3'"
            ) from None
        if folder is not None and not Path(folder).is_dir():
            raise UserError(f"{folder} is not a folder; give one with the splits train, validation and test")
        self._datasets, self._folder = datasets, folder and Path(folder).absolute()
        self.name = str(folder) if folder else HUB["dataset"]
        self.identity = {"folder": str(self._folder)} if folder else HUB
        self._unread, self._stream, self._rows, self._position = {}, None, None, None

    def read(self, split: str, after: dict | None = None) -> Iterator[Pair]:
        """The pairs of a split, from the beginning or from a `position`.

        Raises:
            ValueError: there is no such split, or a row is not one of WMT14's.
            OSError: the hub cannot be reached, or the stream breaks.
        """
        if after is None or after is not self._position:  # else the stream stands there
            self._stream = self._open(split)
            if after is not None:
                self._stream.load_state_dict(after)
            self._rows = iter(self._stream)
        while (row := self._next()) is not None:
            try:
                sides = dict(row["translation"])
                if not {"en", "fr"} & set(sides):
                    raise KeyError("en")
                # A side that is not there is as blank as one that is null: `datasets` may leave its key out.
                yield Pair(*(one_line(sides.get(language) or "") for language in ("en", "fr")))
            except (KeyError, TypeError, ValueError, AttributeError):
                raise UserError(f"{self.name} has a row that is not {ROW}: {str(row)[:80]}") from None

    def position(self) -> dict:
        """Where the split that was read last stands; JSON can hold it."""
        self._position = self._stream.state_dict()
        return self._position

    def _next(self) -> dict | None:
        try:
            return next(self._rows, None)
        except Exception as error:  # whatever the layers below raise: httpx, fsspec, pyarrow, datasets
            check = f"whether all rows are {ROW}" if self._folder else "the network"
            raise OSError(
                f"{self.name} breaks off ({_first_line(error)}); check {check}, and run the same command: it goes on "
                "from the last whole part"
            ) from None

    def _open(self, split: str):
        """A stream that nobody has read from."""
        if split not in self._unread:
            self._unread = dict(self._load())
        if split not in self._unread:
            raise UserError(
                f"{self.name} has no split {split}, only {', '.join(self._unread)}; name its files {split}…"
            )
        return self._unread.pop(split)

    def _load(self):
        datasets = self._datasets
        datasets.disable_progress_bars()
        datasets.config.STREAMING_READ_MAX_RETRIES = datasets.config.STREAMING_OPEN_MAX_RETRIES = RETRIES
        datasets.config.STREAMING_READ_RETRY_INTERVAL = datasets.config.STREAMING_OPEN_RETRY_INTERVAL = PAUSE
        if self._folder:
            try:
                return datasets.load_dataset(str(self._folder), streaming=True)
            except Exception as error:  # as many kinds as there are file formats
                raise UserError(
                    f"{self.name} is not a data set ({_first_line(error)}); see `lessons prepare --help`"
                ) from None
        try:
            from huggingface_hub import HfApi

            # Asked first, because `load_dataset` tries for half a minute before it says that there is no network.
            HfApi().dataset_info(HUB["dataset"], revision=HUB["revision"], timeout=SECONDS)
            return datasets.load_dataset(HUB["dataset"], HUB["config"], revision=HUB["revision"], streaming=True)
        except Exception as error:  # no network, a proxy, a hub that is down, HF_HUB_OFFLINE
            raise OSError(
                f"{self.name} comes from huggingface.co, which cannot be reached ({_first_line(error)}); connect to "
                "the network, or prepare a copy on your disk: lessons prepare --corpus wmt14 --source FOLDER"
            ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:160]
