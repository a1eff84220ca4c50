"""The page of the demo: a file from raw materials to its seal, what is refused, what an attacker gets."""
