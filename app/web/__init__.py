"""The door for browsers and programs: the API and the pages."""
