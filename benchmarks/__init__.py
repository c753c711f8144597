"""How fast the library is on this machine: `make bench`. Its process is tuned as that of the command `lessons` is."""

from lessons_lib.process import tune_process

tune_process()
