"""Capture: what comes from the artists' machines, and what their files say, as a record or a question."""
