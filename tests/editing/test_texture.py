import pytest

from uvface.core.errors import InputError
from uvface.editing.texture import texture


def test_a_texture_of_no_photos_is_an_input_error(model):
    with pytest.raises(InputError, match="no photos; give one or more"):
        texture([], model=model)
