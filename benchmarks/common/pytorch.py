"""The network of the book in PyTorch."""

import torch


def two_layers(hidden: int, slope: float = 0.01) -> torch.nn.Sequential:
    """Make 784-hidden-10 with leaky ReLU, its weights drawn as `mnist_core.Network` draws them."""
    network = torch.nn.Sequential(
        torch.nn.Linear(784, hidden), torch.nn.LeakyReLU(slope), torch.nn.Linear(hidden, 10)
    )
    for layer in (network[0], network[2]):
        torch.nn.init.kaiming_normal_(layer.weight, a=slope)
        torch.nn.init.zeros_(layer.bias)
    return network
