"""What nbval does not compare: the pictures of a notebook, and the numbers inside its widgets.

nbval runs each cell and compares what it prints. Here the same run is held against the stored pictures, by how they
look, and against the stored state of each widget, number by number. A cell tagged `nbval-ignore-output` (times,
devices) is compared in neither way.
"""

import ast
import base64
import io
import json
import math

import numpy as np
from PIL import Image

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
# The module and style are compared by `widget_problems`; the rest is how Jupyter keeps house.
HOUSEKEEPING = {"_esm", "_css", "layout", "tabbable", "tooltip"}
STATES = """__import__("json").dumps({model: saved["state"] for model, saved in
__import__("ipywidgets").Widget.get_manager_state()["state"].items()})"""
TIMES = "picture-of-times"  # the tag of a cell whose picture is another one on each machine
PICTURE = (96, 64)
FARTHEST = 0.12  # a curve 3 % higher is at 0.04, another curve on the same axes at 0.15 to 0.25
RELATIVE, ABSOLUTE = 0.02, 2e-3  # of the largest number of a list


def ink(picture: str) -> np.ndarray:
    """How dark a picture (base64 of a PNG) is in each of 96 × 64 fields."""
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        on_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return 1 - np.asarray(on_white.convert("L").resize(PICTURE, Image.Resampling.BOX), dtype=float) / 255


def distance(stored: str, now: str) -> float:
    """0 for equal pictures, 1 where nothing that is dark in one is dark in the other."""
    before, after = ink(stored), ink(now)
    return float(np.abs(before - after).sum() / max((before + after).sum(), 1e-9))


def different(stored: object, now: object, where: str = "", scale: float | int = 0) -> str | None:
    """The first place where two states differ, or None; numbers may differ by 2 % of the largest of their list."""
    if isinstance(stored, bool | str | None):
        return None if stored == now else f"{where} is {now!r}, stored {stored!r}"
    if isinstance(stored, int | float):
        close = isinstance(now, int | float) and math.isclose(stored, now, abs_tol=ABSOLUTE + RELATIVE * scale)
        return None if close else f"{where} is {now!r}, stored {stored!r}"
    if isinstance(stored, dict):
        if not isinstance(now, dict) or stored.keys() != now.keys():
            return f"{where} has other names than stored"
        pairs = [(f"{where}.{key}", stored[key], now[key]) for key in stored]
    else:
        if not isinstance(now, list) or len(stored) != len(now):
            return f"{where} has another length than stored"
        pairs = [(f"{where}[{i}]", *pair) for i, pair in enumerate(zip(stored, now, strict=True))]
    numbers = [abs(one) for _, one, _ in pairs if isinstance(one, int | float) and not isinstance(one, bool)]
    largest = max(numbers, default=scale)
    return next((found for name, *pair in pairs if (found := different(*pair, name, largest))), None)


def pictures(outputs: list) -> list[str]:
    return [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]


def shown_widgets(outputs: list) -> list[str]:
    return [output["data"][VIEW]["model_id"] for output in outputs if VIEW in output.get("data", {})]


def ask(kernel, expression: str) -> object:
    """What an expression that gives JSON is worth in the kernel."""
    asked = kernel.kc.execute("", silent=True, store_history=False, user_expressions={"asked": expression})
    answer = {}
    while answer.get("parent_header", {}).get("msg_id") != asked:
        answer = kernel.get_message(stream="shell", timeout=60)
    found = answer["content"]["user_expressions"]["asked"]
    return json.loads(ast.literal_eval(found["data"]["text/plain"]))


def stale(item) -> str | None:
    """What this run of a cell, an `IPyNbCell` of nbval, shows otherwise than the notebook stores, in one line."""
    stored, now = item.cell.get("outputs", []), item.test_outputs or []
    timed = TIMES in item.cell.metadata.get("tags", [])
    before, after = ([], []) if timed else (pictures(stored), pictures(now))
    if len(before) != len(after):
        return f"{len(after)} pictures, stored {len(before)}"
    for number, pair in enumerate(zip(before, after, strict=True), start=1):
        if (far := distance(*pair)) > FARTHEST:
            return f"picture {number} looks otherwise than the stored one (distance {far:.2f}, at most {FARTHEST})"
    before, after = shown_widgets(stored), shown_widgets(now)
    if len(before) != len(after):
        return f"{len(after)} widgets, stored {len(before)}"
    shown = item.parent.__dict__.setdefault("shown_widgets", [])
    shown += zip(before, after, strict=True)
    # A later cell may change a widget, and the notebook stores how it stands at the end.
    last = sum(cell.cell_type == "code" for cell in item.parent.nb.cells) - 1
    if shown and item.cell_num == last:
        saved = item.parent.nb.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
        living = ask(item.parent.kernel, STATES)  # of every widget, by its model
        for old, new in shown:
            if old not in saved:
                return "the notebook stores no state of a widget that it shows"
            kept = [
                {k: v for k, v in each.items() if k not in HOUSEKEEPING} for each in (saved[old]["state"], living[new])
            ]
            if found := different(*kept, "widget"):
                return found
    return None
