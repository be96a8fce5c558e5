"""Load files, tables, short-message files and logs: each written as a stream, and read back strictly by whoever verifies."""
