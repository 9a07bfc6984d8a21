"""Blur, grain and noise: a drawn face as sharp as the photo that it is put into."""
