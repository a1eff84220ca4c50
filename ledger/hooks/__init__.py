"""What runs beside the artist: the client that every hook uses, and one file for each tool.

Nothing here imports the rest of Rakkan, or anything but the standard library and the tool itself: these files
are copied to where their tools look for them, and run in the tools' own Pythons.
"""
