"""What people read over HTTP: pages of files, steps, shots, facts and verdicts, and lineage."""
