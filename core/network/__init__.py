"""PRN modules and their weight files."""
