"""Muniment: an archive of what an agency's pages say and what the public says back."""

from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parent.parent
"""Where `migrations/` and `retention_schedules/` stand: right in a checkout and in an installation."""
