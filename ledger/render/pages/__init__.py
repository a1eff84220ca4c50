"""The pages of the service: templates filled with values, in the reader's language."""
