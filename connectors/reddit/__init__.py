"""Reddit: a subreddit that the agency runs, or an account of the agency, with everything that answers it."""

from connectors.reddit.client import Reddit

__all__ = ["Reddit"]
