"""Checks for the reader's own functions: each says what is wrong, and what usually causes that.

A check feeds a function inputs whose right answer is known. Where the answer is wrong, it compares
it with the answers that the usual mistakes give, so that it can name the mistake. It looks at what
comes out, never at how the code is written. Rows are examples unless `columns=True` is passed.

Your function runs, on copies of its arguments and in a thread with a limit. Held off are errors of
all kinds, `sys.exit()` and endless recursion too; a call that does not end within five seconds of
work; on Linux, one that takes more than 4 GiB of memory; what it prints; results of any kind and
size; and what it does to its arguments, NumPy's error state and the filters of warnings. A thread
is no sandbox: not held off are files, globals, random generators and settings of your own, threads
and processes that it starts, C code that keeps the interpreter to itself, and crashes.
`mnist_book.diagnosis.running` has the whole list.
"""

from mnist_book.diagnosis.checks.activation import leaky_relu, leaky_relu_gradient
from mnist_book.diagnosis.checks.data import big_endian, nearest_mean, read_idx, scale_pixels
from mnist_book.diagnosis.checks.gradients import gradients, train_step
from mnist_book.diagnosis.checks.initialization import he_normal
from mnist_book.diagnosis.checks.layer import (
    SHAPE_LEDGER,
    accuracy,
    linear,
    linear_gradient,
    shapes,
)
from mnist_book.diagnosis.checks.softmax import cross_entropy, softmax

__all__ = [
    "SHAPE_LEDGER",
    "accuracy",
    "big_endian",
    "cross_entropy",
    "gradients",
    "he_normal",
    "leaky_relu",
    "leaky_relu_gradient",
    "linear",
    "linear_gradient",
    "nearest_mean",
    "read_idx",
    "scale_pixels",
    "shapes",
    "softmax",
    "train_step",
]
