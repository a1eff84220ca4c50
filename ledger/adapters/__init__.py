"""The edge: one file or folder per outside thing, and only it imports that thing."""
