"""Files that come with the package: UV layout, weights, notices; no logic."""
