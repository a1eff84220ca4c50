"""A client's questions, answered with the final files that they are about."""
