"""Docstrings draw from the global generator: seeded, so that no example fails by chance."""

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
