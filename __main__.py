"""``python -m uvface``: the command line, for where ``uvface`` is not on the path."""

import sys

from uvface.cli import main

if __name__ == "__main__":
    sys.exit(main())
