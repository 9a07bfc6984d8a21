"""Drawing a face over its photo: panels for people, and what each pixel shows of it."""
