"""What crosses from the learner's code to the judge: numbers only, in bounded size."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons_lib.grading import arrays
from lessons_lib.grading.arrays import MAX_BYTES, decode, encode, read_text, text_array


def test_arrays_cross_unchanged():
    sent = {
        "plain.output": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "flag": np.array(True),
        "none.at_all": np.zeros((0, 3)),
        "half.x": np.float16([1.5, np.nan]),
        "error": text_array("q1 – √d"),
    }
    received = decode(encode(sent))
    assert list(received) == list(sent)
    for name, array in sent.items():
        assert received[name].dtype == array.dtype
        np.testing.assert_array_equal(received[name], array, strict=True)
        assert not received[name].flags.writeable
    assert read_text(received["error"]) == "q1 – √d"


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header.encode() + data


def pickled() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([{"an": "object"}], dtype=object), allow_pickle=True)
    return stream.getvalue()


GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"
BLOBS = {
    "a pickle": (pickled(), "only booleans, integers and floats cross"),
    "an object header": (npy(GOOD.replace("<f4", "|O"), bytes(16)), "only booleans, integers and floats cross"),
    "text": (npy(GOOD.replace("<f4", "<U1"), bytes(8)), "only booleans"),
    "fields": (npy(GOOD.replace("'<f4'", "[('a', '<f4')]"), bytes(8)), "only booleans"),
    "dates": (npy(GOOD.replace("<f4", "<M8[s]"), bytes(16)), "only booleans"),
    "a shape larger than its data": (
        npy(GOOD.replace("(2,)", "(10**12,)".replace("10**12", "1" + "0" * 12)), bytes(8)),
        "but holds 8",
    ),
    "a negative shape": (npy(GOOD.replace("(2,)", "(-1, -2)"), bytes(8)), "says shape (-1, -2)"),
    "too short": (npy(GOOD, bytes(7)), "but holds 7 bytes"),
    "too long": (npy(GOOD, bytes(9)), "but holds 9 bytes"),
    "version 2": (npy(GOOD, bytes(8), b"\x02\x00"), "not a .npy file of version 1.0"),
    "code in the header": (npy("__import__('os').abort()\n"), "not a .npy file"),
    "a deep header": (npy("(" * 200 + "\n"), "not a .npy file"),
    "a long header": (npy(GOOD.rstrip() + " " * 5000, bytes(8)), "not a .npy file"),
    "nothing": (b"", "not a .npy file"),
}


@pytest.mark.parametrize("name", BLOBS)
def test_only_well_formed_numbers_are_read(name):
    blob, expected = BLOBS[name]
    with pytest.raises(ValueError, match=expected.replace("(", r"\(").replace(")", r"\)")):
        decode({"plain.x": blob})
    assert decode({"plain.x": npy(GOOD, bytes(8))})["plain.x"].tolist() == [0, 0]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.booleans())
def test_reading_never_fails_in_another_way(data, with_magic):
    blob = b"\x93NUMPY\x01\x00" + data if with_magic else data
    with pytest.raises(ValueError, match=r"array 'x'"):
        decode({"x": blob})


def test_size_number_and_names_are_limited(monkeypatch):
    with pytest.raises(ValueError, match="at most 16 MiB"):
        encode({"x": np.broadcast_to(np.float32(0), (MAX_BYTES // 4 + 1,))})
    with pytest.raises(ValueError, match="201 arrays"):
        encode({f"x{i}": np.zeros(1) for i in range(201)})
    for name in ("../x", "X", "a.b.c", "", "a" * 50, "a/b", "1a"):
        with pytest.raises(ValueError, match="not of the form"):
            encode({name: np.zeros(1)})
    monkeypatch.setattr(arrays, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match="MiB"):
        decode({"x": npy(GOOD, bytes(500))})


def test_a_text_that_crosses_is_one_bounded_printable_line():
    nasty = np.frombuffer(b"a\nb\x1b[31m\x00\xff" + b"c" * 1000, np.uint8)
    text = read_text(nasty)
    assert text.isprintable()
    assert len(text) <= arrays.MAX_TEXT
    assert read_text(np.array([1e300, np.nan])).isprintable()
