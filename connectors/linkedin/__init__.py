"""LinkedIn: the page of an organisation, what it publishes there, and what others answer."""

from connectors.linkedin.client import LinkedIn

__all__ = ["LinkedIn"]
