"""Capture: what the tools' records come to, and what they leave out."""
