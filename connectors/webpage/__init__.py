"""Any web page, kept as it was served, with its files and with how it looked; and two platforms that have only pages."""

from connectors.webpage.client import WebPage
from connectors.webpage.profiles import Digg, MySpace

__all__ = ["Digg", "MySpace", "WebPage"]
