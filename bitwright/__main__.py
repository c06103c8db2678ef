"""The command: python -m bitwright."""

import sys

from bitwright.cli import main

sys.exit(main())
