"""Position maps, geometry, networks, rendering, training and files."""
