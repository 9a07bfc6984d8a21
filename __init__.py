"""uvface: position maps, UV textures, face swaps and edits."""
