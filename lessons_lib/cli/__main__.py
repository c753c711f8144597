"""``python -m lessons_lib.cli`` is the command `lessons`."""

import sys

from lessons_lib.cli import main

sys.exit(main())
