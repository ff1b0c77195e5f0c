"""What tests of whole networks share."""

import numpy as np
import pytest

import mnist_core
from mnist_book import dataset


@pytest.fixture(scope="module")
def digits():
    practice = dataset.load_practice_digits()
    order = np.random.default_rng(3).permutation(len(practice.train_labels))[:600]
    x = mnist_core.scale_pixels(practice.train_images[order], np.float64)
    return x, practice.train_labels[order].astype(np.int64)
