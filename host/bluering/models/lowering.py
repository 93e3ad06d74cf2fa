"""Turns a streaming int8 ``.tflite`` into a plan, or says which layer can't be run and why."""

from collections.abc import Callable

import numpy as np

from bluering.models import layers
from bluering.models.arithmetic import logistic, requantized
from bluering.models.errors import ModelError
from bluering.models.frontend import FEATURE_SCALE, FEATURE_ZERO_POINT
from bluering.models.places import Places
from bluering.models.plan import Layer, Plan, View
from bluering.models.states import State, find_states, variable_names
from bluering.models.tflite_reader import Operator, SourceModel
from ear.audio.format import CHANNELS

_SCALE_TOLERANCE = 0.001


def lower(model: SourceModel) -> Plan:
    """The plan of a model. Raises ModelError naming the layer that isn't supported."""
    return _Lowering(model).plan()


class _Lowering:
    """Walks the operators once; ``views`` tells where the value of each tensor lies."""

    def __init__(self, model: SourceModel) -> None:
        self._model = model
        self._graph = model.subgraphs[0]
        self._tensors = self._graph.tensors
        self._check_order()
        self._states = find_states(model)
        self._places = Places(self._graph, self._states)
        self._variables = variable_names(self._graph)
        self._views: dict[int, View] = {}
        self._assigned: set[str] = set()
        self._layers: list[Layer] = []
        self._logit: View | None = None
        self._probabilities: dict[int, np.ndarray] = {}

    def plan(self) -> Plan:
        features = self._input()
        for operator in self._graph.operators:
            handle = _HANDLERS.get(operator.name)
            if handle is None:
                operator.refuse("is not supported")
            handle(self, operator)
        for name in self._states.keys() - self._assigned:
            raise ModelError(f"the state {name!r} never takes in new rows")
        logit, table = self._output()
        quantization = self._places.quantization(self._graph.inputs[0])
        return Plan(
            self._model.sha256,
            features,
            quantization.scale,
            quantization.zero_point,
            logit,
            table,
            self._places.regions,
            self._layers,
        )

    def _check_order(self) -> None:
        """Each tensor is made once, before it is used."""
        made = set(self._graph.inputs)
        made |= {i for i, tensor in enumerate(self._tensors) if tensor.data is not None}
        for operator in self._graph.operators:
            if any(tensor is not None and tensor not in made for tensor in operator.inputs):
                operator.refuse("uses a tensor before it is made")
            if made & set(operator.outputs):
                operator.refuse("makes a tensor a second time")
            made |= set(operator.outputs)

    def _input(self) -> View:
        if len(self._graph.inputs) != 1 or len(self._graph.outputs) != 1:
            raise ModelError("a streaming model has one input and one output")
        number = self._graph.inputs[0]
        tensor = self._tensors[number]
        if tensor.type != "INT8":
            raise ModelError(f"the input is {tensor.type}; INT8 is supported")
        if len(tensor.shape) != 3 or tensor.shape[0] != 1 or tensor.shape[2] != CHANNELS:
            raise ModelError(
                f"the input has the shape {list(tensor.shape)}; "
                f"[1, stride, {CHANNELS}] is supported"
            )
        if not 1 <= tensor.shape[1] <= 255:
            raise ModelError(f"the stride is {tensor.shape[1]}; 1 to 255 are supported")
        found = self._places.quantization(number)
        if (
            found.zero_point != FEATURE_ZERO_POINT
            or abs(found.scale / FEATURE_SCALE - 1) > _SCALE_TOLERANCE
        ):
            raise ModelError(
                f"the input has scale {found.scale:.6g} and zero point {found.zero_point}; "
                f"the front end's features have {FEATURE_SCALE:.6g} and {FEATURE_ZERO_POINT}"
            )
        self._views[number] = self._places.home(number)
        return self._views[number]

    def _output(self) -> tuple[View, np.ndarray]:
        number = self._graph.outputs[0]
        tensor = self._tensors[number]
        if tensor.type != "UINT8" or tensor.shape != (1, 1):
            raise ModelError(
                f"the output is {tensor.type} of the shape {list(tensor.shape)}; "
                "UINT8 of [1, 1] is supported"
            )
        if number not in self._probabilities or self._logit is None:
            raise ModelError("the output doesn't come from LOGISTIC and QUANTIZE")
        return self._logit, self._probabilities[number]

    def _view(self, operator: Operator, index: int) -> View:
        """Where an input lies."""
        tensor = operator.inputs[index] if index < len(operator.inputs) else None
        if tensor is None or tensor not in self._views:
            operator.refuse(f"has an input {index} that no layer computes")
        return self._views[tensor]

    def _integers(self, operator: Operator, index: int) -> list[int]:
        """A constant input."""
        tensor = operator.inputs[index] if index < len(operator.inputs) else None
        data = None if tensor is None else self._tensors[tensor].data
        if data is None or data.dtype.kind != "i":
            operator.refuse(f"needs a constant as input {index}")
        return [int(value) for value in data.reshape(-1)]

    def _nothing(self, operator: Operator) -> None:
        """CALL_ONCE and VAR_HANDLE: the states are known."""

    def _reshape(self, operator: Operator) -> None:
        view = self._view(operator, 0)
        rows, channels = self._places.rows(operator.outputs[0])
        if (rows, channels) not in ((view.rows, view.channels), (1, view.rows * view.channels)):
            operator.refuse(f"of {view.rows} rows of {view.channels} into {rows} of {channels}")
        self._views[operator.outputs[0]] = view

    def _state(self, operator: Operator) -> State:
        handle = operator.inputs[0] if operator.inputs else None
        name = self._variables.get(-1 if handle is None else handle)
        if name is None or name not in self._states:
            operator.refuse(f"uses the state {name!r}, which no CONCATENATION continues")
        return self._states[name]

    def _read_variable(self, operator: Operator) -> None:
        state = self._state(operator)
        if state.name in self._assigned:
            operator.refuse(f"reads the state {state.name!r} after it has changed")
        region = state.region
        first = region.keep - state.rows  # negative: rows that this step no longer needs
        self._views[operator.outputs[0]] = View(region, first, state.rows, 0, region.channels)

    def _assign_variable(self, operator: Operator) -> None:
        state = self._state(operator)
        region = state.region
        first = region.keep - state.rows + region.new
        if self._view(operator, 1) != View(region, first, state.rows, 0, region.channels):
            operator.refuse(f"doesn't keep the newest {state.rows} rows in {state.name!r}")
        if state.name in self._assigned:
            operator.refuse(f"changes the state {state.name!r} a second time")
        self._assigned.add(state.name)

    def _concatenation(self, operator: Operator) -> None:
        output = operator.outputs[0]
        state = self._places.joins.get(operator.index)
        self._check_joint(operator, 1 if state else 3)
        parts = operator.inputs
        whole = self._places.home(output) if state is None else state.window
        if state is not None:
            if self._view(operator, 0) != whole.select_rows(0, state.region.keep):
                operator.refuse(f"doesn't begin with the oldest rows of {state.name!r}")
            parts = parts[1:]
        for part in parts:
            assert part is not None
            if self._views.get(part) != self._places.place_in(operator, part):
                operator.refuse("joins something that isn't the output of a layer")
        self._views[output] = whole

    def _check_joint(self, operator: Operator, axis: int) -> None:
        output = operator.outputs[0]
        if operator.options["FusedActivationFunction"]:
            operator.refuse("with an activation is not supported")
        given = operator.options["Axis"]
        if len(self._tensors[output].shape) != 4 or given % 4 != axis:
            operator.refuse(f"on axis {given} is not supported")
        wanted = self._places.quantization(output)
        for tensor in operator.inputs:
            part = wanted if tensor is None else self._places.quantization(tensor)
            if (part.scale, part.zero_point) != (wanted.scale, wanted.zero_point):
                operator.refuse("of different quantisations is not supported")

    def _strided_slice(self, operator: Operator) -> None:
        view = self._view(operator, 0)
        assert operator.inputs[0] is not None
        shape = self._tensors[operator.inputs[0]].shape
        begin, end, strides = (self._integers(operator, index) for index in (1, 2, 3))
        masks = operator.options
        if masks["EllipsisMask"] or masks["NewAxisMask"] or masks["ShrinkAxisMask"]:
            operator.refuse("with an ellipsis, new-axis or shrink-axis mask is not supported")
        if not len(shape) == len(begin) == len(end) == 4 or set(strides) != {1}:
            operator.refuse("is supported on 4 dimensions, with strides of 1")
        spans = []
        for axis, size in enumerate(shape):
            start = None if masks["BeginMask"] >> axis & 1 else begin[axis]
            stop = None if masks["EndMask"] >> axis & 1 else end[axis]
            first, last, _ = slice(start, stop).indices(size)
            spans.append((first, last - first))
        if min(count for _, count in spans) < 1:
            operator.refuse("that leaves nothing is not supported")
        self._views[operator.outputs[0]] = view.select_rows(*spans[1]).select_channels(*spans[3])

    def _split_v(self, operator: Operator) -> None:
        view = self._view(operator, 0)
        sizes, axes = self._integers(operator, 1), self._integers(operator, 2)
        if axes not in ([3], [-1]) or sum(sizes) != view.channels or min(sizes) < 1:
            operator.refuse(f"into {sizes} on axis {axes} is not supported")
        start = 0
        for output, size in zip(operator.outputs, sizes, strict=False):
            self._views[output] = view.select_channels(start, size)
            start += size

    def _compute(self, operator: Operator, build: Callable[[layers.Job], list[Layer]]) -> None:
        numbers = operator.inputs
        output = operator.outputs[0]
        job = layers.Job(
            operator,
            [None if number is None else self._tensors[number] for number in numbers],
            self._tensors[output],
            [None if number is None else self._views.get(number) for number in numbers],
            self._places.home(output),
        )
        self._layers += build(job)
        self._views[output] = job.y

    def _convolution(self, operator: Operator) -> None:
        self._compute(operator, layers.convolution)

    def _depthwise(self, operator: Operator) -> None:
        self._compute(operator, layers.depthwise)

    def _fully_connected(self, operator: Operator) -> None:
        self._compute(operator, layers.fully_connected)

    def _add(self, operator: Operator) -> None:
        self._compute(operator, layers.addition)

    def _logistic(self, operator: Operator) -> None:
        view = self._view(operator, 0)
        assert operator.inputs[0] is not None
        source = self._places.quantization(operator.inputs[0])
        target = self._places.quantization(operator.outputs[0])
        if view.rows * view.channels != 1 or self._logit is not None:
            operator.refuse("is supported once, on the one last value")
        if (target.scale, target.zero_point) != (1 / 256, -128):
            operator.refuse("must have the output scale 1/256 and zero point -128")
        self._logit = view
        self._probabilities[operator.outputs[0]] = logistic(source.scale, source.zero_point)

    def _quantize(self, operator: Operator) -> None:
        number = operator.inputs[0]
        target = self._tensors[operator.outputs[0]]
        if number is None or number not in self._probabilities or target.type != "UINT8":
            operator.refuse("is supported from LOGISTIC to the UINT8 output only")
        source, to = (self._places.quantization(n) for n in (number, operator.outputs[0]))
        logits = self._probabilities[number]
        table = requantized(logits, source.scale, source.zero_point, (to.scale, to.zero_point))
        self._probabilities[operator.outputs[0]] = np.clip(table, 0, 255)


_HANDLERS: dict[str, Callable[[_Lowering, Operator], None]] = {
    "CALL_ONCE": _Lowering._nothing,
    "VAR_HANDLE": _Lowering._nothing,
    "RESHAPE": _Lowering._reshape,
    "READ_VARIABLE": _Lowering._read_variable,
    "ASSIGN_VARIABLE": _Lowering._assign_variable,
    "CONCATENATION": _Lowering._concatenation,
    "STRIDED_SLICE": _Lowering._strided_slice,
    "SPLIT_V": _Lowering._split_v,
    "CONV_2D": _Lowering._convolution,
    "DEPTHWISE_CONV_2D": _Lowering._depthwise,
    "FULLY_CONNECTED": _Lowering._fully_connected,
    "ADD": _Lowering._add,
    "LOGISTIC": _Lowering._logistic,
    "QUANTIZE": _Lowering._quantize,
}
