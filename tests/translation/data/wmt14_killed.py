"""A program that prepares a corpus and is killed, again and again, for test_wmt14.py.

Each number after the folders is a moment: that many files written, renamed, or fifties of rows read, and kill -9.
"""

import os
import signal
import sys
from pathlib import Path

from lessons_lib.translation.data.wmt14 import prepare
from lessons_lib.translation.data.wmt14_source import Source

out, source, n_pairs, part_pairs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
moments = {"left": 0, "rows": 0}


def counting(function):
    def counted(*arguments):
        if function is read_row:
            moments["rows"] += 1
        if function is not read_row or moments["rows"] % 50 == 0:
            moments["left"] -= 1
            if moments["left"] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)

    return counted


read_row = Source._next
Source._next = counting(read_row)
os.fsync, os.replace = counting(os.fsync), counting(os.replace)

for moment in map(int, sys.argv[5:]):
    if (child := os.fork()) == 0:
        moments["left"] = moment
        prepare(out, n_pairs, source, part_pairs)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
prepare(out, n_pairs, source, part_pairs)
