"""Papers: how whatever an agency puts on paper is set, with every script in it and nobody's words in charge."""
