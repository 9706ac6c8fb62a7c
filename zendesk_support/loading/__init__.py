"""Runs readers inside dlt: positions, sync modes, snapshot diffs, tables."""
