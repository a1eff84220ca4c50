"""What every recorded file rests on, kept as a projection, and what a policy says to that."""
