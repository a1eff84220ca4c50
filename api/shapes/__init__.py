"""What the answers to readers look like, for OpenAPI. They are made elsewhere; tests hold them to this."""
