"""The demo's painter: a brush model that is really learnt, and the cut that is really painted with it.

Pictures are ``float32`` arrays of shape ``(height, width, 3)``, sRGB from 0 to 1, until they are saved.
"""
