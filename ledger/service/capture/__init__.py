"""Capture: what hooks leave in a spool becomes signed records, and the log says what is missing."""
