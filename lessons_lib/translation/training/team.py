"""The processes that train together: one, or those that `accelerate launch` or `torchrun` started."""

import torch
from accelerate import PartialState
from accelerate.utils import broadcast
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


class Team:
    """Each process sees a part of every batch; the sum of what they learn is what one alone would have learned.

    Args:
        device: for a process that trains alone. In a team of several, each gets a GPU of its own, or the CPU.
    """

    def __init__(self, device: torch.device):
        self._state = PartialState(cpu=device.type == "cpu")
        self.rank, self.size = self._state.process_index, self._state.num_processes
        self.device = device if self.size == 1 else self._state.device

    @property
    def is_main(self) -> bool:
        """Whether this is the one process that writes files and talks."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are the mean over the team after every backward pass."""
        return module if self.size == 1 else DistributedDataParallel(module)

    def agree(self, *values: float) -> list[float]:
        """The main process's values, in every process: clocks differ, and all must stop at the same step."""
        if self.size == 1:
            return list(values)
        return broadcast(torch.tensor(values, dtype=torch.float64, device=self.device)).tolist()

    def mean(self, value: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """The mean over the team."""
        if self.size > 1:
            torch.distributed.all_reduce(value)
        return value / self.size

    def wait(self) -> None:
        """Until every process is here."""
        self._state.wait_for_everyone()
