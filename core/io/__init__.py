"""Images, meshes, result files and provenance."""
