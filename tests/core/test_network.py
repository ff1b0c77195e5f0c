"""The network, its gradients, and its file: chapter 6."""

import io
import itertools
import math
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest

from mnist_core import MAX_PARAMETERS, Buffers, Network, cross_entropy, gradient_check, softmax

LAYERS = [(5, 3), (5, 4, 3), (5, 6, 4, 3), (5, 4, 7, 6, 3)]
SLOPES = [0, 0.01, 1]


def plain_pre_activations(parameters, x, slope):
    """Each layer's pre-activations, logits last, without a function of the code under test."""
    found = []
    for weights, bias in zip(parameters[0::2], parameters[1::2], strict=True):
        if found:
            x = np.where(found[-1] > 0, found[-1], slope * found[-1])
        found.append(np.einsum("bi,io->bo", x, weights) + bias)
    return found


def plain_loss(parameters, x, labels, slope):
    logits = plain_pre_activations(parameters, x, slope)[-1]
    losses = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        largest = max(row)
        losses.append(largest + math.log(sum(math.exp(v - largest) for v in row)) - row[label])
    return math.fsum(losses) / len(losses)


def make_case(sizes, slope, batch, dtype=np.float64):
    """A network with biases, inputs and labels, all of whose bends are far from every z."""
    for seed in itertools.count():
        rng = np.random.default_rng(seed)
        network = Network(sizes, rng=rng, slope=slope, dtype=dtype)
        for bias in network.biases:
            bias[...] = rng.normal(0, 0.5, bias.shape)
        x = rng.normal(size=(batch, sizes[0])).astype(dtype)
        labels = rng.integers(0, sizes[-1], batch)
        hidden = plain_pre_activations(network.parameters, x, slope)[:-1]
        far_from_bend = all(np.abs(z).min() > 5e-4 for z in hidden)
        # With slope 0 a layer without a positive unit would stop every gradient.
        alive = all((z > 0).sum(axis=1).min() >= 1 or batch > 1 for z in hidden)
        mixed = all(0.1 < np.mean(z > 0) < 0.9 for z in hidden)
        if far_from_bend and alive and mixed:
            return network, x, labels


# --------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("batch", [1, 32])
@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("sizes", LAYERS)
def test_every_gradient_equals_central_differences(sizes, slope, batch):
    network, x, labels = make_case(sizes, slope, batch)
    step = 1e-5
    for z in plain_pre_activations(network.parameters, x, slope)[:-1]:
        assert np.abs(z).min() > 20 * step  # no bend between p - step and p + step
    loss, gradients = network.loss_and_gradients(x, labels)
    copies = [array.copy() for array in network.parameters]
    assert loss == pytest.approx(plain_loss(copies, x, labels, slope), rel=1e-13)
    assert len(gradients) == len(copies) == 2 * (len(sizes) - 1)
    for parameter, gradient in zip(copies, gradients, strict=True):
        numeric = np.empty(parameter.shape)
        for entry in np.ndindex(parameter.shape):
            value = parameter[entry]
            parameter[entry] = value + step
            above = plain_loss(copies, x, labels, slope)
            parameter[entry] = value - step
            below = plain_loss(copies, x, labels, slope)
            parameter[entry] = value
            numeric[entry] = (above - below) / (2 * step)
        assert gradient.shape == parameter.shape
        assert np.linalg.norm(numeric) > 1e-3
        difference = np.linalg.norm(gradient - numeric)
        assert difference / (np.linalg.norm(gradient) + np.linalg.norm(numeric)) < 1e-7


@pytest.mark.parametrize("batch", [1, 32])
@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("sizes", LAYERS)
def test_gradient_check_confirms_every_gradient(sizes, slope, batch):
    network, x, labels = make_case(sizes, slope, batch)
    errors = gradient_check(
        lambda: cross_entropy(network.forward(x), labels),
        network.parameters,
        network.gradients(x, labels),
        rng=np.random.default_rng(0),
    )
    assert len(errors) == len(network.parameters)
    assert max(errors) < 1e-7


@pytest.mark.parametrize("batch", [1, 32])
def test_the_gradient_of_a_batch_is_the_mean_of_its_examples(batch):
    network, x, labels = make_case((5, 6, 4, 3), 0.01, batch)
    alone = [network.loss_and_gradients(x[i : i + 1], labels[i : i + 1]) for i in range(batch)]
    loss, gradients = network.loss_and_gradients(x, labels)
    assert loss == pytest.approx(sum(pair[0] for pair in alone) / batch, rel=1e-13)
    for k, gradient in enumerate(gradients):
        mean = sum(pair[1][k] for pair in alone) / batch
        np.testing.assert_allclose(gradient, mean, rtol=1e-11, atol=1e-14)


def test_gradients_are_those_of_loss_and_gradients():
    network, x, labels = make_case((5, 4, 3), 0.01, 8)
    _, expected = network.loss_and_gradients(x, labels)
    for ours, theirs in zip(network.gradients(x, labels), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_gradients_leave_parameters_inputs_and_labels_alone():
    network, x, labels = make_case((5, 4, 3), 0.01, 8)
    vector, inputs, classes = network.vector.copy(), x.copy(), labels.copy()
    network.loss_and_gradients(x, labels)
    np.testing.assert_array_equal(network.vector, vector)
    np.testing.assert_array_equal(x, inputs)
    np.testing.assert_array_equal(labels, classes)


@pytest.mark.parametrize("sizes", LAYERS)
def test_float32_agrees_with_float64_to_six_digits(sizes):
    network, x, labels = make_case(sizes, 0.01, 32)
    single = Network(sizes, rng=np.random.default_rng(0), slope=0.01)
    assert single.dtype == np.float32  # the default
    single.vector[...] = network.vector
    loss, gradients = network.loss_and_gradients(x, labels)
    single_loss, single_gradients = single.loss_and_gradients(x.astype(np.float32), labels)
    assert single_loss == pytest.approx(loss, rel=1e-5)
    for ours, exact in zip(single_gradients, gradients, strict=True):
        assert ours.dtype == np.float32
        assert np.linalg.norm(ours - exact) < 1e-5 * np.linalg.norm(exact)
    logits = single.forward(x.astype(np.float32))
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, network.forward(x), rtol=1e-4, atol=1e-5)


# --------------------------------------------------------------------------------- buffers


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("sizes", LAYERS)
def test_what_the_buffers_held_before_does_not_matter(sizes, slope):
    network, x, labels = make_case(sizes, slope, 8)
    fresh_loss, fresh = network.loss_and_gradients(x, labels)
    buffers = Buffers(network, 8)
    for array in [buffers.x, *buffers.hidden, *buffers.z, *buffers.d_z, buffers.vector]:
        array.fill(np.nan)
    loss, gradients = network.loss_and_gradients(x, labels, buffers)
    assert loss == fresh_loss
    for ours, expected in zip(gradients, fresh, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_used_buffers_give_the_same_as_fresh_ones():
    network, x, labels = make_case((5, 6, 4, 3), 0.01, 16)
    buffers = Buffers(network, 8)
    for half in (slice(0, 8), slice(8, 16), slice(0, 8)):
        loss, gradients = network.loss_and_gradients(x[half], labels[half], buffers)
        fresh_loss, fresh = network.loss_and_gradients(x[half], labels[half])
        assert loss == fresh_loss
        for ours, expected in zip(gradients, fresh, strict=True):
            np.testing.assert_array_equal(ours, expected)


def test_gradients_are_views_of_the_buffers_vector():
    network, x, labels = make_case((5, 4, 3), 0.01, 8)
    buffers = Buffers(network, 8)
    _, gradients = network.loss_and_gradients(x, labels, buffers)
    assert all(np.shares_memory(gradient, buffers.vector) for gradient in gradients)
    flat = np.concatenate([gradient.ravel() for gradient in gradients])
    np.testing.assert_array_equal(buffers.vector, flat)


def test_gradients_without_buffers_are_not_overwritten_by_the_next_call():
    network, x, labels = make_case((5, 4, 3), 0.01, 8)
    first = network.gradients(x, labels)
    kept = [gradient.copy() for gradient in first]
    network.gradients(-x, labels)
    for ours, expected in zip(first, kept, strict=True):
        np.testing.assert_array_equal(ours, expected)


# --------------------------------------------------------------------------------- forward


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("sizes", LAYERS)
def test_forward_equals_a_plain_implementation(sizes, slope):
    network, x, _ = make_case(sizes, slope, 7)
    *hidden, logits = plain_pre_activations(network.parameters, x, slope)
    np.testing.assert_allclose(network.forward(x), logits, rtol=1e-12, atol=1e-14)
    found = network.activations(x)
    assert [array.shape for array in found] == [(7, size) for size in sizes[1:]]
    for ours, z in zip(found[:-1], hidden, strict=True):
        np.testing.assert_allclose(ours, np.where(z > 0, z, slope * z), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(found[-1], network.forward(x))


def test_predictions_are_the_most_probable_classes():
    network, x, _ = make_case((5, 4, 3), 0.01, 40)
    p = network.predict_proba(x)
    logits = plain_pre_activations(network.parameters, x, 0.01)[-1]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(p, expected, rtol=1e-12)
    np.testing.assert_array_equal(p, softmax(network.forward(x)))
    predictions = network.predict(x)
    assert predictions.shape == (40,)
    assert predictions.tolist() == [row.index(max(row)) for row in expected.tolist()]
    assert len(set(predictions.tolist())) > 1


# --------------------------------------------------------------------------------- construction


@pytest.mark.parametrize("sizes", LAYERS)
def test_parameters_are_views_of_vector_end_to_end(sizes):
    network = Network(sizes, rng=np.random.default_rng(0))
    shapes = []
    for inputs, outputs in itertools.pairwise(sizes):
        shapes += [(inputs, outputs), (outputs,)]
    assert [array.shape for array in network.parameters] == shapes
    assert sum(array.size for array in network.parameters) == network.vector.size
    network.vector[...] = np.arange(network.vector.size)
    flat = np.concatenate([array.ravel() for array in network.parameters])
    np.testing.assert_array_equal(flat, np.arange(network.vector.size))
    for array in network.parameters:
        array += 1
    np.testing.assert_array_equal(network.vector, np.arange(network.vector.size) + 1)
    assert len(network.weights) == len(network.biases) == len(sizes) - 1
    for k, (weights, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        assert weights is network.parameters[2 * k]
        assert bias is network.parameters[2 * k + 1]


@pytest.mark.parametrize("slope", [0, 1])
def test_weights_start_as_he_proposes_and_biases_at_0(slope):
    network = Network((400, 150, 250, 10), rng=np.random.default_rng(1), slope=slope)
    for weights, bias in zip(network.weights, network.biases, strict=True):
        expected = math.sqrt(2 / ((1 + slope**2) * len(weights)))
        assert weights.std() == pytest.approx(expected, rel=5 / math.sqrt(2 * weights.size))
        assert abs(weights.mean()) < 5 * expected / math.sqrt(weights.size)
        assert not bias.any()


def test_the_same_seed_gives_the_same_network():
    first, again, other = (
        Network((5, 4, 3), rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.vector, again.vector)
    assert (first.weights[0] != other.weights[0]).all()
    assert (first.weights[1] != other.weights[1]).all()


def test_one_unit_is_enough_and_the_default_slope_is_a_hundredth():
    network = Network((1, 1, 1), rng=np.random.default_rng(0))
    assert network.vector.shape == (4,)
    assert network.slope == 0.01


@pytest.mark.parametrize("sizes", [(), (784,), (784, 0, 10), (0, 10), (784, -1, 10), (5, 3, 0)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match=r"^sizes: found"):
        Network(sizes, rng=np.random.default_rng(0))


@pytest.mark.parametrize("dtype", [np.float16, np.int32, np.uint8, np.complex128, bool, object])
def test_other_types_of_number_are_refused(dtype):
    with pytest.raises(ValueError, match=r"^dtype: found"):
        Network((5, 3), rng=np.random.default_rng(0), dtype=dtype)


@pytest.mark.parametrize("slope", [-0.1, 1.5, math.nan])
def test_impossible_slopes_are_refused(slope):
    with pytest.raises(ValueError, match=r"^slope: found"):
        Network((5, 3), rng=np.random.default_rng(0), slope=slope)


@pytest.mark.parametrize("method", ["forward", "activations", "predict", "predict_proba"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_unscaled_pixels_are_refused(method, dtype):
    network = Network((4, 3, 2), rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match="scale_pixels"):
        getattr(network, method)(np.ones((2, 4), dtype))


@pytest.mark.parametrize("method", ["gradients", "loss_and_gradients"])
def test_unscaled_pixels_are_refused_on_the_way_to_gradients_too(method):
    network = Network((4, 3, 2), rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match="scale_pixels"):
        getattr(network, method)(np.ones((2, 4), np.uint8), np.array([0, 1]))


@pytest.mark.parametrize("shape", [(4,), (2, 5), (2, 2, 2), (4, 2)])
def test_inputs_of_another_shape_are_refused(shape):
    network = Network((4, 3, 2), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"expected \(batch, 4\)"):
        network.forward(np.ones(shape, np.float32))
    with pytest.raises(ValueError, match=r"expected \(batch, 4\)"):
        network.loss_and_gradients(np.ones(shape, np.float32), np.zeros(len(shape), np.int64))


@pytest.mark.parametrize("labels", [[0, 2], [0, -1], [0.0, 1.0], [[1, 0], [0, 1]], [0]])
def test_wrong_labels_are_refused(labels):
    network = Network((4, 3, 2), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"^labels: found"):
        network.loss_and_gradients(np.ones((2, 4), np.float32), np.array(labels))


# --------------------------------------------------------------------------------- the file


@pytest.mark.parametrize("sizes", LAYERS)
@pytest.mark.parametrize("slope", [0, 0.01, 0.3, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_network_comes_back_exactly(tmp_path, sizes, slope, dtype):
    network = Network(sizes, rng=np.random.default_rng(5), slope=slope, dtype=dtype)
    network.vector += network.dtype.type(0.1)
    network.save(tmp_path / "weights.npz")
    loaded = Network.load(tmp_path / "weights.npz")
    assert loaded.sizes == network.sizes
    assert loaded.slope == network.slope
    assert loaded.dtype == network.dtype
    np.testing.assert_array_equal(loaded.vector, network.vector)
    for ours, theirs in zip(loaded.parameters, network.parameters, strict=True):
        assert np.shares_memory(ours, loaded.vector)
        np.testing.assert_array_equal(ours, theirs)


def test_the_file_has_the_name_it_was_given_and_replaces_an_older_one(tmp_path):
    path = tmp_path / "weights without ending"
    for seed in (1, 2):
        network = Network((5, 3), rng=np.random.default_rng(seed))
        network.save(str(path))
        np.testing.assert_array_equal(Network.load(str(path)).vector, network.vector)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_save_refuses_nan_and_leaves_the_old_file(tmp_path, bad):
    path = tmp_path / "weights.npz"
    network = Network((5, 3), rng=np.random.default_rng(0))
    network.save(path)
    before = path.read_bytes()
    network.vector[-1] = bad
    with pytest.raises(ValueError, match="not saved"):
        network.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["weights.npz"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_save_that_fails_half_way_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, error):
    path = tmp_path / "weights.npz"
    network = Network((5, 3), rng=np.random.default_rng(0))
    network.save(path)
    before = path.read_bytes()

    def savez(file, **arrays):
        file.write(b"half")
        file.flush()
        assert len(list(tmp_path.iterdir())) == 2  # the half is somewhere else
        raise error

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(type(error)):
        network.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["weights.npz"]


def test_save_into_a_missing_directory_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        Network((5, 3), rng=np.random.default_rng(0)).save(tmp_path / "no" / "weights.npz")


VECTOR = np.linspace(-1, 1, 18, dtype=np.float32)  # of a network (5, 3)
GOOD = {"sizes": np.array([5, 3]), "slope": np.array(0.01), "vector": VECTOR}


def refuse(path):
    with pytest.raises(ValueError, match=r"expected what Network\.save writes"):
        Network.load(path)


def test_what_the_refused_files_are_variations_of_is_accepted(tmp_path):
    np.savez(tmp_path / "weights.npz", **GOOD)
    np.testing.assert_array_equal(Network.load(tmp_path / "weights.npz").vector, VECTOR)


@pytest.mark.parametrize(
    "changes",
    [
        {"sizes": np.array([5, 4])},
        {"sizes": np.array([3, 5])},
        {"sizes": np.array([17])},
        {"sizes": np.array([], np.int64)},
        {"sizes": np.array(5)},
        {"sizes": np.array([[5, 3]])},
        {"sizes": np.array([5.0, 3.0])},
        {"sizes": np.array(["5", "3"])},
        {"sizes": np.array([-5, 3]), "vector": VECTOR[:0]},
        {"sizes": np.array([8, -2]), "vector": VECTOR},
        {"sizes": np.array([-1, 3]), "vector": VECTOR[:0]},
        {"sizes": np.array([-7, -3])},  # (-7 + 1) * -3 is 18
        {"sizes": np.array([5, 0]), "vector": VECTOR[:0]},
        {"sizes": np.array([1 << 31, 1 << 31])},
        {"sizes": np.array([(1 << 63) - 1] * 3)},
        {"slope": np.array(-1.0)},
        {"slope": np.array(2.0)},
        {"slope": np.array(np.nan)},
        {"slope": np.array([0.01, 0.02])},
        {"slope": np.array("steep")},
        {"vector": VECTOR[:-1]},
        {"vector": VECTOR.reshape(6, 3)},
        {"vector": np.arange(18)},
        {"vector": VECTOR.astype(np.float16)},
        {"vector": VECTOR.astype(np.complex64)},
        {"vector": VECTOR.astype(str)},
        {"vector": np.where(np.arange(18) == 17, np.nan, VECTOR)},
        {"vector": np.where(np.arange(18) == 0, np.inf, VECTOR)},
        {"vector": VECTOR.astype(object)},
        {"sizes": np.array([5, 3], object)},
        {"sizes": None},
        {"slope": None},
        {"vector": None},
    ],
    ids=str,
)
def test_load_refuses_what_save_would_not_write(tmp_path, changes):
    content = {name: array for name, array in (GOOD | changes).items() if array is not None}
    path = tmp_path / "weights.npz"
    np.savez(path, **content)
    tracemalloc.start()
    try:
        refuse(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()


class Harm:
    """What pickle would make a directory of."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (type(self.path).mkdir, (self.path,))


def test_load_never_unpickles(tmp_path):
    traces = tmp_path / "harm done"
    np.savez(tmp_path / "array.npz", **GOOD | {"vector": np.array([Harm(traces)], object)})
    refuse(tmp_path / "array.npz")
    (tmp_path / "plain.npz").write_bytes(pickle.dumps(Harm(traces)))
    refuse(tmp_path / "plain.npz")
    assert not traces.exists()
    np.load(tmp_path / "array.npz", allow_pickle=True)["vector"]
    assert traces.exists()  # the trap works


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"<html>", bytes(1000)])
def test_load_refuses_what_is_not_a_zip(tmp_path, content):
    (tmp_path / "weights.npz").write_bytes(content)
    refuse(tmp_path / "weights.npz")


def test_load_refuses_a_npy_file(tmp_path):
    np.save(tmp_path / "weights.npy", VECTOR)
    refuse(tmp_path / "weights.npy")


def test_load_refuses_every_truncation(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, **GOOD)
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        refuse(path)
    path.write_bytes(content[:-1])
    refuse(path)


@pytest.mark.parametrize("savez", [np.savez, np.savez_compressed])
def test_a_damaged_file_is_a_valueerror_or_still_a_network(tmp_path, savez):
    path = tmp_path / "weights.npz"
    savez(path, **GOOD)
    content = path.read_bytes()
    refused = 0
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            # A damaged date, say, does no harm.
            np.testing.assert_array_equal(Network.load(path).vector, VECTOR)
        except OSError:
            pass
        except ValueError:
            refused += 1
    assert refused > len(content) / 3


def npy_header(shape):
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


@pytest.mark.parametrize("count", [1 << 28, 1 << 40, 1 << 61, 1 << 70])
def test_load_does_not_allocate_what_an_array_only_promises(tmp_path, count):
    path = tmp_path / "weights.npz"
    np.savez(path, sizes=GOOD["sizes"], slope=GOOD["slope"])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("vector.npy", npy_header((count,)) + VECTOR.tobytes())
    tracemalloc.start()
    try:
        refuse(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "shape", ["(18", "(018,)", "(18,))", "[" * 3000, "None", "(1e1,)", "('a',)"]
)
def test_load_refuses_a_damaged_header_of_an_array(tmp_path, shape):
    path = tmp_path / "weights.npz"
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    np.savez(path, sizes=GOOD["sizes"], slope=GOOD["slope"])
    with zipfile.ZipFile(path, "a") as archive:
        start = b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little")
        archive.writestr("vector.npy", start + header + VECTOR.tobytes())
    refuse(path)


def bomb(path, name, honest):
    """Save a network of which one array unpacks to 256 MB; a liar's directory says 1,000 bytes."""
    np.savez(path, **{other: array for other, array in GOOD.items() if other != name})
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{name}.npy", "w") as member,
    ):
        member.write(npy_header((1 << 26,)))
        for _ in range(256):
            member.write(bytes(1 << 20))
    content = bytearray(path.read_bytes())
    assert len(content) < 1 << 22
    if not honest:
        entry = content.rindex(f"{name}.npy".encode()) - 46  # of the directory at the file's end
        assert content[entry : entry + 4] == b"PK\x01\x02"
        content[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")  # the size once unpacked
        path.write_bytes(content)


@pytest.mark.parametrize("honest", [True, False], ids=["honest", "liar"])
@pytest.mark.parametrize("name", ["sizes", "slope", "vector"])
def test_load_does_not_unpack_a_zip_bomb(tmp_path, name, honest):
    path = tmp_path / "weights.npz"
    bomb(path, name, honest)
    tracemalloc.start()
    try:
        refuse(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()


def test_load_refuses_more_weights_than_fit_a_machine(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, **GOOD | {"sizes": np.array([MAX_PARAMETERS, 1])})
    with pytest.raises(ValueError, match=f"over {MAX_PARAMETERS:,}"):
        Network.load(path)


def test_load_of_a_missing_file_or_a_directory_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        Network.load(tmp_path / "weights.npz")
    with pytest.raises((IsADirectoryError, PermissionError)):  # the latter on Windows
        Network.load(tmp_path)
