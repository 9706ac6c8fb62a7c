"""Views at the destination with a column for each custom field, and for what else is nested in a row."""
