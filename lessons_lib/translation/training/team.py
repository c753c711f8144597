"""The processes that train together: one, or those that `accelerate launch` or `torchrun` started."""

import os

import torch
from accelerate import PartialState
from accelerate.utils import broadcast
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from lessons_lib.errors import UserError


class Team:
    """Each process sees a part of every batch; the sum of what they learn is what one alone would have learned.

    Args:
        device: for a process that trains alone. In a team of several, each gets a GPU of its own, or the CPU.
    Raises:
        ValueError: the environment speaks of other processes, and does not say where they are.
    """

    def __init__(self, device: torch.device):
        try:
            self._state = PartialState(cpu=device.type == "cpu")
        except ValueError as error:  # variables that another program left, or that only some of the processes have
            size = os.environ.get("WORLD_SIZE")
            fix = "start it with torchrun, or unset WORLD_SIZE to train alone"
            raise UserError(f"WORLD_SIZE={size} speaks of other processes, but {error}; {fix}") from error
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
