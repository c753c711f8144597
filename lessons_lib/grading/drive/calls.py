"""Calling the learner's code, and turning what it returns, or what it raises, into arrays."""

import dis
import linecache
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch

import lessons_lib
from lessons_lib.grading.arrays import MAX_BYTES, text_array
from lessons_lib.grading.drive.advice import advice
from lessons_lib.grading.drive.limits import TimeUp
from lessons_lib.grading.drive.question import Arrays, Trouble

# Where code lies that the learner did not write: the standard library, what is installed, this package.
INSTALLED = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
LIBRARIES = (*INSTALLED, str(Path(lessons_lib.__file__).parent), "<frozen ", "lessons_lib.grading.reference")
KEPT = "my_translator.py"  # what the learner wrote in an earlier exercise
FLOATS = (torch.float16, torch.float32, torch.float64)


def run_case(
    case: str, answer: Callable, arguments: Mapping[str, Any], returns: tuple[str, ...], device: str = "cpu"
) -> Arrays:
    """Call the answer once. Gives `case.NAME` for all that it returns, and `case.NAME_after` for all that it was given.

    Arrays are handed over as fresh tensors, everything else as it is. If the call fails, the one entry `case.error`
    holds the sentence that says why.
    """
    given = {name: _tensor(value, device) for name, value in arguments.items()}
    try:
        returned = named_arrays(call(answer, *given.values()), returns)
    except Trouble as trouble:
        return {f"{case}.error": text_array(str(trouble))}
    after = {f"{name}_after": value for name, value in given.items() if isinstance(value, torch.Tensor)}
    return {f"{case}.{name}": value for name, value in (returned | to_arrays(after)).items()}


def gradient_case(case: str, answer: Callable, arguments: Mapping[str, np.ndarray], cotangent: np.ndarray) -> Arrays:
    """Gradients of sum(first result · cotangent): `case.NAME` for every floating-point argument, or `case.error`."""
    given = {name: _tensor(value, "cpu") for name, value in arguments.items()}
    leaves = {name: tensor.requires_grad_() for name, tensor in given.items() if tensor.is_floating_point()}
    try:
        returned = call(answer, *given.values())
        first = returned[0] if isinstance(returned, tuple | list) and returned else returned
        if type(first) is not torch.Tensor or not first.requires_grad:
            raise Trouble("the result is cut off from its inputs (numpy, .detach(), .data, .item() or no_grad?)")
        try:
            # A scalar: with `grad_outputs`, PyTorch loads its symbolic shapes at the first call, for two seconds.
            weighted = (first * torch.from_numpy(cotangent)).sum()
            gradients = torch.autograd.grad(weighted, list(leaves.values()), materialize_grads=True)
        except RuntimeError as error:
            raise Trouble(f"backward fails: {_first_line(error)}") from None
        arrays = to_arrays(dict(zip(leaves, gradients, strict=True)))
    except Trouble as trouble:
        return {f"{case}.error": text_array(str(trouble))}
    return {f"{case}.{name}": value for name, value in arrays.items()}


def call(answer: Callable, *arguments: Any) -> Any:
    """What the answer returns.

    Raises:
        Trouble: the answer raised; the sentence has the line of the learner's code.
    """
    try:
        return answer(*arguments)
    except (KeyboardInterrupt, TimeUp):
        raise
    except BaseException as error:
        if type(error) is NotImplementedError and _raised_by_statement(error.__traceback__):
            raise Trouble(f"not answered yet: {_first_line(error) or 'write the body of the function'}") from None
        where = learner_line(error.__traceback__)
        message = _first_line(error)
        raise Trouble(f"{type(error).__name__}{where}: {message}{advice(message)}") from None


def _raised_by_statement(traceback: TracebackType | None) -> bool:
    """Whether the learner's code says `raise`, as an exercise does where the answer is due; PyTorch raises the same."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None or traceback.tb_frame.f_code.co_filename.startswith(LIBRARIES):
        return False
    return traceback.tb_frame.f_code.co_code[traceback.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def learner_line(traceback: TracebackType | None) -> str:
    """' on line 3 (`x = y`)' for the deepest line of the traceback that the learner wrote, or ''."""
    where = ""
    while traceback is not None:
        file, number = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        if not file.startswith(LIBRARIES):
            code = linecache.getline(file, number, traceback.tb_frame.f_globals).strip()
            where = f" on line {number}{f' of {KEPT}' if Path(file).name == KEPT else ''}"
            where += f" (`{code[:80]}`)" if code else ""
        traceback = traceback.tb_next
    return where


def named_arrays(returned: Any, names: tuple[str, ...]) -> Arrays:
    """What an answer returned, one tensor or a tuple (or list) of them, as arrays under the question's names.

    Raises:
        Trouble: it is something else.
    """
    _check_count(returned, names)
    return to_arrays(dict(zip(names, [returned] if len(names) == 1 else returned, strict=True)))


def to_arrays(tensors: dict[str, Any]) -> Arrays:
    """Tensors as NumPy arrays.

    Raises:
        Trouble: one is no plain tensor of numbers, or is too large.
    """
    return {name: _array(name, value) for name, value in tensors.items()}


def _check_count(returned: Any, names: tuple[str, ...]) -> None:
    wanted = f"`return {', '.join(names)}`"
    if returned is None:
        raise Trouble(f"the function returns nothing (print only shows a value): end it with {wanted}")
    if len(names) == 1:
        return
    if isinstance(returned, torch.Tensor):
        raise Trouble(f"the function returns one tensor where {len(names)} are due: end it with {wanted}")
    if not isinstance(returned, tuple | list):
        raise Trouble(f"the function returns a {_kind(returned)}, not {len(names)} tensors: end it with {wanted}")
    if len(returned) != len(names):
        raise Trouble(f"the function returns {len(returned)} things where {len(names)} are due: end it with {wanted}")


def _array(name: str, value: Any) -> np.ndarray:
    if type(value) in (int, float):
        raise Trouble(f"`{name}` is a {_kind(value)}, and a tensor is due, without .item() or float()")
    if type(value) not in (torch.Tensor, torch.nn.Parameter):
        raise Trouble(f"`{name}` is a {_kind(value)}, not a torch.Tensor")
    if value.layout != torch.strided or value.is_meta or value.is_complex() or value.is_quantized:
        raise Trouble(f"`{name}` is not an ordinary tensor of real numbers ({value.dtype}, {value.layout})")
    if value.numel() * value.element_size() > MAX_BYTES:
        raise Trouble(f"`{name}` has the shape {tuple(value.shape)}: more than {MAX_BYTES // 2**20} MiB")
    value = value.detach().cpu()
    if value.is_floating_point() and value.dtype not in FLOATS:
        value = value.float()  # bfloat16 has no counterpart in NumPy
    return value.resolve_neg().numpy()


def _tensor(value: Any, device: str) -> Any:
    return torch.from_numpy(value.copy()).to(device) if isinstance(value, np.ndarray) else value


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def _first_line(error: BaseException) -> str:
    try:
        lines = str(error).strip().splitlines()
    except Exception:
        return "its message cannot be read"
    return lines[0].strip().rstrip(".") if lines else ""
