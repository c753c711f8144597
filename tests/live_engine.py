"""The live translator's engine in Chromium, as its worker has it, and what the tests ask of it."""

import base64
from typing import Any

import numpy as np

from lessons_lib.widgets._common import engine_text
from lessons_lib.widgets.translator import ENGINE

TEXT = engine_text(ENGINE)
START = """async ([text, data, simd]) => {
  window.engine ??= await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  window.file = engine.readModel(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)).buffer);
  window.model = new engine.Transformer(file, simd);
  window.tokenizer = new engine.Tokenizer(file);
  window.run = (source, beam, lengthPenalty) => {
    const steps = engine.search(model, source, beam, lengthPenalty);
    let result = steps.next();
    while (!result.done) result = steps.next();
    return result.value;
  };
}"""
# For each token of the target the logits (V,) and where it looked (L, H, S), packed: lists of numbers travel slowly.
LOGITS = """([source, target]) => {
  for (const _ of model.read(source, 1, target.length));
  const sign = (byte) => String.fromCharCode(byte);
  const packed = (array) => btoa(Array.from(new Uint8Array(array.slice().buffer), sign).join(""));
  return target.map((token) => {
    const [{ logits, looked }] = model.step([token], [0]);
    return [packed(logits), packed(looked)];
  });
}"""


class Engine:
    """A page in which the engine has loaded a file of `lessons export-web`."""

    def __init__(self, browser):
        self.page = browser.new_page()

    def load(self, data: bytes, simd: bool = True) -> "Engine":
        """Read this file, to compute with SIMD or without; an error of the engine's is an error here."""
        self.page.evaluate(START, [TEXT, base64.b64encode(data).decode(), simd])
        return self

    def step_through(self, source: list[int], target: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """The logits (T, V), and the cross-attention of every step (T, L·H·S)."""
        steps = self.page.evaluate(LOGITS, [source, target])
        unpack = lambda text: np.frombuffer(base64.b64decode(text), "<f4")  # noqa: E731
        return tuple(np.stack([unpack(step[part]) for step in steps]) for part in (0, 1))

    def evaluate(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)
