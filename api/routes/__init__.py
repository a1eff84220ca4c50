"""The routes, one file per thing that people come for."""
