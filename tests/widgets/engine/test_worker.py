"""What the page's worker does for as long as it lives: it takes no more memory, answers the same, and stops."""

import base64

import pytest
from in_node import in_node

from lessons_lib.translation.course_model import course_web_model
from lessons_lib.widgets.translator import ENGINE

START = """
const memories = [];
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(...given) {
    super(...given);
    memories.push(this);
  }
};
if (given.simd === false) WebAssembly.validate = () => false;
const heard = [];
const take = serve((message) => heard.push(message));
await take({ load: Uint8Array.from(atob(given.file), (sign) => sign.charCodeAt(0)).buffer });
"""


@pytest.fixture(scope="module")
def file() -> str:
    return base64.b64encode(course_web_model()).decode()


REPEATED = (
    START
    + """
const sizes = [];
for (const text of [given.long, ...Array(20).fill(given.short), given.long]) {
  await take({ translate: { id: 1, text, beam: 4 } });
  sizes.push(memories[0].buffer.byteLength);
}
return { sizes, memories: memories.length, bytes: given.file.length };
"""
)


def test_many_translations_take_no_more_memory_than_the_longest(file):
    found = in_node(ENGINE, REPEATED, {"file": file, "long": "the small black cat " * 5, "short": "The cat sleeps."})
    assert len(set(found["sizes"])) == found["memories"] == 1
    assert found["sizes"][0] < 3 * found["bytes"]


TEXTS = ["The small black cats do not sleep.", "My sister is reading a book."]
SAID = (
    START
    + """
for (const [id, text] of given.texts.entries()) await take({ translate: { id, text, beam: 2 } });
return heard.filter(({ done }) => done).map(({ done: { ended, records } }) => [
  ended.map(({ text }) => text),
  ended.map(({ score }) => score),
  records.at(-1).looked.map((layer) => layer.map((head) => [...head])),
]);
"""
)


def test_without_simd_it_says_the_same(file):
    fast, plain = (in_node(ENGINE, SAID, {"file": file, "texts": TEXTS, "simd": simd}) for simd in (True, False))
    for (texts, scores, looked), (texts_too, scores_too, looked_too) in zip(fast, plain, strict=True):
        assert texts == texts_too
        assert scores == pytest.approx(scores_too, abs=1e-4)
        for layer, layer_too in zip(looked, looked_too, strict=True):
            for head, head_too in zip(layer, layer_too, strict=True):
                assert sum(head) == pytest.approx(1, abs=1e-5)
                assert head == pytest.approx(head_too, abs=1e-4)


STOPPED = (
    START
    + """
const over = take({ translate: { id: 1, text: "the small black cat ".repeat(60), beam: 8 } });
await new Promise((go) => setTimeout(go, 30));
await take({ stop: true });
const told = performance.now();
await over;
const after = performance.now() - told;
return { after, done: heard.some(({ done }) => done), failed: heard.some(({ failed }) => failed) };
"""
)


def test_it_stops_when_it_is_told_to(file):
    found = in_node(ENGINE, STOPPED, {"file": file})
    assert (found["done"], found["failed"]) == (False, False)
    assert found["after"] < 1000
