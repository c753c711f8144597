"""What an error of PyTorch or of Python usually means in an exercise: one more phrase behind its message."""

import re

ADVICE: dict[str, str] = {
    r'"bitwise_\w+" not implemented for': (
        "`&` binds more tightly than `<`: put each comparison in brackets, a & (b < c)"
    ),
    r"Boolean value of Tensor with more than one value": (
        "`and`, `or`, `not` and `if` want one truth value; place by place it is `&`, `|`, `~`, with brackets around "
        "each comparison"
    ),
    r"Module \[ModuleList\] is missing": (
        "a ModuleList holds layers and calls none: call each in a loop, x = layer(x, …)"
    ),
    r"argument #1 'indices' to have one of": (
        "an embedding is called with token ids, as argmax gives them; @ embedding.weight.T compares vectors with its "
        "rows"
    ),
    r"Expected size for first two dimensions of batch2|cannot be multiplied": (
        "in a @ b the last size of a must be the last but one of b: is one of them not transposed, or not joined with "
        "what came before?"
    ),
    r"Tensors must have same number of dimensions": (
        "torch.cat joins tensors of as many axes: is one lost, as behind argmax without keepdim=True?"
    ),
    r"Sizes of tensors must match except in dimension": (
        "torch.cat joins along `dim`, and all other sizes must be equal: is it the right `dim`, and the right part?"
    ),
    r"stack expects each tensor to be equal size": (
        "is the right axis cut, and into equal parts? torch.stack makes a new axis; torch.cat puts one behind the other"
    ),
    r"a Tensor with \d+ elements cannot be converted": (
        "there is one number for each row: keep the tensor, without .item()"
    ),
    r"Expected target size": (
        "cross_entropy wants the words of the vocabulary on the second axis: logits (N, V) and tokens (N,)"
    ),
    r"MultiHeadAttention\.forward\(\) takes": (
        "it is called with (query, source, mask); keys and values come from `source`"
    ),
    r"must have the same dtype, but got Bool": (
        "the mask stands where vectors are read: the call is (query, source, mask)"
    ),
    r"arange\(\): argument 'end' .* not Tensor": (
        "a length is due, a whole number such as tokens.shape[1], not the tokens"
    ),
    r"only implemented on integer and Boolean|only supports boolean masks": (
        "a mask holds booleans: make it with dtype=torch.bool, or by a comparison"
    ),
    r"not torch\.return_types": "`.max(dim=…)` gives two things: take `.values`, or write `.amax(dim=…)`",
    r"unhashable type: 'list'": "a list cannot be counted or put into a set: make a tuple of it",
    r"for &: 'list' and 'list'": "these are lists with a set for each sentence: go through them together, with zip",
    r"Sequential\.forward\(\) takes": (
        "nn.Sequential hands one thing alone to its layers, and no mask: call each in a loop, x = layer(x, …)"
    ),
    r"'Embedding' object has no attribute 'T'": "the table of an embedding is its `.weight`",
    r"shape mismatch: value tensor": (
        "into `x[condition]` go as many values as it has places: `y[condition]`, or write torch.where(condition, y, x)"
    ),
    r"floating point type for target with class probabilities": (
        "cross_entropy wants the logits (N, V), a number for each word, not their argmax"
    ),
    r"'Translation' object has no attribute": "`translate` gives an object for each sentence: its `.text` is the text",
    r"for &: 'set' and 'Gold'": "`gold_of` gives an object for each pair: its links are `.sure` and `.possible`",
    r"tags\(\) takes 1 positional": "it is called with one Example: tags(Example(source, translation, reference))",
    r"'list' object has no attribute 'mean'": "a list has an array for each sentence: call the function for each",
    r"'list' object has no attribute 'r?strip'": "texts are wanted here, and these are lists of words",
}


def advice(message: str) -> str:
    """' (…)' to be put behind an error's message, or ''."""
    return next((f" ({said})" for pattern, said in ADVICE.items() if re.search(pattern, message)), "")


def sizes(message: str) -> tuple[int, int] | None:
    """The two sizes that PyTorch could not broadcast, or None."""
    found = re.search(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)", message)
    return (int(found[1]), int(found[2])) if found else None
