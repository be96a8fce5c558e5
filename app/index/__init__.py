"""The index follows the ledger and answers queries."""
