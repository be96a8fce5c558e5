"""The web door: the API, the pages that people read, and what monitors ask. It translates; it decides nothing."""

from app.web.app import create
from app.web.parts import Parts

__all__ = ["Parts", "create"]
