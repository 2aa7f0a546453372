"""`python -m portal_app …`."""

import sys

from portal_app.cli import main

if __name__ == "__main__":
    sys.exit(main())
