"""Rows as undecoded JSON, repaired where they must be, and the Arrow tables made of them."""
