"""What a report says besides findings: what was measured, absent, or out of reach."""

from collections.abc import Mapping
from dataclasses import dataclass

NOTES = {
    "absent": "not checked for want of {name}: {needed_for}",
    "accuracy": "right for {right} of {count} images, on average {sure} sure; the nearest mean "
    "digit is right for {nearest}",
    "tied": "all classes are equally probable for each image: as yet it tells none from another",
    "summed": "the loss is {factor} times the mean cross-entropy of {count} examples, and its "
    "gradients are those of that loss: the learning rate must suit, and other sizes of batch too",
    "frozen": "parameters {numbers} are not changed by step, though their gradients are not 0; if "
    "these layers are to stay as they are, that is right",
    "random_step": "a step is random in itself, as with dropout: only that it goes downhill was "
    "checked",
    "badly": "it is right for {right} of these images, the nearest mean digit for {nearest}. "
    "Before training, or early in it, that is as it should be. If it is trained, measure its "
    "accuracy on the images that it was trained on: if that is low, too, its training was too "
    "short, or its labels were wrong; if it is high, these images differ from those in "
    "an unusual way",
    "missing": "it never answers {digits}. With the squared error an output may settle at 0 early, "
    "where its gradient is next to nothing, and learn no more; else the training data were without "
    "{digits}: range(9), labels cut off, a filter",
    "kept_large": "the weights of its first layer are {ratio} times as large as sqrt(2 / inputs), "
    "and still the random numbers that they were drawn as. Sums of size {size} saturate sigmoid "
    "and tanh, which learn slowly then, and make other units' numbers as large",
    "averages": "it is right for {right} of these images, and for {settled} with running averages "
    "of a batch of them in the place of its own: those are far behind. They move slowly, or steps "
    "were few",
    "by_rote": "it knows about the {end} {count} of these images by heart, with {known} right, and "
    "{others} of the others, which are no harder. If it was trained on all of them, its batches "
    "never left those: look at what moves on the index of the batch, and what stands in the loop",
    "slow": "its steps are very short, {length}: {count} of them take the loss of its predictions "
    "from {before} to {after}, and made {factor} times as long they lower it to {end}. Unless they "
    "are meant for the end of a training, the learning rate is far too small, or multiplied in "
    "twice",
    "sure_of_bytes": "of the same images divided by 255 it is {sure} sure and {right} right: if it "
    "was trained on pixels from 0 to 1, these here were not scaled",
    "pairs": "not checked: whether labels belong to images, with so few of them",
    "one_hot": "loss_and_gradients got one-hot labels: it fails for integers",
    "sizes": "standard deviation of the {kind}, layer by layer: {sizes}",
    "by_heart": "not checked: whether it learns a batch by heart; {reason}",
    "shared": "what could change your own network, such as a step of training: it cannot be copied "
    "whole; {what} would be shared with the copy",
    "parameters": "the weights, gradients and large logits: parameters is {found}; expected a list "
    "of arrays of floats that can be written to",
    "not_in_place": "the gradients and large logits: changing the arrays in parameters, in a copy "
    "of the network, changes no probability. Pass the arrays that predict_proba works with, not "
    "copies of them",
    "some_not_in_place": "the gradients of parameters {numbers}: changing these arrays, in a copy "
    "of the network, changes no probability. Pass the arrays that predict_proba works with, not "
    "copies of them; if they are those, they are forgotten there",
    "gradients": "the gradients at random weights: {reason}",
    "step": "the step of training: at random weights the probabilities are not finite",
    "changed": "your network's parameters changed although a copy was examined; they have been put "
    "back, and what was measured may be wrong",
    "failed_once": "{name}, which works in other calls: {failure}",
    "failed": "{probe}: an error in the examination itself, {error}",
}
NEEDED_FOR = {
    "predict_proba": "anything",
    "parameters": "weights at the start, gradients, softmax with large logits",
    "loss_and_gradients": "the loss, gradients, learning a batch by heart",
    "activations": "sizes and dead units, layer by layer",
    "step": "whether a step of training lowers the loss",
}


@dataclass(frozen=True)
class Note:
    """Something to know besides the findings."""

    key: str
    values: Mapping[str, object]
    kind: str = "note"  # or "unchecked" or "doubt": nothing is called right, then

    @property
    def text(self) -> str:
        """Return the sentence."""
        return NOTES[self.key].format(**self.values)


def note(key: str, **values: object) -> Note:
    """Make a note of what is good to know, or was not there to be checked."""
    return Note(key, values)


def unchecked(key: str, **values: object) -> Note:
    """Make a note of what should have been checked and could not be."""
    return Note(key, values, kind="unchecked")


def doubt(key: str, **values: object) -> Note:
    """Make a note of what a network does badly although no bug was found."""
    return Note(key, values, kind="doubt")
