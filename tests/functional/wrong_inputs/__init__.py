"""What is wrong, and what wsgid says of it: a table, its rows, and how they are tried."""
