"""How each kind of endpoint is read, from a position on; knows no stream, and of dlt its log alone."""
