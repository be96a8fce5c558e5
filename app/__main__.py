"""`python -m app` in a checkout is what `muniment` is in an installation."""

from __future__ import annotations

import sys

from app.cli import main

if __name__ == "__main__":
    sys.exit(main())
