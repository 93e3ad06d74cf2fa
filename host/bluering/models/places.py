"""Decides where each tensor's value lies, before anything is computed.

Tensors that are joined later, to a state's older rows or to other channels, are computed in their
place from the start: the device never copies an activation.
"""

from collections import defaultdict

from bluering.models.errors import ModelError
from bluering.models.plan import Region, View
from bluering.models.states import State, shape_as_rows
from bluering.models.tflite_reader import Operator, Quantization, Subgraph


class Places:
    """The regions of a graph, and the place of each tensor in them."""

    def __init__(self, graph: Subgraph, states: dict[str, State]) -> None:
        self._tensors = graph.tensors
        self.joins = {state.concatenation: state for state in states.values()}
        self.regions = [state.region for state in states.values()]
        self._homes: dict[int, View] = {}
        self._consumers: dict[int, list[Operator]] = defaultdict(list)
        for operator in graph.operators:
            for tensor in operator.inputs:
                if tensor is not None:
                    self._consumers[tensor].append(operator)

    def rows(self, tensor: int) -> tuple[int, int]:
        """Its rows and channels. Raises ModelError when its shape isn't one of those."""
        try:
            return shape_as_rows(self._tensors[tensor].shape)
        except ValueError as error:
            raise ModelError(f"the tensor {self._tensors[tensor].name!r} {error}") from error

    def quantization(self, tensor: int) -> Quantization:
        found = self._tensors[tensor].quantization
        if found is None:
            raise ModelError(f"the tensor {self._tensors[tensor].name!r} isn't quantised")
        return found

    def home(self, tensor: int) -> View:
        """The place where a tensor is computed."""
        if tensor not in self._homes:
            self._homes[tensor] = self._joined(tensor) or self._own(tensor)
        return self._homes[tensor]

    def place_in(self, concatenation: Operator, tensor: int) -> View:
        """The place of one of a concatenation's inputs."""
        state = self.joins.get(concatenation.index)
        if state is not None:
            region = state.region
            return View(region, region.keep, region.new, 0, region.channels)
        whole = self.home(concatenation.outputs[0])
        start = 0
        for part in concatenation.inputs[: concatenation.inputs.index(tensor)]:
            start += 0 if part is None else self.rows(part)[1]
        return whole.select_channels(start, self.rows(tensor)[1])

    def _own(self, tensor: int) -> View:
        rows, channels = self.rows(tensor)
        region = Region(0, rows, channels)
        self.regions.append(region)
        return View(region, 0, rows, 0, channels)

    def _joined(self, tensor: int) -> View | None:
        """Its place in what it is joined to; None when it isn't joined to anything."""
        places = []
        for operator in self._consumers[tensor]:
            if operator.name == "CONCATENATION":
                if operator.inputs.count(tensor) > 1:
                    operator.refuse("joins a tensor with itself")
                places.append(self.place_in(operator, tensor))
            elif operator.name == "RESHAPE" and self.rows(tensor) == self.rows(operator.outputs[0]):
                place = self._joined(operator.outputs[0])
                places += [] if place is None else [place]
        if len(places) > 1:
            operator = self._consumers[tensor][-1]
            operator.refuse("takes a tensor that is joined to two others; one is supported")
        return places[0] if places else None
