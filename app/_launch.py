"""Starts Muniment where it was installed. The wheel ships this file as `muniment/__init__.py`.

The package `muniment` carries the tree of the checkout in `_bundle`. It is
put at the head of `sys.path` only when the command runs, so that `import app`
means nothing of ours to other code in the same environment.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Run the command line and give its exit code."""
    bundle = Path(__file__).resolve().parent / "_bundle"
    if bundle.is_dir():  # absent in an editable install, where the checkout itself is on the path
        sys.path.insert(0, str(bundle))
    from app.cli import main as run

    return run()
