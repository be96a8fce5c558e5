"""The command line: one function per command, results on standard output, progress and messages on standard error."""

from app.cli.door import main

__all__ = ["main"]
