"""Finds the streaming states of a model: variables that hold the last rows of some tensor."""

from dataclasses import dataclass

from bluering.models.errors import ModelError
from bluering.models.plan import Region, View
from bluering.models.tflite_reader import Operator, SourceModel, Subgraph


@dataclass(frozen=True)
class State:
    """A variable with ``rows`` rows that live in ``region``, where ``concatenation`` (an
    operator's number) joins them and the new ones."""

    name: str
    rows: int
    region: Region
    concatenation: int

    @property
    def window(self) -> View:
        """The kept rows and the new ones."""
        region = self.region
        return View(region, 0, region.keep + region.new, 0, region.channels)


def shape_as_rows(shape: tuple[int, ...]) -> tuple[int, int]:
    """(rows, channels) of a tensor [1, rows, 1, channels], [1, rows, channels] or [1, channels].

    Raises ValueError for any other shape.
    """
    match shape:
        case (1, rows, 1, channels) | (1, rows, channels):
            return rows, channels
        case (1, channels):
            return 1, channels
    raise ValueError(f"has the shape {list(shape)}; [1, time, 1, channels] is supported")


def find_states(model: SourceModel) -> dict[str, State]:
    """The states of the main subgraph by the name of their variable. Raises ModelError."""
    graph = model.subgraphs[0]
    names = variable_names(graph)
    initial = _initial_values(model)
    reads = {o.outputs[0]: names[_first(o)] for o in graph.operators if o.name == "READ_VARIABLE"}
    made_by = {output: o for o in graph.operators for output in o.outputs}
    states: dict[str, State] = {}
    for operator in graph.operators:
        if operator.name != "CONCATENATION" or len(operator.inputs) != 2:
            continue
        source = _read_behind(operator, reads, made_by)
        if source is None:
            continue
        name = reads[source]
        if name in states:
            operator.refuse(f"joins the state {name!r} a second time")
        if name not in initial:
            operator.refuse(f"reads the state {name!r}, which is never initialised")
        states[name] = _state(operator, graph, name, source, initial[name])
    return states


def variable_names(graph: Subgraph) -> dict[int, str]:
    """The name of the variable behind each handle."""
    return {
        o.outputs[0]: o.options["SharedName"].decode(errors="replace")
        for o in graph.operators
        if o.name == "VAR_HANDLE"
    }


def _first(operator: Operator) -> int:
    if not operator.inputs or operator.inputs[0] is None:
        operator.refuse("has no input")
    return operator.inputs[0]


def _read_behind(
    operator: Operator, reads: dict[int, str], made_by: dict[int, Operator]
) -> int | None:
    """The tensor read from a variable whose last rows are the concatenation's first input."""
    tensor = _first(operator)
    maker = made_by.get(tensor)
    if maker is not None and maker.name == "STRIDED_SLICE":
        tensor = _first(maker)
    return tensor if tensor in reads else None


def _state(operator: Operator, graph: Subgraph, name: str, source: int, fill: int) -> State:
    kept, fresh = operator.inputs
    assert kept is not None
    if fresh is None:
        operator.refuse("has no second input")
    try:
        rows, _ = shape_as_rows(graph.tensors[source].shape)
        keep, channels = shape_as_rows(graph.tensors[kept].shape)
        new, new_channels = shape_as_rows(graph.tensors[fresh].shape)
    except ValueError as error:
        operator.refuse(f"{error}")
    if channels != new_channels:
        operator.refuse(f"joins rows of {channels} and of {new_channels} channels")
    return State(name, rows, Region(keep, new, channels, fill), operator.index)


def _initial_values(model: SourceModel) -> dict[str, int]:
    """What each variable is filled with by the subgraph that CALL_ONCE calls."""
    values: dict[str, int] = {}
    for call in model.subgraphs[0].operators:
        if call.name != "CALL_ONCE":
            continue
        number = call.options["InitSubgraphIndex"]
        if not 0 < number < len(model.subgraphs):
            call.refuse(f"calls the subgraph {number}, which isn't there")
        graph = model.subgraphs[number]
        names = variable_names(graph)
        for operator in graph.operators:
            if operator.name == "ASSIGN_VARIABLE":
                handle, value = operator.inputs
                assert handle is not None
                assert value is not None
                values[names[handle]] = _constant(operator, graph, value, names[handle])
            elif operator.name != "VAR_HANDLE":
                raise ModelError(
                    f"the initial subgraph's layer {operator.index}: {operator.name} "
                    "is not supported; states start with constants"
                )
    return values


def _constant(operator: Operator, graph: Subgraph, tensor: int, name: str) -> int:
    value = graph.tensors[tensor]
    if value.type != "INT8" or value.data is None or not value.data.size:
        operator.refuse(f"gives the state {name!r} no int8 constant")
    if (value.data != value.data.flat[0]).any():
        operator.refuse(f"gives the state {name!r} values that aren't all the same")
    return int(value.data.flat[0])
