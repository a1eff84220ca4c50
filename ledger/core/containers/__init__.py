"""Where a C2PA manifest sits inside a file: byte-walks over containers, without decoding a picture.

Values in, values out. A walk reads lengths and markers, never trusts one further than the bytes it has, and
raises ``file.malformed`` for a container that ends too early and ``manifest.malformed`` for a manifest store
whose framing contradicts itself: dropping a damaged mark would lose it.
"""
