"""A WordPress site of the simulated platform."""

from app.demo.wordpress.site import APPLICATION_PASSWORD, ARCHIVE_USER, WordPress, sign_in_page

__all__ = ["APPLICATION_PASSWORD", "ARCHIVE_USER", "WordPress", "sign_in_page"]
