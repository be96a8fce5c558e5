"""Facebook pages: what the agency publishes, what visitors say to it, and what only the page's own people see."""

from connectors.facebook.client import Facebook

__all__ = ["Facebook"]
