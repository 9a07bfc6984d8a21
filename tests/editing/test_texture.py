import pytest
from toy_models import ToyModel

from uvface.core.errors import InputError
from uvface.editing.texture import texture


def test_a_texture_of_no_photos_is_an_input_error():
    with pytest.raises(InputError, match="no photos; give one or more"):
        texture([], model=ToyModel())
