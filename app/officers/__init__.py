"""Officers: the people who act, their roles, tokens and sessions."""
