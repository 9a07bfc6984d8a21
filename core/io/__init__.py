"""Photos, videos, meshes, result files and provenance: what is read and written."""
