"""Run `paxect-core` as `python -m paxect_core`."""

import sys

from paxect_core.cli import main

sys.exit(main())
