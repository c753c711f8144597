"""Run files of the page's engine without a browser: in the Node that Playwright brings along."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from playwright._impl._driver import compute_driver_executable

from lessons_lib.widgets._common import engine_text

NODE = compute_driver_executable()[0]


def in_node(names: Sequence[str], script: str, given: Any = None, seconds: float = 60) -> Any:
    """What `script`, the body of an async function of `given`, returns; it stands in one module with files of engine/.

    Raises:
        RuntimeError: the script throws; with what Node says.
    """
    call = f"const run = async (given) => {{\n{script}\n}};\n"
    call += f"console.log(JSON.stringify(await run({json.dumps(given, allow_nan=False)})));"
    command = [NODE, "--input-type=module"]
    done = subprocess.run(command, input=engine_text(names) + call, capture_output=True, text=True, timeout=seconds)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)
