"""Run `paxect-batch` as `python -m paxect_batch`."""

import sys

from paxect_batch.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
