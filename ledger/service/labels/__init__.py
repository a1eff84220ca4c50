"""Public labels: what a studio says in public of a delivered title or file, and whether it still holds."""
