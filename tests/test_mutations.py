"""Plant bugs in the core and beside it, one at a time, and see that the tests find them.

Every row of the table is a mistake that a beginner makes (most of them are met in the book), and
names the test that must fail. One more run, with nothing changed, shows that it is the mistake that
the test fails of.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import mnist_core

TESTS = Path(__file__).parent
ROOT = Path(mnist_core.__file__).parent
FILES = (  # in which bugs are planted
    "mnist_core.py",
    "mnist_book/dataset.py",
    "mnist_book/__main__.py",
    "mnist_book/drawing/strokes.py",
)
SOURCES = {file: (ROOT / file).read_text(encoding="utf-8") for file in FILES}


class Mutation(NamedTuple):
    name: str
    right: str  # this occurs exactly once in one of FILES
    wrong: str
    test: str


LINEAR = "core/test_layers.py::test_linear_equals_three_loops"
SOFTMAX = "core/test_layers.py::test_softmax_equals_high_precision"
SOFTMAX_BY_HAND = "core/test_layers.py::test_softmax_by_hand"
LOSS_BY_HAND = "core/test_layers.py::test_cross_entropy_by_hand"
BENT = "core/test_layers.py::test_leaky_relu_value_by_value"
SLOPES = "core/test_layers.py::test_leaky_relu_gradient_value_by_value"
HE = "core/test_layers.py::test_he_normal"
XAVIER = "core/test_layers.py::test_xavier_normal"
GRADIENTS = "core/test_network.py::test_every_gradient_equals_central_differences"
FORWARD = "core/test_network.py::test_forward_equals_a_plain_implementation"
START = "core/test_network.py::test_weights_start_as_he_proposes_and_biases_at_0"
SGD = "core/test_training.py::test_train_equals_a_slow_and_obvious_implementation"
ORDER = (
    "core/test_training.py::test_each_epoch_shows_every_image_once_with_its_label_in_a_new_order"
)
IDX = "test_command_line.py::test_the_small_directory_is_read_as_it_was_written"
FOUND = "core/test_evaluation.py::test_planted_errors_are_found_in_the_right_array"
RASTER = "drawing/test_strokes.py::test_rasterize_equals_a_loop_over_pixels"
CENTRE = "drawing/test_strokes.py::test_the_inks_centre_of_mass_is_at_the_centre"

LINEAR_CALL = "linear(outputs[-1], self.weights[-1], self.biases[-1])"
ROW_MAXIMUM = "np.subtract(logits, logits.max(axis=1, keepdims=True), out=out, dtype=dtype)"
BACKWARD_BEND = "d_z[k - 1] *= leaky_relu_gradient(z[k - 1], self.slope, out=z[k - 1])"

MUTATIONS = [
    # The data.
    Mutation(
        "IDX sizes little-endian",
        'struct.unpack(f">{rank}I", sizes)',
        'struct.unpack(f"<{rank}I", sizes)',
        IDX,
    ),
    Mutation(
        "IDX header not skipped",
        "sizes = file.read(4 * rank)\n",
        "sizes = file.read(4 * rank)\n    file.seek(0)\n",
        IDX,
    ),
    Mutation(
        "IDX header of labels as of images",
        "start = file.read(4)\n",
        "start = file.read(4)\n    file.seek(4 if start[3] == 1 else 3)\n",
        IDX,
    ),
    Mutation("pixels signed", '0x08: np.dtype(">u1")', '0x08: np.dtype(">i1")', IDX),
    Mutation(
        "images transposed",
        "return array.reshape(shape).astype(",
        "return array.reshape(shape[:1] + shape[:0:-1]).T.reshape(shape).astype(",
        IDX,
    ),
    Mutation(
        "pixels divided by 256",
        "np.dtype(dtype).type(1 / 255))",
        "np.dtype(dtype).type(1 / 256))",
        "core/test_training.py::test_pixels_are_scaled_as_scale_pixels_does",
    ),
    Mutation(
        "training pixels not scaled",
        "type(1 / 255 if images.dtype == np.uint8 else 1)",
        "type(1)",
        "core/test_training.py::test_what_the_network_is_shown_lies_between_0_and_1",
    ),
    Mutation(
        "test pixels not scaled",
        "x = scale_pixels(x, network.dtype.type) if x.dtype == np.uint8 else x\n",
        "x = x.reshape(len(x), -1).astype(network.dtype)\n",
        "core/test_evaluation.py::test_predict_images_scales_pixels",
    ),
    # The layer.
    Mutation(
        "* for @",
        "z = np.matmul(x, weights, out=out)",
        "z = np.multiply(x, weights, out=out)",
        LINEAR,
    ),
    Mutation("no bias", "    z += bias\n", "", LINEAR),
    Mutation("bias subtracted", "    z += bias\n", "    z -= bias\n", LINEAR),
    Mutation(
        "weights transposed",
        "z = np.matmul(x, weights, out=out)",
        "z = np.matmul(x, weights.reshape(weights.shape[::-1]).T, out=out)",
        LINEAR,
    ),
    Mutation(
        "square weights transposed",
        "z = np.matmul(x, weights, out=out)",
        "z = np.matmul(x, weights.T if len(weights) == len(weights.T) else weights, out=out)",
        "core/test_layers.py::test_linear_with_square_weights_does_not_transpose_them",
    ),
    Mutation(
        "out ignored",
        "z = np.matmul(x, weights, out=out)",
        "z = np.matmul(x, weights)",
        "core/test_layers.py::test_linear_writes_to_out_and_allocates_nothing",
    ),
    # Softmax and cross-entropy.
    Mutation(
        "softmax over the batch",
        "p /= p.sum(axis=1, keepdims=True)",
        "p /= p.sum(axis=0, keepdims=True)",
        SOFTMAX_BY_HAND,
    ),
    Mutation(
        "softmax over everything",
        "p /= p.sum(axis=1, keepdims=True)",
        "p /= p.sum()",
        SOFTMAX_BY_HAND,
    ),
    Mutation("softmax not divided", "    p /= p.sum(axis=1, keepdims=True)\n", "", SOFTMAX_BY_HAND),
    Mutation(
        "softmax divided by the maximum",
        "p /= p.sum(axis=1, keepdims=True)",
        "p /= p.max(axis=1, keepdims=True)",
        SOFTMAX_BY_HAND,
    ),
    Mutation("softmax without exp", "    np.exp(p, out=p)\n    p /=", "    p /=", SOFTMAX_BY_HAND),
    Mutation(
        "powers of 2",
        "    np.exp(p, out=p)\n    p /=",
        "    np.exp2(p, out=p)\n    p /=",
        SOFTMAX_BY_HAND,
    ),
    Mutation(
        "no maximum subtracted",
        ROW_MAXIMUM,
        "np.multiply(logits, 1, out=out, dtype=dtype)",
        SOFTMAX,
    ),
    Mutation(
        "maximum of all rows",
        ROW_MAXIMUM,
        ROW_MAXIMUM.replace("axis=1, keepdims=True", ""),
        SOFTMAX,
    ),
    Mutation("maximum of columns", ROW_MAXIMUM, ROW_MAXIMUM.replace("axis=1", "axis=0"), SOFTMAX),
    Mutation(
        "maximum of magnitudes",
        ROW_MAXIMUM,
        ROW_MAXIMUM.replace("logits.max", "np.abs(logits).max"),
        SOFTMAX,
    ),
    Mutation(
        "log of softmax",
        "return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))",
        "return np.log(softmax(logits))",
        "core/test_layers.py::test_log_softmax_of_a_probability_that_underflows_is_finite",
    ),
    Mutation(
        "loss summed, not averaged",
        "    d_logits /= total[:, np.newaxis]",
        "    loss *= len(labels)\n    d_logits /= total[:, np.newaxis]",
        LOSS_BY_HAND,
    ),
    Mutation(
        "loss averaged over classes too",
        "    d_logits /= total[:, np.newaxis]",
        "    loss /= logits.shape[1]\n    d_logits /= total[:, np.newaxis]",
        LOSS_BY_HAND,
    ),
    Mutation(
        "loss gradient's sign",
        "    d_logits /= len(labels)\n",
        "    d_logits /= -len(labels)\n",
        LOSS_BY_HAND,
    ),
    Mutation(
        "gradient not divided by the batch", "    d_logits /= len(labels)\n", "", LOSS_BY_HAND
    ),
    Mutation(
        "gradient divided by the batch twice",
        "    d_logits /= len(labels)\n",
        "    d_logits /= len(labels) ** 2\n",
        LOSS_BY_HAND,
    ),
    Mutation(
        "gradient divided by the classes",
        "    d_logits /= len(labels)\n",
        "    d_logits /= logits.shape[1]\n",
        LOSS_BY_HAND,
    ),
    Mutation("one-hot not subtracted", "    d_logits[rows, labels] -= 1\n", "", LOSS_BY_HAND),
    Mutation(
        "1 subtracted from whole columns",
        "    d_logits[rows, labels] -= 1\n",
        "    d_logits[:, labels] -= 1\n",
        LOSS_BY_HAND,
    ),
    Mutation(
        "1 subtracted from the best class",
        "    d_logits[rows, labels] -= 1\n",
        "    d_logits[rows, d_logits.argmax(axis=1)] -= 1\n",
        LOSS_BY_HAND,
    ),
    Mutation(
        "loss of the label's column",
        "of_label = d_logits[rows, labels]",
        "of_label = d_logits[labels, rows]",
        LOSS_BY_HAND,
    ),
    Mutation(
        "labels not checked",
        "if batch and not 0 <= labels.min() <= labels.max() < classes:",
        "if False:",
        "core/test_layers.py::test_wrong_labels_are_refused",
    ),
    # The activation.
    Mutation(
        "slope ignored",
        "scaled = np.multiply(z, slope, out=out)",
        "scaled = np.multiply(z, 0, out=out)",
        BENT,
    ),
    Mutation(
        "minimum for maximum",
        "return np.maximum(z, scaled, out=scaled)",
        "return np.minimum(z, scaled, out=scaled)",
        BENT,
    ),
    Mutation(
        "no activation",
        "return np.maximum(z, scaled, out=scaled)",
        "return np.add(z, 0, out=scaled)",
        BENT,
    ),
    Mutation(
        "derivative always 1",
        "return np.maximum(positive, slopes, out=positive)",
        "return np.maximum(positive, 1, out=positive)",
        SLOPES,
    ),
    Mutation(
        "derivative without slope",
        "return np.maximum(positive, slopes, out=positive)",
        "return positive",
        SLOPES,
    ),
    Mutation(
        "derivative 1 at 0",
        "positive = np.greater(z, 0,",
        "positive = np.greater_equal(z, 0,",
        SLOPES,
    ),
    Mutation(
        "comparison inverted", "positive = np.greater(z, 0,", "positive = np.less(z, 0,", SLOPES
    ),
    # Initialization.
    Mutation(
        "He: the variance as deviation",
        "math.sqrt(2 / ((1 + slope**2) * inputs))",
        "2 / ((1 + slope**2) * inputs)",
        HE,
    ),
    Mutation(
        "He: outputs for inputs",
        "math.sqrt(2 / ((1 + slope**2) * inputs))",
        "math.sqrt(2 / ((1 + slope**2) * outputs))",
        HE,
    ),
    Mutation(
        "He: 1 for 2",
        "math.sqrt(2 / ((1 + slope**2) * inputs))",
        "math.sqrt(1 / ((1 + slope**2) * inputs))",
        HE,
    ),
    Mutation(
        "He: slope forgotten",
        "math.sqrt(2 / ((1 + slope**2) * inputs))",
        "math.sqrt(2 / inputs)",
        HE,
    ),
    Mutation(
        "He: uniform",
        "rng.normal(0, math.sqrt(2 / ((1 + slope**2) * inputs)), (inputs, outputs))",
        "rng.uniform(-1, 1, (inputs, outputs)) * math.sqrt(6 / ((1 + slope**2) * inputs))",
        HE,
    ),
    Mutation(
        "Xavier: 6 for 2",
        "math.sqrt(2 / (inputs + outputs))",
        "math.sqrt(6 / (inputs + outputs))",
        XAVIER,
    ),
    Mutation(
        "Xavier: inputs only", "math.sqrt(2 / (inputs + outputs))", "math.sqrt(1 / inputs)", XAVIER
    ),
    Mutation(
        "weights start at 0",
        "weights[...] = he_normal(rng, inputs, outputs, slope)",
        "weights[...] = 0",
        START,
    ),
    Mutation(
        "weights of the first layer's size",
        "weights[...] = he_normal(rng, inputs, outputs, slope)",
        "weights[...] = he_normal(rng, inputs, outputs, slope) * len(weights) / self.sizes[0]",
        START,
    ),
    # The network.
    Mutation(
        "activation behind the last layer",
        f"outputs.append({LINEAR_CALL})",
        f"outputs.append(leaky_relu({LINEAR_CALL}, self.slope))",
        FORWARD,
    ),
    Mutation(
        "no activation between layers",
        "outputs.append(leaky_relu(linear(outputs[-1], weights, bias), self.slope))",
        "outputs.append(linear(outputs[-1], weights, bias))",
        FORWARD,
    ),
    Mutation(
        "default slope instead of its own",
        "leaky_relu(z[k], self.slope, out=inputs[k + 1])",
        "leaky_relu(z[k], out=inputs[k + 1])",
        GRADIENTS,
    ),
    Mutation(
        "weights not transposed on the way back",
        "np.matmul(d_z, weights.T, out=out[0])",
        "np.matmul(d_z, weights.reshape(weights.shape[::-1]), out=out[0])",
        GRADIENTS,
    ),
    Mutation(
        "d_weights from other rows",
        "d_weights = np.matmul(x.T, d_z, out=out[1])",
        "d_weights = np.matmul(x[::-1].T, d_z, out=out[1])",
        GRADIENTS,
    ),
    Mutation(
        "d_bias averaged",
        "d_bias = np.sum(d_z, axis=0, out=out[2])",
        "d_bias = np.mean(d_z, axis=0, out=out[2])",
        GRADIENTS,
    ),
    Mutation(
        "d_bias forgotten",
        "d_bias = np.sum(d_z, axis=0, out=out[2])",
        "d_bias = np.sum(d_z * 0, axis=0, out=out[2])",
        GRADIENTS,
    ),
    Mutation("derivative of the bend forgotten", BACKWARD_BEND, "pass", GRADIENTS),
    Mutation(
        "derivative at the activation, of another slope",
        BACKWARD_BEND,
        BACKWARD_BEND.replace("self.slope", "0.01"),
        GRADIENTS,
    ),
    Mutation(
        "derivative of the wrong layer's z",
        BACKWARD_BEND,
        "w = z[k].mean(axis=1, keepdims=True); d_z[k - 1] *= leaky_relu_gradient(w, self.slope)",
        GRADIENTS,
    ),
    Mutation(
        "the bend itself for its derivative",
        BACKWARD_BEND,
        "d_z[k - 1] *= leaky_relu(z[k - 1], self.slope)",
        GRADIENTS,
    ),
    Mutation(
        "gradients added up from step to step",
        "d_weights = np.matmul(x.T, d_z, out=out[1])",
        "d_weights = np.add(0 if out[1] is None else out[1], x.T @ d_z, out=out[1])",
        "core/test_network.py::test_used_buffers_give_the_same_as_fresh_ones",
    ),
    Mutation(
        "parameters copied, not views",
        "views += [vector[start:end].reshape(inputs, outputs), ",
        "views += [vector[start:end].reshape(inputs, outputs).copy(), ",
        "core/test_network.py::test_parameters_are_views_of_vector_end_to_end",
    ),
    Mutation(
        "the least probable class",
        "return self.forward(x).argmax(axis=1)",
        "return self.forward(x).argmin(axis=1)",
        "core/test_network.py::test_predictions_are_the_most_probable_classes",
    ),
    Mutation(
        "NaN saved",
        "if not np.isfinite(self.vector).all():",
        "if False:",
        "core/test_network.py::test_save_refuses_nan_and_leaves_the_old_file",
    ),
    Mutation(
        "slope not loaded",
        "network = cls(sizes, slope=slope,",
        "network = cls(sizes,",
        "core/test_network.py::test_a_saved_network_comes_back_exactly",
    ),
    # Training.
    Mutation("uphill", "velocity -= buffers.vector", "velocity += buffers.vector", SGD),
    Mutation("momentum's sign", "velocity *= momentum", "velocity *= -momentum", SGD),
    Mutation("momentum ignored", "velocity *= momentum", "velocity *= 0", SGD),
    Mutation(
        "velocity averaged",
        "velocity -= buffers.vector",
        "velocity -= (1 - momentum) * buffers.vector",
        SGD,
    ),
    Mutation(
        "velocity forgotten after each epoch",
        "        total = 0.0\n",
        "        total = 0.0\n        velocity[...] = 0\n",
        SGD,
    ),
    Mutation("learning rate ignored", "            buffers.vector *= learning_rate\n", "", SGD),
    Mutation("no step", "            network.vector += velocity\n", "", SGD),
    Mutation(
        "epoch's loss: small batches count as whole ones",
        "total += loss * len(rows)",
        "total += loss * batch_size",
        SGD,
    ),
    Mutation(
        "epoch's loss of the last batch", "total += loss * len(rows)", "total = loss * n", SGD
    ),
    Mutation("not shuffled", "order = rng.permutation(n)", "order = np.arange(n)", ORDER),
    Mutation(
        "shuffled once",
        "order = rng.permutation(n)",
        "order = np.random.default_rng(0).permutation(n)",
        ORDER,
    ),
    Mutation(
        "drawn with replacement",
        "order = rng.permutation(n)",
        "order = rng.integers(0, n, n)",
        ORDER,
    ),
    Mutation(
        "labels not shuffled with the images",
        "labels[rows], buffers)",
        "labels[start : start + batch_size], buffers)",
        ORDER,
    ),
    Mutation(
        "last batch dropped",
        "for start in range(0, n, batch_size):",
        "for start in range(0, n - n % batch_size, batch_size):",
        ORDER,
    ),
    Mutation(
        "validated after the first epoch only",
        "        if validation:\n",
        "        if validation and number == 1:\n",
        "core/test_training.py::test_validation_accuracy_is_that_of_the_network_after_the_pass",
    ),
    # Evaluation.
    Mutation(
        "accuracy of (n, 1)",
        'compares every prediction with every label.\n    """\n',
        'compares.\n    """\n    return float(np.mean(predictions == labels))\n',
        "core/test_evaluation.py::test_accuracy_refuses_anything_but_two_rows_of_the_same_length",
    ),
    Mutation(
        "confusion matrix transposed",
        "np.add.at(counts, (labels, predictions), 1)",
        "np.add.at(counts, (predictions, labels), 1)",
        "core/test_evaluation.py::test_confusion_matrix_has_true_digits_in_rows",
    ),
    Mutation(
        "confusion matrix counts a pair once",
        "np.add.at(counts, (labels, predictions), 1)",
        "counts[labels, predictions] += 1",
        "core/test_evaluation.py::test_confusion_matrix_equals_counting",
    ),
    Mutation(
        "precision for accuracy of a digit",
        "return counts.diagonal() / counts.sum(axis=1)",
        "return counts.diagonal() / counts.sum(axis=0)",
        "core/test_evaluation.py::test_accuracy_per_digit_is_nan_for_a_digit_that_is_not_there",
    ),
    Mutation(
        "rest of the images forgotten",
        "for start in range(0, len(images), at_once):",
        "for start in range(0, len(images) - at_once + 1, at_once):",
        "core/test_evaluation.py::test_some_images_at_a_time_give_the_same_as_all_at_once",
    ),
    Mutation(
        "forward difference",
        "parameter.flat[entry] = value - step",
        "parameter.flat[entry] = value",
        "core/test_evaluation.py::test_the_differences_are_central",
    ),
    Mutation(
        "difference over one step only",
        "(above - below) / (2 * step)\n        analytic",
        "(above - below) / step\n        analytic",
        "core/test_evaluation.py::test_right_gradients_pass",
    ),
    Mutation(
        "parameter not restored",
        "            parameter.flat[entry] = value\n            numeric[row]",
        "            numeric[row]",
        "core/test_evaluation.py::test_parameters_come_back_exactly_and_gradients_stay",
    ),
    Mutation(
        "parameter restored by arithmetic",
        "            parameter.flat[entry] = value\n            numeric[row]",
        "            parameter.flat[entry] += step\n            numeric[row]",
        "core/test_evaluation.py::test_parameters_come_back_exactly_and_gradients_stay",
    ),
    Mutation(
        "gradients compared with themselves",
        "analytic = gradient.flat[chosen]",
        "analytic = numeric",
        FOUND,
    ),
    Mutation(
        "sizes compared, not directions",
        "np.linalg.norm(numeric - analytic) / size",
        "abs(np.linalg.norm(numeric) - np.linalg.norm(analytic)) / size",
        FOUND,
    ),
    Mutation(
        "largest gradients not chosen",
        "[-(entries // 2) :]",
        "[: entries // 2]",
        "core/test_evaluation.py::test_an_error_in_one_large_entry_of_a_big_array_is_found",
    ),
    Mutation(
        "large negative gradients not chosen",
        "np.argsort(np.abs(gradient), axis=None)",
        "np.argsort(gradient, axis=None)",
        "core/test_evaluation.py::test_an_error_in_one_large_entry_of_a_big_array_is_found",
    ),
    # Drawing.
    Mutation(
        "x and y swapped",
        "fraction = in_y[:, :, np.newaxis] + in_x[:, np.newaxis]",
        "fraction = in_x[:, :, np.newaxis] + in_y[:, np.newaxis]",
        RASTER,
    ),
    Mutation(
        "corners of the pixels for their centres",
        "centres = np.arange(28) + 0.5",
        "centres = np.arange(28)",
        RASTER,
    ),
    Mutation(
        "distance in x alone",
        "    squared += fraction\n",
        "",
        RASTER,
    ),
    Mutation("lines without ends", "    np.clip(fraction, 0, 1, out=fraction)\n", "", RASTER),
    Mutation(
        "pen as radius",
        "return np.clip(pen / 2 - distance + 0.5, 0, 1)",
        "return np.clip(pen - distance + 0.5, 0, 1)",
        RASTER,
    ),
    Mutation(
        "hard edges",
        "return np.clip(pen / 2 - distance + 0.5, 0, 1)",
        "return (distance < pen / 2) * 1.0",
        RASTER,
    ),
    Mutation(
        "ink and paper exchanged",
        "return np.clip(pen / 2 - distance + 0.5, 0, 1)",
        "return 1 - np.clip(pen / 2 - distance + 0.5, 0, 1)",
        RASTER,
    ),
    Mutation("not centred", "    starts, ends = centre_ink(starts, ends, centre)\n", "", CENTRE),
    Mutation(
        "centred by points",
        "lengths = np.hypot(*(ends - starts).T) + 1e-9",
        "lengths = np.ones(len(starts))",
        "drawing/test_strokes.py::test_a_long_stroke_weighs_more_than_a_short_one_with_many_points",
    ),
    Mutation(
        "proportions lost",
        "side / max(np.ptp(points, axis=0).max(), 1e-9)",
        "side / np.ptp(points, axis=0).clip(1e-9)",
        "drawing/test_strokes.py::test_proportions_are_kept",
    ),
    Mutation(
        "not scaled",
        "    starts, ends = fit_to_box(starts, ends, box - pen)\n",
        "",
        "drawing/test_strokes.py::test_how_large_it_was_drawn_does_not_matter",
    ),
    Mutation(
        "pen not part of the box",
        "fit_to_box(starts, ends, box - pen)",
        "fit_to_box(starts, ends, box)",
        "drawing/test_strokes.py::test_the_ink_fits_the_box",
    ),
    Mutation(
        "strokes joined",
        "arrays = without_specks(strokes)",
        "arrays = [np.concatenate(strokes)]",
        "drawing/test_strokes.py::test_strokes_are_not_joined",
    ),
    Mutation(
        "specks stay",
        "arrays = without_specks(strokes)",
        "arrays = strokes",
        "drawing/test_strokes.py::test_a_speck_beside_a_digit_changes_nothing",
    ),
    Mutation(
        "specks measured by the smallest stroke",
        "share * max(extents, default=0.0)",
        "share * min(extents, default=0.0)",
        "drawing/test_strokes.py::test_a_stroke_that_is_small_but_no_speck_stays",
    ),
    Mutation(
        "lone dots taken for specks",
        "if extent >= limit]",
        "if extent > limit]",
        "drawing/test_strokes.py::test_dots_alone_are_no_specks",
    ),
    Mutation(
        "curves everywhere",
        "> gap * side, PIECES, 1)",
        "> 0, PIECES, 1)",
        "drawing/test_strokes.py::test_only_where_points_are_far_apart_there_are_curves",
    ),
    Mutation(
        "curves that make loops",
        "times = np.sqrt(np.hypot(*steps.T))",
        "times = (np.hypot(*steps.T) ** 0)",
        "drawing/test_strokes.py::test_a_curve_is_smooth_and_makes_no_loop_where_points_are_unevenly_far_apart",
    ),
    # The command line.
    Mutation(
        "one hidden layer only",
        "[784, *(options.hidden or [128]), 10]",
        "[784, *(options.hidden or [128])[:1], 10]",
        "test_command_line.py::test_hidden_can_be_repeated",
    ),
    Mutation(
        "seed ignored",
        "rng = np.random.default_rng(options.seed)",
        "rng = np.random.default_rng()",
        "test_command_line.py::test_the_seed_makes_it_reproducible",
    ),
    Mutation(
        "tested on the training images",
        "predictions = predict_images(network, digits.test_images)\n",
        "predictions = predict_images(network, digits.train_images)[: len(digits.test_labels)]\n",
        "test_command_line.py::test_train_prints_accuracies_and_saves_the_weights",
    ),
]

# Runs in a process of its own, which imports NumPy and pytest once for many cores.
RUN_THEM = """
import importlib, json, sys
from pathlib import Path
import pytest

results = {}
for directory, tests in json.loads(sys.stdin.read()):
    for name in list(sys.modules):
        part = name.partition(".")[0]
        if part in {"mnist_core", "mnist_book"} or name.rpartition(".")[2].startswith("test_"):
            del sys.modules[name]
    sys.path.insert(0, directory)
    importlib.invalidate_caches()
    options = ["-c", directory + "/pytest.ini", "--rootdir", directory, "--noconftest"]
    options += ["--import-mode=importlib", "-pno:cacheprovider", "-x", "-q", "--tb=short"]
    options += ["--assert=plain"]  # they fail alike, and are not rewritten each time
    status = pytest.main([*options, *tests])
    results[directory] = int(status), sys.modules["mnist_core"].__file__
    sys.path.remove(directory)
Path("results.json").write_text(json.dumps(results))
"""


def run_tests(cases, directory):
    """Run each (name, changed file, its source, tests); return the exit status of each by name."""
    jobs, names = [], {}
    without = shutil.ignore_patterns("__pycache__", "page")
    for number, (name, file, source, tests) in enumerate(cases):
        place = directory / str(number)
        shutil.copytree(ROOT / "mnist_book", place / "mnist_book", ignore=without)
        shutil.copy(ROOT / "mnist_core.py", place)
        (place / file).write_text(source, encoding="utf-8")
        (place / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        jobs.append((str(place), [str(TESTS / test) for test in tests]))
        names[str(place)] = name
    run = subprocess.run(
        [sys.executable, "-P", "-c", RUN_THEM],
        cwd=directory,
        env=os.environ
        | {
            "PYTEST_ADDOPTS": "",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    results = json.loads((directory / "results.json").read_text("utf-8"))
    for place, (_, tested) in results.items():
        assert tested == str(Path(place) / "mnist_core.py")  # and not the right core
    return {names[place]: status for place, (status, _) in results.items()}, run.stdout


def changed_file(mutation):
    """Name the file that holds the right line, once."""
    counts = {file: source.count(mutation.right) for file, source in SOURCES.items()}
    found = [file for file, count in counts.items() if count == 1]
    assert len(found) == sum(counts.values()) == 1, f"{mutation.name}: {mutation.right}: {counts}"
    return found[0]


TESTED = sorted({mutation.test.partition("::")[0] for mutation in MUTATIONS})


@pytest.mark.parametrize("tested", TESTED)
def test_every_planted_bug_is_found_by_the_test_named(tested, tmp_path):
    mutations = [mutation for mutation in MUTATIONS if mutation.test.startswith(tested)]
    tests = sorted({mutation.test for mutation in mutations})
    cases = [("nothing", FILES[0], SOURCES[FILES[0]], tests)]
    for mutation in mutations:
        file = changed_file(mutation)
        source = SOURCES[file].replace(mutation.right, mutation.wrong)
        compile(source, mutation.name, "exec")
        cases.append((mutation.name, file, source, [mutation.test]))
    statuses, report = run_tests(cases, tmp_path)
    assert statuses.pop("nothing") == pytest.ExitCode.OK, report
    assert len(statuses) == len(mutations)
    not_found = {n: s for n, s in statuses.items() if s != pytest.ExitCode.TESTS_FAILED}
    assert not not_found, "exit statuses of tests that did not fail, or failed in another way"


def test_every_planted_bug_is_another_one():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
    assert len({(mutation.right, mutation.wrong) for mutation in MUTATIONS}) == len(MUTATIONS)
