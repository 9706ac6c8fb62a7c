"""Compares tables with Zendesk, row by row."""
