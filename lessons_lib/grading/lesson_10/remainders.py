"""Lesson 10: what a wrong count without a name is off by, in sizes of the question. Each is plain arithmetic."""

import itertools

from lessons_lib.grading.lesson_10.mistakes import GIB, Cache, Machine, Shape


def of_parameters(given: int, asked: Shape) -> str:
    """The difference as a few of one part of the model, or as a few products of its sizes."""
    off = abs(given - asked.right)
    layer = asked.attention + asked.feed_forward + 2 * asked.norm
    sizes = {
        "(attention, feed-forward network and two norms)": layer,
        "(a feed-forward network)": asked.feed_forward,
        "(an attention)": asked.attention,
        "vocab_size · d_model": asked.embedding,
        "n_positions · d_model": asked.n_positions * asked.d_model,
        "d_model · d_ff": asked.d_model * asked.d_ff,
        "d_model²": asked.d_model**2,
        "vocab_size": asked.vocab_size,
        "n_positions": asked.n_positions,
        "d_ff": asked.d_ff,
        "d_model": asked.d_model,
    }
    times = {name: off // size for name, size in sizes.items() if size and off % size == 0}
    if not times or min(times.values()) > 6 * asked.layers:
        return ""
    name = min(times, key=times.get)
    each, rest = divmod(times[name], asked.layers)
    shared = f", {each} for each layer" if asked.layers > 1 and not rest else ""
    return f" That is {off:,} too {'many' if given > asked.right else 'few'}: {times[name]} · {name}{shared}."


def of_a_cache(given: int, asked: Cache) -> str:
    """The factor that is missing or too much, or the number of tokens that would give this."""
    sizes = {
        "n_layers": asked.n_layers,
        "batch": asked.batch,
        "length": asked.length,
        "d_model // n_heads": asked.d_head,
        "n_heads": asked.n_heads,
        "n_kv_heads": asked.n_kv_heads or 0,
        "source_length": asked.source_length,
        "2": 2,
        "4": 4,
    }
    for name, size in sizes.items():
        value = name if name.isdigit() else f"{name} = {size}"
        if size > 1 and given * size == asked.right:
            return f" The factor {value} is missing."
        if size > 1 and given == asked.right * size:
            return f" The factor {value} is too much."
    named = {name: size for name, size in sizes.items() if size > 1 and not name.isdigit()}
    for (name, size), (other, due) in itertools.permutations(named.items(), 2):
        if size != due and given * due == asked.right * size:
            return f" It is as if {name} = {size} stood where {other} = {due} is due."
    a_token = 2 * asked.n_layers * asked.batch * asked.width * asked.bytes_a_number
    if given % a_token == 0:
        return f" It is as if there were {given // a_token:,} tokens; there are {asked.length + asked.source_length:,}."
    return ""


def of_a_machine(given: int, asked: Machine) -> str:
    """How many bytes a parameter would take to give this."""
    if given <= 0 or asked.right <= 0 or asked.n_parameters < 10**8:
        return ""
    free = asked.memory_gib * GIB - asked.a_parameter * asked.n_parameters
    for times in range(2, 33):
        if given in (free // (times * asked.bytes_a_sequence), free // asked.bytes_a_sequence // times):
            return f" It is as if each sequence took {times} times bytes_a_sequence; it takes that once."
        if given == times * free // asked.bytes_a_sequence:
            return f" It is as if {times} times as much memory were free."
    bytes_each = (asked.memory_gib * GIB - given * asked.bytes_a_sequence) / asked.n_parameters
    if abs(bytes_each - round(bytes_each)) > 0.01 or round(bytes_each) == asked.a_parameter:
        return ""
    return f" It is as if a parameter took {round(bytes_each)} bytes, and {asked.a_parameter} are due."
