"""Who asks: devices by their keys, people by an identity provider, programs by tokens, anybody by links."""
