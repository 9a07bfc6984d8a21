"""UV layout, sampling, rasteriser, visibility, similarity, pose and crop."""
